"""A simulated thief with a copy of every secret, key, slot, cookie and session row, who tries all of them.

The expected state of the tests decides which secret may open which values, never the database. An attempt is
not repeated if nothing that it depends on has changed in the database.
"""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction
from django.db.models import Model

from accounts.auth.services import invitations
from accounts.errors import DamagedSlot, KeysDoNotMatch, WrongCredentials
from accounts.keys import key_slots
from accounts.models import KeySlot, SignIn, SlotKind, Unlock, Vault
from accounts.sessions import services as sessions_services
from accounts.sessions.cookies import SessionCookie
from llamora.crypto import CryptoError, Keyring, derive, open_slot
from tests.rotation.expected_state import ExpectedPerson, People, Sealed, derive_secret, open_slot_with_secret


def try_data_key(data_key: bytes, sealed: Sealed, *, owner: UUID) -> set[bytes]:
    """Return the sealed values that a data key opens, in any epoch."""
    epochs = {int.from_bytes(envelope[1:5], "big") for envelope, _ in sealed}
    keyring = Keyring(owner=owner, epoch=max(epochs), keys=dict.fromkeys(epochs, data_key))
    found = set()
    for envelope, context in sealed:
        with suppress(CryptoError):
            found.add(keyring.unseal(envelope, context))
    return found


@contextmanager
def rolled_back() -> Iterator[None]:
    """Run the block in a transaction that is rolled back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def copy_row(row: Model, *, epoch: int) -> Model:
    """Return a copy of a row with another epoch."""
    values = {each.attname: getattr(row, each.attname) for each in row._meta.concrete_fields}
    return type(row)(**{**values, "epoch": epoch})


def get_vault_state(person: ExpectedPerson) -> tuple[bytes, ...]:
    """Return all database values that decide how a person's vault opens."""
    vault = Vault.objects.get(owner_id=person["id"])
    listed = vault.__dict__["ways_in"]
    macs = sorted(bytes(slot.mac) for slot in KeySlot.objects.filter(owner_id=person["id"]))
    return (vault.epoch.to_bytes(4, "big"), listed.envelope if listed else b"", *macs)


