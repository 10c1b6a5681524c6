"""The IP address of a client, normalised for the counts of failures."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from django.http import HttpRequest


def get_client_ip(request: HttpRequest) -> str:
    """Return the address of the client's connection."""
    return normalize_ip(str(request.META.get("REMOTE_ADDR") or ""))


# Each request asks several times for the address of its client.
@lru_cache(maxsize=1024)
def normalize_ip(text: str) -> str:
    """Return an address as the throttle counts it: for IPv6 the /64, because a device has 2**64 addresses."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return text
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ip_network((address, 64), strict=False))
    return str(address)
