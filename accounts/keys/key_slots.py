"""Key slots between their rows and `llamora.crypto`: opened with a secret, made for one, and made anew.

A person without a vault and a name nobody has cost one derivation too, with the cost a new slot would have,
so that time does not tell who is in the household.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn
from uuid import UUID

from django.conf import settings

from accounts.errors import (
    AccountDisabled,
    AccountsError,
    DamagedSlot,
    DerivationOutOfMemory,
    DerivationQueueFull,
    WrongCredentials,
)
from accounts.keys.keyrings import build_keyring
from accounts.models import KeySlot, Person, SlotKind, Vault
from accounts.usernames import fold_username
from llamora import crypto
from llamora.crypto import Cost, DerivationQueue, EnvelopeError, Keyring, Slot, in_force
from llamora.fields import new_id

# MERGED accounts.ways_in: Which slots are a person's ways in: a list of their ids, sealed in the vault.
#
# A slot that was replaced stays good for as long as its data key is the current one, so whoever kept a copy
# of its row could put it back and have the next rotation serve it. A rotation gives the next key only to
# slots on this list. Whoever puts back the whole vault row beside the slot, from the same epoch, is not
# noticed; that is why a new password offers a rotation at once.


def get_listed_slot_ids(vault: Vault) -> frozenset[UUID]:
    """Return the ids of a vault's ways in, with its keyring in force; none where no list was kept yet."""
    return frozenset(UUID(hex=each) for each in vault.ways_in or ())


def encode_slot_ids(slots: Iterable[UUID]) -> list[str]:
    """Return slot ids as the vault's column keeps them."""
    return sorted(each.hex for each in slots)


def update_slot_list(keyring: Keyring, *, added: Iterable[UUID], removed: Iterable[UUID] = ()) -> None:
    """Keep the list when slots are made and removed; call it in the same transaction."""
    vault = Vault.objects.get(owner_id=keyring.owner)
    with in_force(keyring):
        vault.ways_in = encode_slot_ids((get_listed_slot_ids(vault) - frozenset(removed)) | frozenset(added))
        vault.save(update_fields=["ways_in"])


DERIVATION_WORKERS = 2
RETRY_SECONDS = 1.0

# Eight waiting are two seconds' work, so whoever is let in gets an answer soon.
derivation_queue = DerivationQueue(workers=DERIVATION_WORKERS, max_waiting=8)


@dataclass(frozen=True, kw_only=True)
class DerivationRequest:
    """Who asks for a derivation: the queue is fair between addresses and takes one a name."""

    name: str
    address: str


@dataclass(frozen=True, kw_only=True)
class OpenedSlot:
    """A slot that a secret has opened."""

    person: Person
    slot: Slot
    keyring: Keyring


def get_configured_cost() -> Cost:
    """Return what a slot made now costs."""
    return Cost(settings.ARGON2_MEMORY_KIB, settings.ARGON2_TIME, settings.ARGON2_LANES)


def derive(*, secret: str, salt: bytes, cost: Cost, request: DerivationRequest) -> bytes:
    """Return the key-encrypting key once its turn has come; raise Busy or NoMemory."""
    try:
        return derivation_queue.derive(
            secret=secret, salt=salt, cost=cost, address=request.address, name=fold_username(request.name)
        )
    except crypto.DerivationBusy:
        raise DerivationQueueFull(RETRY_SECONDS) from None
    except crypto.DerivationFailed:
        raise DerivationOutOfMemory from None


def slot_from_row(row: KeySlot) -> Slot:
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


def row_from_slot(slot: Slot) -> KeySlot:
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


def create_slot(
    *, secret: str, kind: SlotKind, keyring: Keyring, request: DerivationRequest, cost: Cost | None = None
) -> Slot:
    """Return a new slot for a secret, holding the current data key; the caller saves its row."""
    cost, salt = cost or get_configured_cost(), crypto.new_salt()
    kek = derive(secret=secret, salt=salt, cost=cost, request=request)
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


def open_slot(
    *, person: Person | None, kind: SlotKind, secret: str, request: DerivationRequest
) -> OpenedSlot:
    """Open a person's slot; raise WrongSecret for nobody, no vault and a wrong secret alike."""
    owner_id = person.id if person else new_id()
    rows = KeySlot.objects.select_related("owner__vault", "owner__former_key")
    row = rows.filter(owner_id=owner_id, kind=kind).first()
    if person is None or row is None or not hasattr(row.owner, "vault"):
        _derive_for_nobody(secret, request)
    slot = _parse_slot(row)
    kek = derive(secret=secret, salt=slot.salt, cost=slot.cost, request=request)
    epoch = row.owner.vault.epoch
    try:
        dek = crypto.open_slot(slot, kek=kek, current_epoch=epoch)
    except crypto.WrongSecret:
        raise WrongCredentials from None
    except crypto.CryptoError:
        raise DamagedSlot from None
    if not row.owner.is_active:
        raise AccountDisabled
    former = getattr(row.owner, "former_key", None)
    keyring = build_keyring(owner=row.owner_id, epoch=epoch, dek=dek, former=former)
    _check_slot_is_listed(row, keyring)
    return OpenedSlot(person=row.owner, slot=slot, keyring=keyring)


def _check_slot_is_listed(row: KeySlot, keyring: Keyring) -> None:
    """Refuse a slot that its owner has replaced and somebody has put back."""
    try:
        with in_force(keyring):
            known = get_listed_slot_ids(row.owner.vault)
    except EnvelopeError:
        # A damaged list keeps nobody from their diary; a rotation gives nothing to anybody by it.
        return
    if known and row.id not in known:
        raise DamagedSlot


def _derive_for_nobody(secret: str, request: DerivationRequest) -> NoReturn:
    derive(secret=secret, salt=crypto.new_salt(), cost=get_configured_cost(), request=request)
    raise WrongCredentials


def _parse_slot(row: KeySlot) -> Slot:
    """Return the row's slot; one that asks for a cost out of bounds was not made by us."""
    try:
        slot = slot_from_row(row)
        crypto.check_cost(slot.cost)
    except crypto.BadCost:
        raise DamagedSlot from None
    return slot


def get_raised_cost(slot: Slot) -> Cost | None:
    """Return the cost the settings ask for where that is more than the slot has; a cost is never lowered."""
    wanted, had = get_configured_cost(), slot.cost
    if wanted.memory_kib <= had.memory_kib and wanted.time <= had.time:
        return None
    return Cost(max(wanted.memory_kib, had.memory_kib), max(wanted.time, had.time), wanted.lanes)


def raise_cost(opened: OpenedSlot, *, secret: str, request: DerivationRequest) -> Slot | None:
    """Return a dearer slot for the secret just given, or None; a full queue puts it off to the next time."""
    cost = get_raised_cost(opened.slot)
    if cost is None:
        return None
    try:
        kind = SlotKind(opened.slot.kind)
        return create_slot(secret=secret, kind=kind, keyring=opened.keyring, request=request, cost=cost)
    except AccountsError:
        return None


def replace_slots(keyring: Keyring, *, by: list[Slot]) -> None:
    """Put new slots in the place of those of the same kinds; call inside a transaction."""
    old = KeySlot.objects.filter(owner_id=keyring.owner, kind__in=[slot.kind for slot in by])
    removed = list(old.values_list("id", flat=True))
    old.delete()
    for slot in by:
        row_from_slot(slot).save(force_insert=True)
    update_slot_list(keyring, added=[slot.id for slot in by], removed=removed)
