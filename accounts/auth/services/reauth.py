"""Re-authentication: a person enters their current password again before keys or the account change."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from accounts.auth.services.login import open_slot_throttled
from accounts.errors import WrongPerson
from accounts.http.request import RequestVault
from accounts.keys import key_slots
from accounts.models import SlotKind
from accounts.sessions.cookies import SessionCookie


@dataclass(frozen=True, kw_only=True)
class Reauthentication:
    """The current session and the password that was entered again."""

    vault: RequestVault
    cookie: SessionCookie = field(repr=False)
    password: str = field(repr=False)
    address: str


@contextmanager
def reauthenticate(reauthentication: Reauthentication) -> Iterator[key_slots.OpenedSlot]:
    """Yield the person's key slot, opened with their password.

    The keyring of the slot is closed at the end of the `with` block. Raise WrongPerson if the cookie is not
    of the current session, or an error of `sign_in_with_password`.
    """
    person, sign_in_id = reauthentication.vault.person, reauthentication.vault.sign_in_id
    if person is None or sign_in_id is None or sign_in_id != reauthentication.cookie.sign_in_id:
        raise WrongPerson
    with open_slot_throttled(
        "secure",
        person=person,
        name=person.name,
        address=reauthentication.address,
        slot_kind=SlotKind.PASSWORD,
        secret=reauthentication.password,
        throttle_key=str(sign_in_id),
    ) as opened:
        yield opened
