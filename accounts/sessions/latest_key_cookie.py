"""The cookie that identifies the latest data key seen by a browser, to detect a database rollback.

Anyone who can write to the database can restore all rows of a person to an earlier state, in which their old
password and recovery code are valid. The database cannot show this, but a browser in which the person
unlocked their diary later can:

    name     "llamora_latest_" | 8 hexadecimal digits of HMAC-SHA256(secret key, person's id)
    value    epoch, decimal | "." | 8 bytes of the key's fingerprint, hexadecimal
             | "." | HMAC-SHA256(secret key, person's id, epoch and fingerprint), hexadecimal

It contains no name and opens nothing. If a sign-in or unlock opens a key of an earlier epoch than the cookie,
or another key of the same epoch, the page asks whether a backup was restored.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.errors import DiaryRolledBack
from accounts.keys.key_checks import find_newest_row
from accounts.models import Unlock
from accounts.sessions.registry import session_registry
from llamora.crypto import KeyId, Keyring

_AGE = timedelta(days=400)
_PREFIX = "llamora_latest_"
_SALT = "llamora.latest_key"
_PRINT_BYTES = 8
_DATED = 7  # the version of UUIDs that begin with a time


def set_latest_key_cookie(request: HttpRequest, response: HttpResponse, *, sign_in_id: UUID) -> None:
    """Set a cookie with the epoch and a fingerprint of the latest data key, but without the key.

    Call it when the diary was just unlocked in the browser.
    """
    key_id = session_registry.find_key_id(sign_in_id)
    epoch = Unlock.objects.filter(sign_in_id=sign_in_id).values_list("epoch", flat=True).first()
    if key_id is None or epoch is None:
        return
    response.set_cookie(
        _get_name(key_id.owner),
        _encode(key_id, epoch),
        max_age=_AGE,
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
        path="/",
    )


def check_not_rolled_back(cookies: Mapping[str, str], keyring: Keyring) -> None:
    """Raise DiaryRolledBack if this browser has seen a later data key than that of the keyring.

    Raise it also if the browser has seen another key of the same epoch.
    """
    value = cookies.get(_get_name(keyring.owner), "")
    epoch, _, rest = value.partition(".")
    fingerprint = rest.partition(".")[0]
    mac = _compute_mac(keyring.owner, epoch, fingerprint)
    if not epoch.isdecimal() or not constant_time_compare(value, f"{epoch}.{fingerprint}.{mac}"):
        return
    is_same = fingerprint == _get_fingerprint(keyring.key_id)
    if int(epoch) > keyring.epoch or (int(epoch) == keyring.epoch and not is_same):
        raise DiaryRolledBack(_find_newest_day(keyring.owner))


def _find_newest_day(owner: UUID) -> date | None:
    """Return the day on which the newest row of a person was written, in UTC; None if there is none."""
    newest = find_newest_row(owner)
    # The first 48 bits of a UUID of version 7 are milliseconds.
    if newest is None or newest.version != _DATED:
        return None
    return datetime.fromtimestamp((newest.int >> 80) / 1000, tz=UTC).date()


def _encode(key_id: KeyId, epoch: int) -> str:
    fingerprint = _get_fingerprint(key_id)
    return f"{epoch}.{fingerprint}.{_compute_mac(key_id.owner, str(epoch), fingerprint)}"


def _get_fingerprint(key_id: KeyId) -> str:
    return key_id.fingerprint[:_PRINT_BYTES].hex()


def _get_name(owner: UUID) -> str:
    return _PREFIX + salted_hmac(_SALT, owner.hex, algorithm="sha256").hexdigest()[:8]


def _compute_mac(owner: UUID, epoch: str, fingerprint: str) -> str:
    return salted_hmac(_SALT, f"{owner.hex}.{epoch}.{fingerprint}", algorithm="sha256").hexdigest()
