"""What every answer tells the browser, whoever made it: a view, a middleware, the server before either ran.

`complete` fills in what a page lacks. `bare` is the whole set for a sentence that no middleware sees: refused
for a crowd, for its size, or because a page failed where no answer could be made.
"""

from django.conf import settings
from django.http.response import HttpResponseBase

_PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()"


def get_default_headers() -> dict[str, str]:
    """Return the headers that a page, a fragment, a file and a refusal have alike."""
    return {
        "Cache-Control": "no-store",
        "Cross-Origin-Opener-Policy": settings.SECURE_CROSS_ORIGIN_OPENER_POLICY,
        "Permissions-Policy": _PERMISSIONS,
        "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": settings.X_FRAME_OPTIONS,
    }


def set_default_headers(response: HttpResponseBase) -> None:
    """Fill in what a response lacks; static files keep the age they came with."""
    for name, value in get_default_headers().items():
        response.headers.setdefault(name, value)


def get_plain_page_headers() -> dict[str, str]:
    """Return the headers of an answer that shows a sentence and loads nothing."""
    return {**get_default_headers(), "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}
