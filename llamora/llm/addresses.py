"""Where a model server is, and whether that is this machine."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from llamora.llm.errors import RemoteNotAllowed, WrongAddress


def root_of(base_url: str) -> str:
    """The address without a trailing `/v1`, as people paste it both ways."""
    try:
        parts = urlsplit(base_url.strip())
        named = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        named = False
    if not named:
        raise WrongAddress
    return parts._replace(path=parts.path.rstrip("/").removesuffix("/v1"), query="", fragment="").geturl()


def is_loopback(base_url: str) -> bool:
    """True only for names and numbers that cannot leave this machine; nothing is looked up."""
    host = (urlsplit(base_url).hostname or "").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def refuse_remote(base_url: str, *, allow_remote: bool) -> None:
    """Raise unless the address is this machine or leaving it was allowed."""
    if not allow_remote and not is_loopback(base_url):
        raise RemoteNotAllowed
