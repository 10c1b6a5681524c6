"""People with diaries for these tests, let in by the services and not by pages."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from accounts.auth.services.registration import create_person
from accounts.keys import key_slots
from accounts.keys.keyrings import copy_with_former_key
from accounts.models import KeySlot, Person, SlotKind, Vault
from accounts.sessions import services as sessions_services
from accounts.sessions.cookies import SessionCookie
from diary.models import Draft, Entry, Reply
from llamora.crypto import Keyring, in_force, parse_recovery_code
from llamora.database import write_transaction
from llamora.fields import SealedModel, SealedValue

PASSWORD = "a quiet lamp by the window"
FIRST_DAY = date(2026, 1, 1)
COLUMNS: dict[type[SealedModel], tuple[str, ...]] = {
    Entry: ("text", "source"),
    Draft: ("text",),
    Reply: ("text",),
    Vault: ("private_key", "digest_key", "former_pair", "ways_in"),
}


@dataclass(kw_only=True)
class Diarist:
    """Somebody with a diary, and the secrets that open it."""

    person: Person
    code: str
    password: str = PASSWORD
    texts: dict[UUID, str] = field(default_factory=dict, repr=False)

    @property
    def id(self) -> UUID:
        return self.person.id

    def opens(self, *, by: SlotKind = SlotKind.PASSWORD) -> key_slots.OpenedSlot:
        """Open a slot with its secret; with the former key while a rotation is unfinished."""
        secret = self.password if by == SlotKind.PASSWORD else parse_recovery_code(self.code)
        request = key_slots.DerivationRequest(name=self.person.name, address="here")
        found = key_slots.open_slot(person=self.person, kind=by, secret=secret, request=request)
        return key_slots.OpenedSlot(
            person=found.person, slot=found.slot, keyring=copy_with_former_key(found.keyring)
        )

    def keyring(self) -> Keyring:
        return self.opens().keyring

    def signs_in(self) -> SessionCookie:
        return sessions_services.create_session(
            person=self.person, keyring=self.keyring(), is_persistent=False, device="a browser"
        )

    def slot(self, kind: SlotKind = SlotKind.PASSWORD) -> KeySlot:
        return KeySlot.objects.get(owner_id=self.id, kind=kind)

    def vault(self) -> Vault:
        return Vault.objects.get(owner_id=self.id)

    def writes(self, count: int) -> "Diarist":
        """Write entries, every third with a source and a draft, every second with a reply."""
        with in_force(self.keyring()), write_transaction():
            for number in range(len(self.texts), len(self.texts) + count):
                self._write(number)
        return self

    def writes_from(self, keyring: Keyring, text: str) -> Entry:
        """Write one entry with a keyring that is at hand."""
        with in_force(keyring), write_transaction():
            return Entry.objects.create(owner_id=self.id, day=FIRST_DAY, text=text)

    def _write(self, number: int) -> None:
        text, day = f"Entry {number} of {self.person.name}.", FIRST_DAY + timedelta(days=number)
        entry = Entry(owner_id=self.id, day=day, text=text)
        if number % 3 == 0:
            entry.source = b"line %d" % number
            Draft(owner_id=self.id, day=day, text=f"Draft {number}").save(force_insert=True)
        entry.save(force_insert=True)
        if number % 2 == 0:
            Reply(owner_id=self.id, entry=entry, text=f"Reply {number}").save(force_insert=True)
        self.texts[entry.id] = text

    def reads(self, keyring: Keyring | None = None) -> dict[UUID, str]:
        with in_force(keyring or self.keyring()):
            return {entry.id: entry.text for entry in Entry.objects.filter(owner_id=self.id)}

    def envelopes(self) -> list[bytes]:
        """All of this person's stored envelopes."""
        found: list[SealedValue | None] = []
        for model, columns in COLUMNS.items():
            for row in model._base_manager.filter(owner_id=self.id).values_list(*columns):
                found += row
        return [held.envelope for held in found if held is not None]

    def epochs(self) -> set[int]:
        return {int.from_bytes(envelope[1:5], "big") for envelope in self.envelopes()}


def diarist(name: str, *, entries: int = 0) -> Diarist:
    """A new person with a password, a recovery code and some entries; not signed in."""
    enrolled = create_person(
        name=name, password=PASSWORD, time_zone="Europe/Vienna", keeper=False, address=f"enrolling {name}"
    )
    found = Diarist(person=enrolled.person, code=enrolled.recovery_code)
    enrolled.keyring.close()
    return found.writes(entries)
