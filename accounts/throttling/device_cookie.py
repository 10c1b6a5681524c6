"""Device cookie: failed sign-ins from a recognised browser are throttled separately from its IP address.

People of a household often share an address (one computer, one proxy), so one of them could delay another
person by typing wrong passwords for that person's name. The cookie is set when a person signs in and asks to
stay signed in; it remains when they sign out. A browser without the cookie waits for half a minute at most.
The cookie does not sign anybody in, contains no name, and is valid for one person only:

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
    """Set the device cookie after a sign-in in which the person asked to stay signed in."""
    nonce = secret_bytes(16).hex()
    value = f"{nonce}.{_compute_mac(nonce, person_id)}"
    response.set_cookie(
        COOKIE_NAME, value, max_age=_AGE, secure=secure, httponly=True, samesite="Lax", path="/sign-in/"
    )


def delete_device_cookie(response: HttpResponse) -> None:
    """Delete the device cookie after the person has deleted their account."""
    response.delete_cookie(COOKIE_NAME, path="/sign-in/", samesite="Lax")


def get_throttle_key(value: str, *, person_id: UUID) -> str:
    """Return the key under which attempts of a recognised browser are counted.

    Return "" if the device cookie is invalid or belongs to another person.
    """
    nonce, _, mac = value.partition(".")
    return f"browser {nonce}" if constant_time_compare(mac, _compute_mac(nonce, person_id)) else ""


def _compute_mac(nonce: str, person_id: UUID) -> str:
    return salted_hmac("llamora.known_browser", f"{nonce}.{person_id.hex}", algorithm="sha256").hexdigest()
