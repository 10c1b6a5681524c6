"""Security headers of every response, whether a view, a middleware or the server itself created it.

`set_default_headers` adds the headers that a response lacks. `get_plain_page_headers` returns all headers for
a response outside the middleware: the server is busy, the body is too large, or a page failed.
"""

from django.conf import settings
from django.http.response import HttpResponseBase

_PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()"


def get_default_headers() -> dict[str, str]:
    """Return the headers that all responses have in common."""
    return {
        "Cache-Control": "no-store",
        "Cross-Origin-Opener-Policy": settings.SECURE_CROSS_ORIGIN_OPENER_POLICY,
        "Permissions-Policy": _PERMISSIONS,
        "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": settings.X_FRAME_OPTIONS,
    }


def set_default_headers(response: HttpResponseBase) -> None:
    """Add the default headers that a response lacks; static files keep their own `Cache-Control`."""
    for name, value in get_default_headers().items():
        response.headers.setdefault(name, value)


def get_plain_page_headers() -> dict[str, str]:
    """Return the headers of a page that loads no other files, such as an error page."""
    return {**get_default_headers(), "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}
