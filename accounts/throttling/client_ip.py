"""Where a request comes from, as the throttle counts it."""

from ipaddress import IPv6Address, ip_address, ip_network

from django.http import HttpRequest


def get_client_ip(request: HttpRequest) -> str:
    """Return the peer's address."""
    return normalize_ip(str(request.META.get("REMOTE_ADDR") or ""))


def normalize_ip(said: str) -> str:
    """Return an address as it is counted; of IPv6 the /64, since one device there has 2**64 of them."""
    try:
        address = ip_address(said.partition("%")[0])
    except ValueError:
        return said
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ip_network((address, 64), strict=False))
    return str(address)
