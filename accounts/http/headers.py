"""Security headers of every response, whether a view, a middleware or the server itself made it.

`set_default_headers` adds those that a response lacks. `get_plain_page_headers` is the whole set for a
sentence that no middleware sees: a refusal of a crowd or of a large body, or a page that failed.
"""

from django.conf import settings
from django.http.response import HttpResponseBase

_PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()"


def get_default_headers() -> dict[str, str]:
    """Return the headers that pages, fragments, files and refusals have in common."""
    return {
        "Cache-Control": "no-store",
        "Cross-Origin-Opener-Policy": settings.SECURE_CROSS_ORIGIN_OPENER_POLICY,
        "Permissions-Policy": _PERMISSIONS,
        "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": settings.X_FRAME_OPTIONS,
    }


def set_default_headers(response: HttpResponseBase) -> None:
    """Add the headers that a response lacks; static files keep their own cache age."""
    for name, value in get_default_headers().items():
        response.headers.setdefault(name, value)


def get_plain_page_headers() -> dict[str, str]:
    """Return the headers of a response that shows a sentence and loads nothing."""
    return {**get_default_headers(), "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}
