"""Where to go on after signing in: a page of this site, or the first one.

A browser reads `//host`, `/\\host` and, since it drops tabs and line breaks, `/<tab>/host` as another
site's address; so only what cannot be read that way, before or after decoding, is believed.
"""

from urllib.parse import unquote, urlsplit

from django.http import HttpRequest
from django.urls import Resolver404, resolve

HOME = "/"
_MAX_LENGTH = 2000
# Going on to these would lead back to the door, or out again.
_AUTH_URL_NAMES = frozenset(
    {
        "sign_in",
        "sign_out",
        "register",
        "recover",
        "confirm_recovery_code",
        "password_strength",
        "unlock",
        "lock",
    }
)


def get_safe_url(address: str) -> str:
    """Return the address if it is a page of this site to go on to, else the first page."""
    if len(address) > _MAX_LENGTH or not _is_local(address) or not _is_local(unquote(address)):
        return HOME
    try:
        name = resolve(urlsplit(address).path).url_name
    except (Resolver404, ValueError):
        return HOME
    return HOME if name in _AUTH_URL_NAMES else address


def get_next_url(request: HttpRequest) -> str:
    """Return where a form or a link asks to go on to."""
    return get_safe_url(request.POST.get("next") or request.GET.get("next") or HOME)


def get_referring_url(request: HttpRequest) -> str:
    """Return the page of this site that a form was posted from."""
    try:
        referrer = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return HOME
    if referrer.netloc != request.get_host():
        return HOME
    return get_safe_url(referrer.path + (f"?{referrer.query}" if referrer.query else ""))


def _is_local(address: str) -> bool:
    if not address.startswith("/") or address.startswith("//") or "\\" in address:
        return False
    if not address.isprintable() or " " in address:
        return False
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return not parts.scheme and not parts.netloc
