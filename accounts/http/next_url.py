r"""The redirect target after a sign-in: the requested page if it is a page of this site, else the home page.

A browser treats `//host`, `/\host` and, since it drops tabs and line breaks, `/<tab>/host` as URLs of another
site (open redirect). Such a URL is not accepted, before or after decoding.
"""

from urllib.parse import unquote, urlsplit

from django.http import HttpRequest
from django.urls import Resolver404, resolve
from django.utils.http import url_has_allowed_host_and_scheme

HOME = "/"
_MAX_LENGTH = 2000
# Going on to these would lead back to signing in, or out again.
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
    """Return the URL if it is a page of this site, else the home page."""
    if len(address) > _MAX_LENGTH or not _is_local(address) or not _is_local(unquote(address)):
        return HOME
    try:
        name = resolve(urlsplit(address).path).url_name
    except (Resolver404, ValueError):
        return HOME
    return HOME if name in _AUTH_URL_NAMES else address


def get_next_url(request: HttpRequest) -> str:
    """Return the URL in the parameter `next` of a request if it is safe, else the home page."""
    return get_safe_url(request.POST.get("next") or request.GET.get("next") or HOME)


def get_referring_url(request: HttpRequest) -> str:
    """Return the path of the page that sent a form; for a page of another site, return the home page."""
    try:
        referrer = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return HOME
    if referrer.netloc != request.get_host():
        return HOME
    return get_safe_url(referrer.path + (f"?{referrer.query}" if referrer.query else ""))


def _is_local(address: str) -> bool:
    is_plain = address.startswith("/") and address.isprintable() and " " not in address
    return is_plain and url_has_allowed_host_and_scheme(address, allowed_hosts=None)
