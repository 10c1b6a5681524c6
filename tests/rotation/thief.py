"""Somebody who copies every secret, key, slot, cookie and session row that ever was, and tries all of them.

What may open what is taken from the people as the tests know them, never from the database. A try that can
only end as it did before, because nothing it depends on has changed in the database, is not made again.
"""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction
from django.db.models import Model

from accounts.auth.services import invitations
from accounts.errors import DamagedSlot, WrongCredentials
from accounts.keys import key_slots
from accounts.models import KeySlot, SignIn, SlotKind, Unlock, Vault
from accounts.sessions import services as sessions_services
from accounts.sessions.cookies import SessionCookie
from llamora.crypto import CryptoError, Keyring, derive, open_slot
from tests.rotation.expected import Known, People, Sealed, comes_by, secret_of


def opened_with(data_key: bytes, sealed: Sealed, *, owner: UUID) -> set[bytes]:
    """What a data key opens, whichever epoch it is said to be of."""
    epochs = {int.from_bytes(envelope[1:5], "big") for envelope, _ in sealed}
    keyring = Keyring(owner=owner, epoch=max(epochs), keys=dict.fromkeys(epochs, data_key))
    found = set()
    for envelope, context in sealed:
        with suppress(CryptoError):
            found.add(keyring.unseal(envelope, context))
    return found


@contextmanager
def for_a_moment() -> Iterator[None]:
    """Change the database, look what comes of it, and leave it as it was."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def copied(row: Model, *, epoch: int) -> Model:
    """The same row, said to be of an epoch."""
    values = {each.attname: getattr(row, each.attname) for each in row._meta.concrete_fields}
    return type(row)(**{**values, "epoch": epoch})


def standing(person: Known) -> tuple[bytes, ...]:
    """All in the database that decides what opens a person's vault."""
    vault = Vault.objects.get(owner_id=person["id"])
    listed = vault.__dict__["ways_in"]
    macs = sorted(bytes(slot.mac) for slot in KeySlot.objects.filter(owner_id=person["id"]))
    return (vault.epoch.to_bytes(4, "big"), listed.envelope if listed else b"", *macs)