@dataclass
class Thief:
    """All secrets and rows that ever existed, and the attempts to use them."""

    secrets: dict[SlotKind, set[str]] = field(default_factory=lambda: {kind: set() for kind in SlotKind})
    data_keys: set[bytes] = field(default_factory=set)
    slots: dict[bytes, tuple[KeySlot, str]] = field(default_factory=dict)
    cookies: set[SessionCookie] = field(default_factory=set)
    unlocked: dict[bytes, tuple[SignIn, Unlock, SessionCookie, bytes]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    _tried: set[Hashable] = field(default_factory=set)

    def copy_everything(self, people: People) -> None:
        """Copy all current secrets and rows."""
        for person in people.values():
            self.data_keys.add(person["data_key"])
            self.cookies |= set(person["browsers"])
            for kind in SlotKind:
                self.secrets[kind].add(derive_secret(person, kind))
            for slot in KeySlot.objects.filter(owner_id=person["id"]):
                self.slots.setdefault(bytes(slot.mac), (slot, derive_secret(person, SlotKind(slot.kind))))
            unlocks = Unlock.objects.filter(sign_in__person_id=person["id"]).select_related("sign_in")
            by_id = {cookie.sign_in_id: cookie for cookie in person["browsers"]}
            assert {unlock.sign_in_id for unlock in unlocks} <= set(by_id)
            for unlock in unlocks:
                taken = (unlock.sign_in, unlock, by_id[unlock.sign_in_id], person["data_key"])
                self.unlocked.setdefault(bytes(unlock.wrapped_dek), taken)

    def try_everything(self, people: People, *, sealed: dict[UUID, Sealed]) -> None:
        """Try all secrets and rows; fail if one opens more than it should."""
        assert not any(invitations.is_valid_invitation(token) for token in self.tokens)
        self._try_cookies(people)
        for person in people.values():
            now = get_vault_state(person)
            self._try_secrets(person, now)
            self._try_old_slots(person, now)
            self._try_old_sessions(person, now)
            for data_key in self.data_keys - {person["data_key"]}:
                read = try_data_key(data_key, sealed[person["id"]], owner=person["id"])
                assert read <= person["former"].get(data_key, set())

    def _is_new(self, *attempt: Hashable) -> bool:
        if attempt in self._tried:
            return False
        self._tried.add(attempt)
        return True

    def _try_secrets(self, person: ExpectedPerson, now: tuple[bytes, ...]) -> None:
        """Try old secrets in a sign-in, and directly on the slots."""
        for row in KeySlot.objects.filter(owner_id=person["id"]):
            kind = SlotKind(row.kind)
            wrong = set[str]().union(*self.secrets.values()) - {derive_secret(person, kind)}
            for secret in wrong:
                if self._is_new("row", bytes(row.mac), secret):
                    slot = key_slots.slot_from_row(row)
                    kek = derive(secret=secret, salt=slot.salt, cost=slot.cost)
                    with suppress(CryptoError):
                        open_slot(slot, kek=kek, current_epoch=slot.epoch)
                        raise AssertionError("a wrong secret opened a slot")
                if self._is_new("door", now, kind, secret):
                    assert self._can_open(person, kind, secret) is None

    def _can_open(self, person: ExpectedPerson, kind: SlotKind, secret: str) -> Keyring | None:
        try:
            return open_slot_with_secret(person, kind, secret).keyring
        except (WrongCredentials, DamagedSlot, KeysDoNotMatch):
            return None

    def _try_cookies(self, people: People) -> None:
        signed_in = {c: is_open for person in people.values() for c, is_open in person["browsers"].items()}
        for cookie in self.cookies:
            found = sessions_services.open_session(cookie, activity=False)
            assert (found.person is not None) == (cookie in signed_in)
            assert found.is_unlocked == signed_in.get(cookie, False)

    def _try_old_slots(self, person: ExpectedPerson, now: tuple[bytes, ...]) -> None:
        """Put old slots back, unchanged and with the current epoch."""
        for row, secret in self.list_old_slots(person, now):
            for epoch in {row.epoch, person["epoch"]}:
                if self._is_new("slot", now, bytes(row.mac), epoch):
                    with rolled_back():
                        self.replace_slot(row, epoch=epoch)
                        gained = self._can_open(person, SlotKind(row.kind), secret)
                    self._try_gained_key(gained, person, epoch=row.epoch)

    def list_old_slots(self, person: ExpectedPerson, now: tuple[bytes, ...]) -> list[tuple[KeySlot, str]]:
        """Return the replaced slots of a person, with their secrets."""
        mine = [taken for mac, taken in self.slots.items() if mac not in now]
        return [(row, secret) for row, secret in mine if row.owner_id == person["id"]]

    def replace_slot(self, row: KeySlot, *, epoch: int) -> None:
        """Replace the current slot by an old slot."""
        KeySlot.objects.filter(owner_id=row.owner_id, kind=row.kind).delete()
        copy_row(row, epoch=epoch).save(force_insert=True)

    def _try_gained_key(self, gained: Keyring | None, person: ExpectedPerson, *, epoch: int) -> None:
        """Check that a key from an old slot opens no current values; a restore can reuse an epoch."""
        if gained is not None:
            assert epoch == person["epoch"]
            assert gained.data_key() != person["data_key"]
            self.data_keys.add(gained.data_key())

    def _try_old_sessions(self, person: ExpectedPerson, now: tuple[bytes, ...]) -> None:
        """Put both rows of old sessions back; only sessions of the current key may open."""
        for wrapped, (sign_in, unlock, cookie, data_key) in self.unlocked.items():
            if sign_in.person_id != person["id"] or data_key == person["data_key"]:
                continue
            for epoch in {unlock.epoch, person["epoch"]}:
                if self._is_new("session", now, wrapped, epoch):
                    with rolled_back():
                        SignIn.objects.filter(id=sign_in.id).delete()
                        sign_in.save(force_insert=True)
                        copy_row(unlock, epoch=epoch).save(force_insert=True)
                        gained = sessions_services.open_session(cookie, activity=False).held
                    self._try_gained_key(gained, person, epoch=unlock.epoch)
