"""What a person can do about their keys, each after giving their password again.

A new secret replaces its slot, key pair and all. The data key stays, so whoever has a copy of the old slot
and its secret could read on: that is why a new password can turn the key too, and `somebody_had_my_key` does.
Where other sessions end, the one that asks goes on with a new half: whoever copied its cookie is out as well.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from accounts import keys, rotation, sessions
from accounts.cookies import SessionCookie
from accounts.errors import OtherPerson
from accounts.models import KeySlot, SignIn, SlotKind
from accounts.rotation import RefusedSlot, background
from accounts.services.entering import opening
from accounts.turnstile import turnstile
from accounts.vault import RequestVault
from llamora import crypto
from llamora.crypto import Keyring, Slot
from llamora.database import writing


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The browser that asks, and the password just typed into it."""

    vault: RequestVault
    cookie: SessionCookie = field(repr=False)
    password: str = field(repr=False)
    address: str


@dataclass(frozen=True, kw_only=True)
class Secured:
    """What became of it: a code to show once, a new cookie for the browser, slots that were given nothing."""

    recovery_code: str | None = field(default=None, repr=False)
    cookie: SessionCookie | None = field(default=None, repr=False)
    refused: tuple[RefusedSlot, ...] = ()


def new_recovery_code(asked: Asked, *, end_others: bool = False) -> Secured:
    """Replace the recovery code; it is shown once and stored nowhere. Raise as `turn_key` does."""
    with reopened(asked) as opened:
        code, slot = _new_code(opened, asked)
        with writing():
            keys.replace_slots(opened.keyring, by=[slot])
            cookie = _end_others(opened.keyring, asked) if end_others else None
    keys.leave_no_trace()
    return Secured(recovery_code=code, cookie=cookie)


def change_password(
    asked: Asked, *, new_password: str, end_others: bool = False, turn: bool = False
) -> Secured:
    """Replace the password; with `turn`, in the same commit as a new data key. Raise as `turn_key` does."""
    with reopened(asked) as opened:
        slot = _slot(opened, asked, kind=SlotKind.PASSWORD, secret=new_password)
        with writing():
            keys.replace_slots(opened.keyring, by=[slot])
            turned = _turn(opened, asked, by=slot) if turn else None
            now = turned.keyring if turned else opened.keyring
            cookie = _end_others(now, asked) if end_others or turn else None
    return _done(turned, cookie=cookie)


def turn_key(asked: Asked) -> Secured:
    """Give the diary a new data key; every other session ends.

    Raise OtherPerson, WrongSecret, TooSoon, Busy, NotWritten or one of RotationError.
    """
    with reopened(asked) as opened, writing():
        turned = _turn(opened, asked, by=opened.slot)
        cookie = _end_others(turned.keyring, asked)
    return _done(turned, cookie=cookie)


def somebody_had_my_key(asked: Asked, *, new_password: str) -> Secured:
    """Leave no way in but a new password and a new code, and turn the key, in one commit.

    An unfinished rotation is finished first, so that no key from before it is kept. Raise as `turn_key` does.
    """
    with reopened(asked) as opened:
        if rotation.is_unfinished(opened.keyring):
            with turnstile.aside():
                rotation.go_on(opened.keyring)
        code, of_code = _new_code(opened, asked)
        of_password = _slot(opened, asked, kind=SlotKind.PASSWORD, secret=new_password)
        with writing():
            KeySlot.objects.filter(owner_id=opened.keyring.owner).delete()
            keys.replace_slots(opened.keyring, by=[of_password, of_code])
            turned = _turn(opened, asked, by=of_password)
            cookie = _end_others(turned.keyring, asked)
    return _done(turned, code=code, cookie=cookie)


@contextmanager
def reopened(asked: Asked) -> Iterator[keys.Opened]:
    """Yield the slot of whoever asks, opened by the password they gave again; its keyring is closed after.

    Raise OtherPerson, WrongSecret, TooSoon or Busy.
    """
    person, sign_in_id = asked.vault.person, asked.vault.sign_in_id
    if person is None or sign_in_id is None or sign_in_id != asked.cookie.sign_in_id:
        raise OtherPerson
    with opening(
        "secure",
        person=person,
        name=person.name,
        address=asked.address,
        by=SlotKind.PASSWORD,
        secret=asked.password,
        place=str(sign_in_id),
    ) as opened:
        yield opened


def _slot(opened: keys.Opened, asked: Asked, *, kind: SlotKind, secret: str) -> Slot:
    asking = keys.Asking(name=opened.person.name, address=asked.address)
    return keys.make_slot(secret=secret, kind=kind, keyring=opened.keyring, asking=asking)


def _new_code(opened: keys.Opened, asked: Asked) -> tuple[str, Slot]:
    code = crypto.new_recovery_code()
    secret = crypto.parse_recovery_code(code)
    return code, _slot(opened, asked, kind=SlotKind.RECOVERY, secret=secret)


def _end_others(keyring: Keyring, asked: Asked) -> SessionCookie | None:
    """End every other session, and every copy of this one's cookie; return the cookie it goes on with."""
    here = asked.cookie.sign_in_id
    sessions.end_all(person_id=keyring.owner, but=here)
    try:
        return sessions.unlock(sign_in_id=here, keyring=keyring)
    except SignIn.DoesNotExist:
        return None  # ended while the password was being checked


def _turn(opened: keys.Opened, asked: Asked, *, by: Slot) -> rotation.Turned:
    way_in = keys.Opened(person=opened.person, slot=by, keyring=opened.keyring)
    return rotation.turn(way_in, here=asked.cookie)


def _done(
    turned: rotation.Turned | None, *, cookie: SessionCookie | None, code: str | None = None
) -> Secured:
    """Leave the rest of a rotation to its thread, once all is committed."""
    keys.leave_no_trace()
    if turned is None:
        return Secured(recovery_code=code, cookie=cookie)
    background.start(turned.keyring)
    turned.keyring.close()
    return Secured(recovery_code=code, cookie=cookie, refused=turned.refused)
