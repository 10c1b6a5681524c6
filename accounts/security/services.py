"""What a person can do about their keys, each after giving their password again.

A new secret replaces its slot, key pair and all. The data key stays, so whoever has a copy of the old slot
and its secret could read on: that is why a new password can turn the key too, and `somebody_had_my_key` does.
Where other sessions end, the one that asks goes on with a new half: whoever copied its cookie is out as well.
"""

from dataclasses import dataclass, field

from accounts.auth.services.reauth import Reauthentication, reauthenticate
from accounts.keys import key_slots
from accounts.models import KeySlot, SignIn, SlotKind
from accounts.rotation import background
from accounts.rotation import services as rotation_services
from accounts.rotation.epoch_change import BegunRotation, RefusedSlot, begin_rotation
from accounts.sessions import services as sessions_services
from accounts.sessions.cookies import SessionCookie
from llamora import crypto
from llamora.crypto import Keyring, Slot
from llamora.database import truncate_wal, write_transaction


@dataclass(frozen=True, kw_only=True)
class SecurityChange:
    """What became of it: a code to show once, a new cookie for the browser, slots that were given nothing."""

    recovery_code: str | None = field(default=None, repr=False)
    cookie: SessionCookie | None = field(default=None, repr=False)
    refused_slots: tuple[RefusedSlot, ...] = ()


def replace_recovery_code(asked: Reauthentication, *, end_others: bool = False) -> SecurityChange:
    """Replace the recovery code; it is shown once and stored nowhere. Raise as `turn_key` does."""
    with reauthenticate(asked) as opened:
        code, slot = _create_recovery_slot(opened, asked)
        with write_transaction():
            key_slots.replace_slots(opened.keyring, by=[slot])
            cookie = _end_other_sessions(opened.keyring, asked) if end_others else None
    truncate_wal()
    return SecurityChange(recovery_code=code, cookie=cookie)


def replace_password(
    asked: Reauthentication, *, new_password: str, end_others: bool = False, turn: bool = False
) -> SecurityChange:
    """Replace the password; with `turn`, in the same commit as a new data key. Raise as `turn_key` does."""
    with reauthenticate(asked) as opened:
        slot = _create_slot(opened, asked, kind=SlotKind.PASSWORD, secret=new_password)
        with write_transaction():
            key_slots.replace_slots(opened.keyring, by=[slot])
            turned = _begin_rotation(opened, asked, by=slot) if turn else None
            now = turned.keyring if turned else opened.keyring
            cookie = _end_other_sessions(now, asked) if end_others or turn else None
    return _finish_change(turned, cookie=cookie)


def rotate_data_key(asked: Reauthentication) -> SecurityChange:
    """Give the diary a new data key; every other session ends.

    Raise OtherPerson, WrongSecret, TooSoon, Busy, NotWritten or one of RotationError.
    """
    with reauthenticate(asked) as opened, write_transaction():
        turned = _begin_rotation(opened, asked, by=opened.slot)
        cookie = _end_other_sessions(turned.keyring, asked)
    return _finish_change(turned, cookie=cookie)


def reset_after_compromise(asked: Reauthentication, *, new_password: str) -> SecurityChange:
    """Leave no way in but a new password and a new code, and turn the key, in one commit.

    An unfinished rotation is finished first, so that no key from before it is kept. Raise as `turn_key` does.
    """
    with reauthenticate(asked) as opened:
        if rotation_services.is_rotation_unfinished(opened.keyring):
            rotation_services.resume_rotation(opened.keyring)
        code, of_code = _create_recovery_slot(opened, asked)
        of_password = _create_slot(opened, asked, kind=SlotKind.PASSWORD, secret=new_password)
        with write_transaction():
            KeySlot.objects.filter(owner_id=opened.keyring.owner).delete()
            key_slots.replace_slots(opened.keyring, by=[of_password, of_code])
            turned = _begin_rotation(opened, asked, by=of_password)
            cookie = _end_other_sessions(turned.keyring, asked)
    return _finish_change(turned, code=code, cookie=cookie)


def _create_slot(
    opened: key_slots.OpenedSlot, asked: Reauthentication, *, kind: SlotKind, secret: str
) -> Slot:
    request = key_slots.DerivationRequest(name=opened.person.name, address=asked.address)
    return key_slots.create_slot(secret=secret, kind=kind, keyring=opened.keyring, request=request)


def _create_recovery_slot(opened: key_slots.OpenedSlot, asked: Reauthentication) -> tuple[str, Slot]:
    code = crypto.new_recovery_code()
    secret = crypto.parse_recovery_code(code)
    return code, _create_slot(opened, asked, kind=SlotKind.RECOVERY, secret=secret)


def _end_other_sessions(keyring: Keyring, asked: Reauthentication) -> SessionCookie | None:
    """End every other session, and every copy of this one's cookie; return the cookie it goes on with."""
    here = asked.cookie.sign_in_id
    sessions_services.end_sessions(person_id=keyring.owner, but=here)
    try:
        return sessions_services.unlock_session(sign_in_id=here, keyring=keyring)
    except SignIn.DoesNotExist:
        return None  # ended while the password was being checked


def _begin_rotation(opened: key_slots.OpenedSlot, asked: Reauthentication, *, by: Slot) -> BegunRotation:
    way_in = key_slots.OpenedSlot(person=opened.person, slot=by, keyring=opened.keyring)
    return begin_rotation(way_in, here=asked.cookie)


def _finish_change(
    turned: BegunRotation | None, *, cookie: SessionCookie | None, code: str | None = None
) -> SecurityChange:
    """Leave the rest of a rotation to its thread, once all is committed."""
    truncate_wal()
    if turned is None:
        return SecurityChange(recovery_code=code, cookie=cookie)
    background.start(turned.keyring)
    turned.keyring.close()
    return SecurityChange(recovery_code=code, cookie=cookie, refused_slots=turned.refused_slots)