@dataclass
class Thief:
    """All there ever was to steal."""

    secrets: dict[SlotKind, set[str]] = field(default_factory=lambda: {kind: set() for kind in SlotKind})
    data_keys: set[bytes] = field(default_factory=set)
    slots: dict[bytes, tuple[KeySlot, str]] = field(default_factory=dict)
    cookies: set[SessionCookie] = field(default_factory=set)
    unlocked: dict[bytes, tuple[SignIn, Unlock, SessionCookie, bytes]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    _tried: set[Hashable] = field(default_factory=set)

    def takes(self, people: People) -> None:
        """Copy all that stands now."""
        for person in people.values():
            self.data_keys.add(person["data_key"])
            self.cookies |= set(person["browsers"])
            for kind in SlotKind:
                self.secrets[kind].add(secret_of(person, kind))
            for slot in KeySlot.objects.filter(owner_id=person["id"]):
                self.slots.setdefault(bytes(slot.mac), (slot, secret_of(person, SlotKind(slot.kind))))
            unlocks = Unlock.objects.filter(sign_in__person_id=person["id"]).select_related("sign_in")
            by_id = {cookie.sign_in_id: cookie for cookie in person["browsers"]}
            assert {unlock.sign_in_id for unlock in unlocks} <= set(by_id)
            for unlock in unlocks:
                taken = (unlock.sign_in, unlock, by_id[unlock.sign_in_id], person["data_key"])
                self.unlocked.setdefault(bytes(unlock.wrapped_dek), taken)

    def tries_everything(self, people: People, *, sealed: dict[UUID, Sealed]) -> None:
        """Fail wherever something opens that should not, or newer things than it may."""
        assert not any(invitations.is_valid_invitation(token) for token in self.tokens)
        self._tries_cookies(people)
        for person in people.values():
            now = standing(person)
            self._tries_secrets(person, now)
            self._puts_slots_back(person, now)
            self._puts_sessions_back(person, now)
            for data_key in self.data_keys - {person["data_key"]}:
                read = opened_with(data_key, sealed[person["id"]], owner=person["id"])
                assert read <= person["former"].get(data_key, set())

    def _is_new(self, *attempt: Hashable) -> bool:
        if attempt in self._tried:
            return False
        self._tried.add(attempt)
        return True

    def _tries_secrets(self, person: Known, now: tuple[bytes, ...]) -> None:
        """At the door, and past every check of the program, on the rows alone."""
        for row in KeySlot.objects.filter(owner_id=person["id"]):
            kind = SlotKind(row.kind)
            wrong = set[str]().union(*self.secrets.values()) - {secret_of(person, kind)}
            for secret in wrong:
                if self._is_new("row", bytes(row.mac), secret):
                    slot = key_slots.slot_from_row(row)
                    kek = derive(secret=secret, salt=slot.salt, cost=slot.cost)
                    with suppress(CryptoError):
                        open_slot(slot, kek=kek, current_epoch=slot.epoch)
                        raise AssertionError("a wrong secret opened a slot")
                if self._is_new("door", now, kind, secret):
                    assert self._gets_in(person, kind, secret) is None

    def _gets_in(self, person: Known, kind: SlotKind, secret: str) -> Keyring | None:
        try:
            return comes_by(person, kind, secret).keyring
        except (WrongCredentials, DamagedSlot):
            return None

    def _tries_cookies(self, people: People) -> None:
        signed_in = {c: is_open for person in people.values() for c, is_open in person["browsers"].items()}
        for cookie in self.cookies:
            found = sessions_services.open_session(cookie, activity=False)
            assert (found.person is not None) == (cookie in signed_in)
            assert found.is_unlocked == signed_in.get(cookie, False)

    def _puts_slots_back(self, person: Known, now: tuple[bytes, ...]) -> None:
        """As they were, and said to be of the epoch of now."""
        for row, secret in self.put_aside(person, now):
            for epoch in {row.epoch, person["epoch"]}:
                if self._is_new("slot", now, bytes(row.mac), epoch):
                    with for_a_moment():
                        self.puts_back(row, epoch=epoch)
                        gained = self._gets_in(person, SlotKind(row.kind), secret)
                    self._makes_use_of(gained, person, epoch=row.epoch)

    def put_aside(self, person: Known, now: tuple[bytes, ...]) -> list[tuple[KeySlot, str]]:
        """Slots of a person that are no longer theirs, and what opened them."""
        mine = [taken for mac, taken in self.slots.items() if mac not in now]
        return [(row, secret) for row, secret in mine if row.owner_id == person["id"]]

    def puts_back(self, row: KeySlot, *, epoch: int) -> None:
        """Put an old slot in the place of the one there is."""
        KeySlot.objects.filter(owner_id=row.owner_id, kind=row.kind).delete()
        copied(row, epoch=epoch).save(force_insert=True)

    def _makes_use_of(self, gained: Keyring | None, person: Known, *, epoch: int) -> None:
        """Rows from what a backup has undone can be of today's epoch: they give a key, and not today's."""
        if gained is not None:
            assert epoch == person["epoch"]
            assert gained.data_key() != person["data_key"]
            self.data_keys.add(gained.data_key())

    def _puts_sessions_back(self, person: Known, now: tuple[bytes, ...]) -> None:
        """Both rows of a session, beside its cookie; those that held today's key would open, as they did."""
        for wrapped, (sign_in, unlock, cookie, data_key) in self.unlocked.items():
            if sign_in.person_id != person["id"] or data_key == person["data_key"]:
                continue
            for epoch in {unlock.epoch, person["epoch"]}:
                if self._is_new("session", now, wrapped, epoch):
                    with for_a_moment():
                        SignIn.objects.filter(id=sign_in.id).delete()
                        sign_in.save(force_insert=True)
                        copied(unlock, epoch=epoch).save(force_insert=True)
                        gained = sessions_services.open_session(cookie, activity=False).held
                    self._makes_use_of(gained, person, epoch=unlock.epoch)
