"""Account recovery: a recovery code opens the vault, and both key slots are replaced."""

from dataclasses import dataclass, field

from accounts.auth.services.login import open_slot_throttled, start_session_if_possible
from accounts.http.request import NOBODY, RequestVault
from accounts.keys import key_slots
from accounts.models import Person, SlotKind
from accounts.sessions import services as sessions_services
from accounts.sessions.cookies import SessionCookie
from llamora import crypto
from llamora.crypto import Keyring
from llamora.database import truncate_wal, write_transaction


@dataclass(frozen=True, kw_only=True)
class RecoveredAccount:
    """A recovered account: its person, their new session, and their new recovery code."""

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
    """Replace both key slots in one commit and end every other session of the person.

    Raise BadRecoveryCode if the code is malformed, or an error of `sign_in_with_password`.
    """
    secret = crypto.parse_recovery_code(code)
    person = Person.objects.find_by_name(name)
    with open_slot_throttled(
        "recover", person=person, name=name, address=address, slot_kind=SlotKind.RECOVERY, secret=secret
    ) as opened:
        new_code = crypto.new_recovery_code()
        request = key_slots.DerivationRequest(name=name, address=str(opened.person.id), is_recognised=True)
        secrets = {SlotKind.PASSWORD: new_password, SlotKind.RECOVERY: crypto.parse_recovery_code(new_code)}
        _replace_slots(opened.keyring, secrets=secrets, request=request)
        cookie = start_session_if_possible(
            opened.person, opened.keyring, device=device, request_vault=request_vault
        )
    truncate_wal()
    return RecoveredAccount(person=opened.person, cookie=cookie, recovery_code=new_code)


def _replace_slots(
    keyring: Keyring, *, secrets: dict[SlotKind, str], request: key_slots.DerivationRequest
) -> None:
    slots = [
        key_slots.create_slot(secret=s, kind=kind, keyring=keyring, request=request)
        for kind, s in secrets.items()
    ]
    with write_transaction():
        key_slots.replace_slots(keyring, new_slots=slots)
        sessions_services.end_sessions(person_id=keyring.owner)
