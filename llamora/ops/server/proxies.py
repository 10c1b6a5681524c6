"""The client of a request that came through a reverse proxy: its address, and whether it used HTTPS.

A proxy names the client in `X-Forwarded-For` and `X-Forwarded-Proto`. Anybody can send these headers, so they
are read only if the connection comes from an address in `LLAMORA_TRUSTED_PROXIES`. The client is the
right-most address in `X-Forwarded-For` that is not a trusted proxy, because only the entries from there on
were added by trusted proxies. `Forwarded` (RFC 7239) is never read, because a proxy that sets only
`X-Forwarded-For` usually passes on a forged `Forwarded`. The application sees neither.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network
Header = tuple[bytes, bytes]

_FOR, _PROTO = b"x-forwarded-for", b"x-forwarded-proto"
# What proxies write about clients, under all its usual names.
_HEADERS = frozenset(
    {
        *(_FOR, _PROTO, b"forwarded", b"x-forwarded-host", b"x-forwarded-port", b"x-forwarded-prefix"),
        *(b"x-forwarded-by", b"x-forwarded-scheme", b"x-forwarded-ssl", b"x-forwarded-server"),
        *(b"x-real-ip", b"x-client-ip", b"true-client-ip", b"x-scheme", b"x-url-scheme", b"front-end-https"),
    }
)


@dataclass(frozen=True, kw_only=True)
class Client:
    """The client of a request: its address, and whether it used HTTPS."""

    address: str
    is_secure: bool = False


def find_client(peer: str, headers: Iterable[Header], *, trusted: Sequence[Network]) -> Client:
    """Return the client of a request from the address `peer` with these headers."""
    headers = list(headers)
    if not is_trusted(peer, trusted):
        return Client(address=peer)
    protocols = _read_list(headers, _PROTO)
    return Client(
        address=_find_address(peer, _read_list(headers, _FOR), trusted),
        # The last is what the nearest proxy says; those before it may come from outside.
        is_secure=bool(protocols) and protocols[-1].lower() == "https",
    )


def strip_proxy_headers(headers: Iterable[Header]) -> list[Header]:
    """Return the headers without all proxy headers."""
    return [(name, value) for name, value in headers if name.lower() not in _HEADERS]


def is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    """Return whether an address belongs to a trusted proxy."""
    parsed = _parse_address(address)
    return parsed is not None and any(parsed in network for network in trusted)


def _find_address(peer: str, named: Sequence[str], trusted: Sequence[Network]) -> str:
    """Return the right-most address that is not a trusted proxy's.

    If an entry is not an address, return the address to its right; if all are trusted, the left-most one.
    """
    nearest = peer
    for text in reversed(named):
        address = _parse_address(text)
        if address is None:
            return nearest
        nearest = str(address)
        if not any(address in network for network in trusted):
            return nearest
    return nearest


def _read_list(headers: Iterable[Header], name: bytes) -> list[str]:
    """Return the parts of a header that is a list, also if it was sent several times."""
    lines = [value.decode("latin1") for key, value in headers if key.lower() == name]
    return [part.strip() for part in ",".join(lines).split(",")] if lines else []


# Of one client it is asked several times for each request.
@lru_cache(maxsize=1024)
def _parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address in a text, which may have a port or a zone, or None."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
