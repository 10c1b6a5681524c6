"""Key slots between their rows and `llamora.crypto`: opened with a secret, made for one, and made anew.

A person without a vault and a name nobody has cost one derivation too, with the cost a new slot would have,
so that time does not tell who is in the household.
"""

import logging
from dataclasses import dataclass
from typing import NoReturn

from django.conf import settings
from django.db import DatabaseError, connection

from accounts import ways_in
from accounts.errors import AccountsError, Busy, DamagedSlot, NoMemory, SwitchedOff, WrongSecret
from accounts.keyrings import keyring_for
from accounts.models import KeySlot, Person, SlotKind
from accounts.names import name_key
from accounts.turnstile import turnstile
from llamora import crypto
from llamora.crypto import Cost, DerivationQueue, EnvelopeError, Keyring, Slot, in_force
from llamora.fields import new_id

_log = logging.getLogger(__name__)

WORKERS = 2
BUSY_SECONDS = 1.0

# Eight waiting are two seconds' work, so whoever is let in gets an answer soon.
queue = DerivationQueue(workers=WORKERS, most=8)


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Who asks for a derivation: the queue is fair between addresses and takes one a name."""

    name: str
    address: str


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A slot that a secret has opened."""

    person: Person
    slot: Slot
    keyring: Keyring


def wanted_cost() -> Cost:
    """Return what a slot made now costs."""
    return Cost(settings.ARGON2_MEMORY_KIB, settings.ARGON2_TIME, settings.ARGON2_LANES)


def derive(*, secret: str, salt: bytes, cost: Cost, asking: Asking) -> bytes:
    """Return the key-encrypting key once its turn has come; raise Busy or NoMemory."""
    try:
        with turnstile.aside():
            return queue.derive(
                secret=secret, salt=salt, cost=cost, address=asking.address, name=name_key(asking.name)
            )
    except crypto.DerivationBusy:
        raise Busy(BUSY_SECONDS) from None
    except crypto.DerivationFailed:
        raise NoMemory from None


def slot_of(row: KeySlot) -> Slot:
    """Return a row as the foundation knows it."""
    return Slot(
        id=row.id,
        owner=row.owner_id,
        kind=row.kind,
        epoch=row.epoch,
        salt=bytes(row.salt),
        cost=Cost(row.memory_kib, row.time, row.lanes),
        public_key=bytes(row.public_key),
        sealed_private=bytes(row.sealed_private),
        sealed_authenticator=bytes(row.sealed_authenticator),
        box=bytes(row.box),
        mac=bytes(row.mac),
    )


def row_of(slot: Slot) -> KeySlot:
    """Return the row for a slot, not saved yet."""
    return KeySlot(
        id=slot.id,
        owner_id=slot.owner,
        kind=slot.kind,
        epoch=slot.epoch,
        salt=slot.salt,
        memory_kib=slot.cost.memory_kib,
        time=slot.cost.time,
        lanes=slot.cost.lanes,
        public_key=slot.public_key,
        sealed_private=slot.sealed_private,
        sealed_authenticator=slot.sealed_authenticator,
        box=slot.box,
        mac=slot.mac,
    )


def make_slot(
    *, secret: str, kind: SlotKind, keyring: Keyring, asking: Asking, cost: Cost | None = None
) -> Slot:
    """Return a new slot for a secret, holding the current data key; the caller saves its row."""
    cost, salt = cost or wanted_cost(), crypto.new_salt()
    kek = derive(secret=secret, salt=salt, cost=cost, asking=asking)
    return crypto.create_slot(
        kek=kek,
        salt=salt,
        cost=cost,
        dek=keyring.data_key(),
        epoch=keyring.epoch,
        owner=keyring.owner,
        kind=kind.value,
        slot_id=new_id(),
    )


def open_slot(*, person: Person | None, kind: SlotKind, secret: str, asking: Asking) -> Opened:
    """Open a person's slot; raise WrongSecret for nobody, no vault and a wrong secret alike."""
    owner_id = person.id if person else new_id()
    rows = KeySlot.objects.select_related("owner__vault", "owner__former_key")
    row = rows.filter(owner_id=owner_id, kind=kind).first()
    if person is None or row is None or not hasattr(row.owner, "vault"):
        _derive_for_nobody(secret, asking)
    slot = _readable(row)
    kek = derive(secret=secret, salt=slot.salt, cost=slot.cost, asking=asking)
    epoch = row.owner.vault.epoch
    try:
        dek = crypto.open_slot(slot, kek=kek, current_epoch=epoch)
    except crypto.WrongSecret:
        raise WrongSecret from None
    except crypto.CryptoError:
        raise DamagedSlot from None
    if not row.owner.is_active:
        raise SwitchedOff
    former = getattr(row.owner, "former_key", None)
    keyring = keyring_for(owner=row.owner_id, epoch=epoch, dek=dek, former=former)
    _check_listed(row, keyring)
    return Opened(person=row.owner, slot=slot, keyring=keyring)


def _check_listed(row: KeySlot, keyring: Keyring) -> None:
    """Refuse a slot that its owner has replaced and somebody has put back."""
    try:
        with in_force(keyring):
            known = ways_in.listed(row.owner.vault)
    except EnvelopeError:
        # A damaged list keeps nobody from their diary; a rotation gives nothing to anybody by it.
        return
    if known and row.id not in known:
        raise DamagedSlot


def _derive_for_nobody(secret: str, asking: Asking) -> NoReturn:
    derive(secret=secret, salt=crypto.new_salt(), cost=wanted_cost(), asking=asking)
    raise WrongSecret


def _readable(row: KeySlot) -> Slot:
    """Return the row's slot; one that asks for a cost out of bounds was not made by us."""
    try:
        slot = slot_of(row)
        crypto.check_cost(slot.cost)
    except crypto.BadCost:
        raise DamagedSlot from None
    return slot


def raised_cost(slot: Slot) -> Cost | None:
    """Return the cost the settings ask for where that is more than the slot has; a cost is never lowered."""
    wanted, had = wanted_cost(), slot.cost
    if wanted.memory_kib <= had.memory_kib and wanted.time <= had.time:
        return None
    return Cost(max(wanted.memory_kib, had.memory_kib), max(wanted.time, had.time), wanted.lanes)


def raise_cost(opened: Opened, *, secret: str, asking: Asking) -> Slot | None:
    """Return a dearer slot for the secret just given, or None; a full queue puts it off to the next time."""
    cost = raised_cost(opened.slot)
    if cost is None:
        return None
    try:
        kind = SlotKind(opened.slot.kind)
        return make_slot(secret=secret, kind=kind, keyring=opened.keyring, asking=asking, cost=cost)
    except AccountsError:
        return None


def replace_slots(keyring: Keyring, *, by: list[Slot]) -> None:
    """Put new slots in the place of those of the same kinds; call inside a transaction."""
    old = KeySlot.objects.filter(owner_id=keyring.owner, kind__in=[slot.kind for slot in by])
    removed = list(old.values_list("id", flat=True))
    old.delete()
    for slot in by:
        row_of(slot).save(force_insert=True)
    ways_in.note(keyring, added=[slot.id for slot in by], removed=removed)


def leave_no_trace() -> None:
    """Overwrite the write-ahead log after a change of slots, so that an old slot is not left lying in it."""
    if connection.in_atomic_block:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except DatabaseError as error:
        # What was changed is kept, and a code may wait to be shown; `up` truncates the log again soon.
        _log.warning("The write-ahead log was not overwritten: %s", type(error).__name__)
