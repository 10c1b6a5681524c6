"""A forgotten password: the recovery code opens the vault, and both ways in are made anew."""

from dataclasses import dataclass, field

from accounts import keys, sessions
from accounts.cookies import SessionCookie
from accounts.models import Person, SlotKind
from accounts.services.entering import admitted, opening
from accounts.vault import NOBODY, RequestVault
from llamora import crypto
from llamora.crypto import Keyring
from llamora.database import writing


@dataclass(frozen=True, kw_only=True)
class Recovered:
    """Somebody back in, with the code that replaces the one they used."""

    person: Person
    cookie: SessionCookie | None
    recovery_code: str = field(repr=False)


def recover(
    *, name: str, code: str, new_password: str, address: str, device: str = "", here: RequestVault = NOBODY
) -> Recovered:
    """Replace both slots in one commit and end every other session.

    Raise BadRecoveryCode for what is no code at all, else as `sign_in`.
    """
    secret = crypto.parse_recovery_code(code)
    person = Person.objects.by_name(name)
    with opening(
        "recover", person=person, name=name, address=address, by=SlotKind.RECOVERY, secret=secret
    ) as opened:
        new_code = crypto.new_recovery_code()
        asking = keys.Asking(name=name, address=address)
        secrets = {SlotKind.PASSWORD: new_password, SlotKind.RECOVERY: crypto.parse_recovery_code(new_code)}
        _replace(opened.keyring, secrets=secrets, asking=asking)
        cookie = admitted(opened.person, opened.keyring, device=device, here=here)
    keys.leave_no_trace()
    return Recovered(person=opened.person, cookie=cookie, recovery_code=new_code)


def _replace(keyring: Keyring, *, secrets: dict[SlotKind, str], asking: keys.Asking) -> None:
    slots = [
        keys.make_slot(secret=s, kind=kind, keyring=keyring, asking=asking) for kind, s in secrets.items()
    ]
    with writing():
        keys.replace_slots(keyring, by=slots)
        sessions.end_all(person_id=keyring.owner)
