"""Changes of a person's secrets and data key, each after re-authentication.

Every new secret rotates the data key, so that the replaced slot, and copies of it, cannot open later rows.
All other sessions end, and the current session gets a new cookie, so that a stolen copy of the old cookie is
invalid.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from accounts.auth.services.reauth import Reauthentication, reauthenticate
from accounts.keys import key_slots
from accounts.models import SignIn, SlotKind
from accounts.remote_hosts import services as remote_hosts
from accounts.remote_hosts.services import AgreedHost
from accounts.rotation import background
from accounts.rotation.epoch_change import BegunRotation, begin_rotation
from accounts.rotation.errors import LateRows, UnreadableFormerKey
from accounts.rotation.services import is_rotation_unfinished, resume_rotation
from accounts.sessions.cookies import SessionCookie
from accounts.sessions.services import end_sessions, unlock_session
from llamora import crypto
from llamora.crypto import Keyring, in_force
from llamora.database import truncate_wal, write_transaction


@dataclass(frozen=True, kw_only=True)
class SecurityChange:
    """The result of a change of secrets or of the data key.

    It contains a new recovery code, a new session cookie, the slots without the new data key, and the hosts
    for which consents were withdrawn, each if there are any.
    """

    recovery_code: str | None = field(default=None, repr=False)
    cookie: SessionCookie | None = field(default=None, repr=False)
    refused_slots: tuple[key_slots.RefusedSlot, ...] = ()
    withdrawn_hosts: tuple[AgreedHost, ...] = ()


def replace_recovery_code(reauthentication: Reauthentication) -> SecurityChange:
    """Replace the recovery code and the data key; raise the errors of `rotate_data_key`."""
    code = crypto.new_recovery_code()
    secrets = {SlotKind.RECOVERY: crypto.parse_recovery_code(code)}
    with reauthenticate(reauthentication) as opened:
        return _change(opened, reauthentication, new_secrets=secrets, code=code)


def replace_password(reauthentication: Reauthentication, *, new_password: str) -> SecurityChange:
    """Replace the password and the data key; raise the errors of `rotate_data_key`."""
    with reauthenticate(reauthentication) as opened:
        return _change(opened, reauthentication, new_secrets={SlotKind.PASSWORD: new_password})


def rotate_data_key(reauthentication: Reauthentication) -> SecurityChange:
    """Replace the data key and end all other sessions.

    Raise NotWritten, a RotationError, or an error of `reauthenticate`.
    """
    with reauthenticate(reauthentication) as opened:
        return _change(opened, reauthentication)


def reset_after_compromise(reauthentication: Reauthentication, *, new_password: str) -> SecurityChange:
    """Replace both key slots and the data key in one transaction, with a new password and recovery code.

    The same transaction withdraws all consents to remote hosts, which an attacker may have given, and deletes
    the person's own API keys for them, which an attacker may have read. An unfinished rotation is finished
    first, so that its former key is destroyed; an unreadable former key, or a program that still writes under
    one, does not prevent the reset. Raise the errors of `rotate_data_key`.
    """
    code = crypto.new_recovery_code()
    secrets = {SlotKind.PASSWORD: new_password, SlotKind.RECOVERY: crypto.parse_recovery_code(code)}
    with reauthenticate(reauthentication) as opened:
        if is_rotation_unfinished(opened.keyring):
            with suppress(UnreadableFormerKey, LateRows):
                resume_rotation(opened.keyring)
        return _change(opened, reauthentication, new_secrets=secrets, code=code, is_compromised=True)


def _change(
    opened: key_slots.OpenedSlot,
    reauthentication: Reauthentication,
    *,
    new_secrets: Mapping[SlotKind, str] | None = None,
    code: str | None = None,
    is_compromised: bool = False,
) -> SecurityChange:
    """Begin a rotation with new secrets, renew this session, and finish the rotation in a thread."""
    withdrawn: list[AgreedHost] = []
    with write_transaction():
        begun = begin_rotation(
            opened,
            new_secrets=new_secrets,
            current_cookie=reauthentication.cookie,
            leaves_other_slots=not is_compromised,
        )
        if is_compromised:
            with in_force(begun.keyring):
                withdrawn = remote_hosts.delete_all(begun.keyring.owner)
        cookie = _renew_session(begun.keyring, reauthentication)
    return _finish_change(begun, cookie=cookie, code=code, withdrawn=withdrawn)


def _renew_session(keyring: Keyring, reauthentication: Reauthentication) -> SessionCookie | None:
    """End all other sessions, and return a new cookie for the current one; its old cookie is invalid."""
    sign_in_id = reauthentication.cookie.sign_in_id
    end_sessions(person_id=keyring.owner, except_id=sign_in_id)
    try:
        return unlock_session(sign_in_id=sign_in_id, keyring=keyring)
    except SignIn.DoesNotExist:
        return None  # this session ended while the password was being checked


def _finish_change(
    begun: BegunRotation, *, cookie: SessionCookie | None, code: str | None, withdrawn: Sequence[AgreedHost]
) -> SecurityChange:
    truncate_wal()
    background.start_rotation_thread(begun.keyring)
    begun.keyring.close()
    return SecurityChange(
        recovery_code=code,
        cookie=cookie,
        refused_slots=begun.refused_slots,
        withdrawn_hosts=tuple(withdrawn),
    )
