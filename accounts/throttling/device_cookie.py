"""A browser that its person has signed in with before is counted by itself, not by its address.

Housemates often share an address (one computer, one proxy), so that one could keep another waiting there by
typing wrong passwords for their name. This cookie sets apart the browser of somebody who asked to be kept
signed in on it; it stays when they sign out. Elsewhere nothing is left behind, and the delay is half a
minute at most. It lets nobody in, names nobody, and is good for one person only:

    nonce, 32 hexadecimal digits | "." | HMAC-SHA256(secret key, nonce and the person's id), hexadecimal
"""

from datetime import timedelta
from uuid import UUID

from django.http import HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac

from llamora.crypto import secret_bytes

COOKIE_NAME = "llamora_known"
_AGE = timedelta(days=365)


def set_device_cookie(response: HttpResponse, *, person_id: UUID, secure: bool) -> None:
    """Set the cookie in the browser of a person who has just come in and calls it their own."""
    nonce = secret_bytes(16).hex()
    value = f"{nonce}.{_mac(nonce, person_id)}"
    response.set_cookie(
        COOKIE_NAME, value, max_age=_AGE, secure=secure, httponly=True, samesite="Lax", path="/sign-in/"
    )


def delete_device_cookie(response: HttpResponse) -> None:
    """Take the cookie back from a browser whose person is gone."""
    response.delete_cookie(COOKIE_NAME, path="/sign-in/", samesite="Lax")


def get_throttle_key(value: str, *, person_id: UUID) -> str:
    """Return what to count instead of the address; nothing where the cookie is not this person's."""
    nonce, _, mac = value.partition(".")
    return f"browser {nonce}" if constant_time_compare(mac, _mac(nonce, person_id)) else ""


def _mac(nonce: str, person_id: UUID) -> str:
    return salted_hmac("llamora.known_browser", f"{nonce}.{person_id.hex}", algorithm="sha256").hexdigest()
