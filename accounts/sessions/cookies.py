"""The session cookie and the messages cookie.

The session cookie holds, in base64url:

16 bytes  id of the SignIn row
32 bytes  cookie half: one of the three parts of the key that seals the data key for this browser

The messages cookie is for Django's flash messages. It has a special name, because browsers share cookies
between the ports of a host.
"""

import base64
import binascii
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpRequest, HttpResponse

COOKIE_HALF_LENGTH = 32


class MessageCookieStorage(CookieStorage):
    """Django's cookie storage for flash messages, with another cookie name."""

    cookie_name = "llamora_said"


@dataclass(frozen=True)
class SessionCookie:
    """The content of a session cookie."""

    sign_in_id: UUID
    half: bytes = field(repr=False)

    def encode(self) -> str:
        """Return the cookie's value."""
        return base64.urlsafe_b64encode(self.sign_in_id.bytes + self.half).decode("ascii")


def parse_cookie(value: str) -> SessionCookie | None:
    """Return the session cookie that this value encodes, or None if the value is malformed."""
    try:
        raw = base64.b64decode(value.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    if len(raw) != 16 + COOKIE_HALF_LENGTH:
        return None
    return SessionCookie(UUID(bytes=raw[:16]), raw[16:])


def get_cookie_name(*, secure: bool) -> str:
    """Return the cookie's name; over https with the prefix `__Host-`, so that browsers refuse forged ones."""
    return f"__Host-{settings.SESSION_COOKIE}" if secure else str(settings.SESSION_COOKIE)


def get_session_cookie(request: HttpRequest) -> SessionCookie | None:
    """Return the session cookie of a request, or None."""
    value = request.COOKIES.get(get_cookie_name(secure=request.is_secure()), "")
    return parse_cookie(value) if value else None


def set_cookie(
    response: HttpResponse, cookie: SessionCookie, *, secure: bool, age: timedelta | None = None
) -> None:
    """Set the session cookie in a response.

    Without `age`, the cookie expires when the browser is closed.
    """
    response.set_cookie(
        get_cookie_name(secure=secure),
        cookie.encode(),
        max_age=age,
        secure=secure,
        httponly=True,
        samesite="Lax",
        path="/",
    )


def delete_cookies(request: HttpRequest, response: HttpResponse) -> None:
    """Delete our cookies and the browser's cached pages, but no cookies of other sites on this host."""
    secure = request.is_secure()
    for name in (get_cookie_name(secure=secure), settings.CSRF_COOKIE_NAME, MessageCookieStorage.cookie_name):
        response.set_cookie(
            name,
            "",
            max_age=0,
            expires="Thu, 01 Jan 1970 00:00:00 GMT",
            secure=secure,
            samesite="Lax",
            path="/",
        )
    clear_cache(response)


def clear_cache(response: HttpResponse) -> None:
    """Make the browser delete cached pages, but not cookies or storage, which other sites may use."""
    response["Clear-Site-Data"] = '"cache"'
