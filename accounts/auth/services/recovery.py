"""Account recovery: a recovery code opens the vault; then code, password and data key are all replaced."""

from dataclasses import dataclass, field

from accounts.auth.services.login import open_slot_throttled, start_session_if_possible
from accounts.http.request import NOBODY, RequestVault
from accounts.models import Person, SlotKind
from accounts.rotation.background import start_rotation_thread
from accounts.rotation.epoch_change import begin_rotation
from accounts.rotation.errors import refuse_failed_rotation
from accounts.sessions.cookies import SessionCookie
from llamora import crypto
from llamora.database import truncate_wal


@dataclass(frozen=True, kw_only=True)
class RecoveredAccount:
    """Result of a recovery: the person, their new session, and their new recovery code."""

    person: Person
    cookie: SessionCookie | None
    recovery_code: str = field(repr=False)


def recover_account(
    *,
    name: str,
    code: str,
    new_password: str,
    address: str,
    device: str = "",
    request_vault: RequestVault = NOBODY,
) -> RecoveredAccount:
    """Replace both key slots and the data key in one transaction, and end every session of the person.

    Raise BadRecoveryCode if the code is malformed, or an error of `sign_in_with_password`.
    """
    secret = crypto.parse_recovery_code(code)
    person = Person.objects.find_by_name(name)
    with open_slot_throttled(
        "recover", person=person, name=name, address=address, slot_kind=SlotKind.RECOVERY, secret=secret
    ) as opened:
        new_code = crypto.new_recovery_code()
        secrets = {SlotKind.PASSWORD: new_password, SlotKind.RECOVERY: crypto.parse_recovery_code(new_code)}
        with refuse_failed_rotation():
            begun = begin_rotation(opened, new_secrets=secrets)
        truncate_wal()
        start_rotation_thread(begun.keyring)
        try:
            cookie = start_session_if_possible(
                opened.person, begun.keyring, device=device, request_vault=request_vault
            )
        finally:
            begun.keyring.close()
    return RecoveredAccount(person=opened.person, cookie=cookie, recovery_code=new_code)
