"""The address of a server, checked so that a token is never sent over a network unencrypted.

    https://diary.home:8443        any machine
    http://127.0.0.1:8765          this machine only
    http://llamora.localhost:8765  this machine: not every resolver knows such names, so the client connects
                                   to 127.0.0.1 and sends the name in the Host header
    http://diary.home:8765         refused, unless `allow_plain_http=True` says that the network is encrypted

Proxies named in the environment are not used, because a proxy could read a token sent over plain http.
"""

import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from llamora.client.errors import AddressRefused, AuthenticationError

MAX_TOKEN = 512
# Of the domain name system (RFC 1035).
MAX_NAME, MAX_LABEL = 253, 63


@dataclass(frozen=True, kw_only=True)
class ServerAddress:
    """A checked address: the client connects to `base`, and sends `host` in the Host header."""

    base: str
    host: str
    is_encrypted: bool

    def build_url(self, path: str) -> str:
        """Return the URL of a path, which begins with a slash."""
        return self.base + path


def parse_address(url: str, *, allow_plain_http: bool = False) -> ServerAddress:
    """Return the address of a server; raise AddressRefused if it is invalid or not safe for a token."""
    try:
        parts = urlsplit(url.strip())
        scheme, name, port = parts.scheme.lower(), (parts.hostname or "").lower(), parts.port
        httpx.URL(url.strip())
        if len(name) > MAX_NAME or any(len(label) > MAX_LABEL for label in name.split(".")):
            name = ""
    except (ValueError, httpx.InvalidURL, UnicodeError):
        scheme, name, port = "", "", None
    if scheme not in ("http", "https") or not name:
        raise AddressRefused(
            "The server's address must be one like https://diary.home or http://127.0.0.1:8765."
        )
    if parts.username is not None or parts.path.strip("/") or parts.query or parts.fragment:
        raise AddressRefused("The server's address must end after the host or the port, and name no user.")
    is_encrypted = scheme == "https"
    if not is_encrypted and not allow_plain_http and not is_this_machine(name):
        raise AddressRefused(
            "Over http:// the access token could be read on the way to another machine. Use https://, or "
            "allow plain http if the network itself is encrypted.",
            code="plain_http",
        )
    reached = "127.0.0.1" if not is_encrypted and name.endswith(".localhost") else name
    return ServerAddress(
        base=f"{scheme}://{_join_host(reached, port)}", host=_join_host(name, port), is_encrypted=is_encrypted
    )


def is_this_machine(name: str) -> bool:
    """Return whether a host name or address certainly belongs to this machine."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _join_host(name: str, port: int | None) -> str:
    shown = f"[{name}]" if ":" in name else name
    return shown if port is None else f"{shown}:{port}"


def parse_token(token: str) -> str:
    """Return a token without surrounding white space; raise AuthenticationError if it cannot be a token."""
    trimmed = token.strip()
    if not trimmed or len(trimmed) > MAX_TOKEN or not all("!" <= one <= "~" for one in trimmed):
        raise AuthenticationError(
            "This is not an access token. A token is one word that begins with llamora_. Settings, Programs "
            "shows it once."
        )
    return trimmed


def build_tls_context(ca_file: str | Path | None) -> ssl.SSLContext:
    """Return a TLS context that trusts the certificate authorities of httpx, this machine and a PEM file."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ValueError):  # ssl.SSLError is an OSError
            raise AddressRefused(
                "The file of the certificate authority can't be read, or is not a PEM file.", code="ca_file"
            ) from None
    return context
