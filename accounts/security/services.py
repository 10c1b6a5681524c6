"""Changes to a person's secrets and data key, each after re-authentication.

A new secret replaces its key slot and the slot's key pair. The data key stays the same, so somebody with a
copy of the old slot and its secret could still decrypt the diary. Therefore a new password can rotate the
data key too, and `reset_after_compromise` always does. When other sessions end, the current session gets a
new cookie, so that a stolen copy of the old one is not valid any more.
"""

from dataclasses import dataclass, field

from accounts.auth.services.reauth import Reauthentication, reauthenticate
from accounts.keys import key_slots
from accounts.models import KeySlot, SignIn, SlotKind
from accounts.rotation import background
from accounts.rotation.epoch_change import BegunRotation, RefusedSlot, begin_rotation
from accounts.rotation.services import is_rotation_unfinished, resume_rotation
from accounts.sessions.cookies import SessionCookie
from accounts.sessions.services import end_sessions, unlock_session
from llamora import crypto
from llamora.crypto import Keyring, Slot
from llamora.database import truncate_wal, write_transaction


@dataclass(frozen=True, kw_only=True)
class SecurityChange:
    """The result of a change: a new recovery code, a new session cookie, slots without the new data key."""

    recovery_code: str | None = field(default=None, repr=False)
    cookie: SessionCookie | None = field(default=None, repr=False)
    refused_slots: tuple[RefusedSlot, ...] = ()


def replace_recovery_code(reauthentication: Reauthentication, *, end_others: bool = False) -> SecurityChange:
    """Replace the recovery code; raise the errors of `rotate_data_key`."""
    with reauthenticate(reauthentication) as opened:
        code, slot = _create_recovery_slot(opened)
        with write_transaction():
            key_slots.replace_slots(opened.keyring, new_slots=[slot])
            cookie = _end_other_sessions(opened.keyring, reauthentication) if end_others else None
    truncate_wal()
    return SecurityChange(recovery_code=code, cookie=cookie)


def replace_password(
    reauthentication: Reauthentication, *, new_password: str, end_others: bool = False, rotate: bool = False
) -> SecurityChange:
    """Replace the password, and with `rotate` the data key too; raise the errors of `rotate_data_key`."""
    with reauthenticate(reauthentication) as opened:
        slot = _create_slot(opened, kind=SlotKind.PASSWORD, secret=new_password)
        with write_transaction():
            key_slots.replace_slots(opened.keyring, new_slots=[slot])
            rotation = _begin_rotation(opened, reauthentication, by=slot) if rotate else None
            keyring = rotation.keyring if rotation else opened.keyring
            cookie = _end_other_sessions(keyring, reauthentication) if end_others or rotate else None
    return _finish_change(rotation, cookie=cookie)


def rotate_data_key(reauthentication: Reauthentication) -> SecurityChange:
    """Replace the data key and end all other sessions.

    Raise WrongPerson, WrongCredentials, TooManyAttempts, DerivationQueueFull, NotWritten or a RotationError.
    """
    with reauthenticate(reauthentication) as opened, write_transaction():
        rotation = _begin_rotation(opened, reauthentication, by=opened.slot)
        cookie = _end_other_sessions(rotation.keyring, reauthentication)
    return _finish_change(rotation, cookie=cookie)


def reset_after_compromise(reauthentication: Reauthentication, *, new_password: str) -> SecurityChange:
    """Replace both key slots with a new password and recovery code, and rotate the data key, in one commit.

    An unfinished rotation is finished first, so that its former key is deleted. Raise the errors of
    `rotate_data_key`.
    """
    with reauthenticate(reauthentication) as opened:
        if is_rotation_unfinished(opened.keyring):
            resume_rotation(opened.keyring)
        code, recovery_slot = _create_recovery_slot(opened)
        password_slot = _create_slot(opened, kind=SlotKind.PASSWORD, secret=new_password)
        with write_transaction():
            KeySlot.objects.filter(owner_id=opened.keyring.owner).delete()
            key_slots.replace_slots(opened.keyring, new_slots=[password_slot, recovery_slot])
            rotation = _begin_rotation(opened, reauthentication, by=password_slot)
            cookie = _end_other_sessions(rotation.keyring, reauthentication)
    return _finish_change(rotation, code=code, cookie=cookie)


def _create_slot(opened: key_slots.OpenedSlot, *, kind: SlotKind, secret: str) -> Slot:
    request = key_slots.DerivationRequest(
        name=opened.person.name, address=str(opened.person.id), is_recognised=True
    )
    return key_slots.create_slot(secret=secret, kind=kind, keyring=opened.keyring, request=request)


def _create_recovery_slot(opened: key_slots.OpenedSlot) -> tuple[str, Slot]:
    code = crypto.new_recovery_code()
    secret = crypto.parse_recovery_code(code)
    return code, _create_slot(opened, kind=SlotKind.RECOVERY, secret=secret)


def _end_other_sessions(keyring: Keyring, reauthentication: Reauthentication) -> SessionCookie | None:
    """End all other sessions, and return a new cookie for the current one; its old cookie is invalid."""
    sign_in_id = reauthentication.cookie.sign_in_id
    end_sessions(person_id=keyring.owner, except_id=sign_in_id)
    try:
        return unlock_session(sign_in_id=sign_in_id, keyring=keyring)
    except SignIn.DoesNotExist:
        return None  # this session ended while the password was being checked


def _begin_rotation(
    opened: key_slots.OpenedSlot, reauthentication: Reauthentication, *, by: Slot
) -> BegunRotation:
    slot = key_slots.OpenedSlot(person=opened.person, slot=by, keyring=opened.keyring)
    return begin_rotation(slot, current_cookie=reauthentication.cookie)


def _finish_change(
    rotation: BegunRotation | None, *, cookie: SessionCookie | None, code: str | None = None
) -> SecurityChange:
    """Start the thread that finishes a rotation, after the commit, and return the result of the change."""
    truncate_wal()
    if rotation is None:
        return SecurityChange(recovery_code=code, cookie=cookie)
    background.start_rotation_thread(rotation.keyring)
    rotation.keyring.close()
    return SecurityChange(recovery_code=code, cookie=cookie, refused_slots=rotation.refused_slots)
