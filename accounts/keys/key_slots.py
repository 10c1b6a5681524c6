"""Key slots: convert rows for `llamora.crypto`, create slots for a secret, open and replace them.

A sign-in with an unknown name, or of a person without a vault, runs one key derivation too, at the cost of a
new slot. So the response time does not reveal which names exist.

A vault holds the sealed list of its valid slot ids (column `ways_in`). Without the list, an attacker who had
copied a replaced slot could write it back and receive the next data key in the next rotation: a slot opens
as long as it holds the current data key. A rotation gives the next data key to listed slots only. An
attacker who writes back the vault's row together with the slot, both of the same epoch, is not noticed; so a
new password offers a rotation at once.
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

DERIVATION_WORKERS = 2
RETRY_SECONDS = 1.0

# Eight waiting derivations are two seconds of work, so each request is answered soon.
derivation_queue = DerivationQueue(workers=DERIVATION_WORKERS, max_waiting=8)


@dataclass(frozen=True, kw_only=True)
class DerivationRequest:
    """The name and address of a derivation: the queue is fair between addresses and limits each name."""

    name: str
    address: str


@dataclass(frozen=True, kw_only=True)
class OpenedSlot:
    """A slot that was opened with its secret, its person, and their keyring."""

    person: Person
    slot: Slot
    keyring: Keyring


def get_configured_cost() -> Cost:
    """Return the derivation cost of a new slot."""
    return Cost(settings.ARGON2_MEMORY_KIB, settings.ARGON2_TIME, settings.ARGON2_LANES)


def derive_key(*, secret: str, salt: bytes, cost: Cost, request: DerivationRequest) -> bytes:
    """Return the key-encrypting key of a secret; raise DerivationQueueFull or DerivationOutOfMemory."""
    try:
        return derivation_queue.derive(
            secret=secret, salt=salt, cost=cost, address=request.address, name=fold_username(request.name)
        )
    except crypto.DerivationBusy:
        raise DerivationQueueFull(RETRY_SECONDS) from None
    except crypto.DerivationFailed:
        raise DerivationOutOfMemory from None


def slot_from_row(row: KeySlot) -> Slot:
    """Return the slot of a row, in the type that `llamora.crypto` uses."""
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
    """Return an unsaved row for a slot."""
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
    """Return a new slot with the current data key, which the secret opens; the caller saves its row."""
    cost, salt = cost or get_configured_cost(), crypto.new_salt()
    kek = derive_key(secret=secret, salt=salt, cost=cost, request=request)
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
    """Open a person's slot; raise WrongCredentials for no person, no vault or a wrong secret.

    Raise DamagedSlot, AccountDisabled, DerivationQueueFull or DerivationOutOfMemory.
    """
    owner_id = person.id if person else new_id()
    rows = KeySlot.objects.select_related("owner__vault", "owner__former_key")
    row = rows.filter(owner_id=owner_id, kind=kind).first()
    if person is None or row is None or not hasattr(row.owner, "vault"):
        _derive_for_nobody(secret, request)
    slot = _parse_slot(row)
    kek = derive_key(secret=secret, salt=slot.salt, cost=slot.cost, request=request)
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


def get_raised_cost(slot: Slot) -> Cost | None:
    """Return the cost for this slot if the settings require a higher one, or None; it is never lowered."""
    wanted, current = get_configured_cost(), slot.cost
    if wanted.memory_kib <= current.memory_kib and wanted.time <= current.time:
        return None
    return Cost(max(wanted.memory_kib, current.memory_kib), max(wanted.time, current.time), wanted.lanes)


def raise_cost(opened: OpenedSlot, *, secret: str, request: DerivationRequest) -> Slot | None:
    """Return a slot with a higher cost for the same secret, or None if that is not needed or failed."""
    cost = get_raised_cost(opened.slot)
    if cost is None:
        return None
    try:
        kind = SlotKind(opened.slot.kind)
        return create_slot(secret=secret, kind=kind, keyring=opened.keyring, request=request, cost=cost)
    except AccountsError:
        return None


def replace_slots(keyring: Keyring, *, by: list[Slot]) -> None:
    """Replace a person's slots of the same kinds with new ones; call it inside a transaction."""
    old = KeySlot.objects.filter(owner_id=keyring.owner, kind__in=[slot.kind for slot in by])
    removed = list(old.values_list("id", flat=True))
    old.delete()
    for slot in by:
        row_from_slot(slot).save(force_insert=True)
    update_slot_list(keyring, added=[slot.id for slot in by], removed=removed)


def get_listed_slot_ids(vault: Vault) -> frozenset[UUID]:
    """Return the ids of a vault's valid slots, or none if it has no list yet; needs its keyring in force."""
    return frozenset(UUID(hex=slot_id) for slot_id in vault.ways_in or ())


def encode_slot_ids(slot_ids: Iterable[UUID]) -> list[str]:
    """Return slot ids in the form in which the column `ways_in` stores them."""
    return sorted(slot_id.hex for slot_id in slot_ids)


def update_slot_list(keyring: Keyring, *, added: Iterable[UUID], removed: Iterable[UUID] = ()) -> None:
    """Add created slots to the vault's list and remove deleted ones; call it in the same transaction."""
    vault = Vault.objects.get(owner_id=keyring.owner)
    with in_force(keyring):
        slot_ids = (get_listed_slot_ids(vault) - frozenset(removed)) | frozenset(added)
        vault.ways_in = encode_slot_ids(slot_ids)
        vault.save(update_fields=["ways_in"])


def _check_slot_is_listed(row: KeySlot, keyring: Keyring) -> None:
    """Raise DamagedSlot if a slot is not on the vault's list: it was replaced and its row written back."""
    try:
        with in_force(keyring):
            listed = get_listed_slot_ids(row.owner.vault)
    except EnvelopeError:
        # A damaged list keeps nobody from their diary; a rotation refuses to begin with one.
        return
    if listed and row.id not in listed:
        raise DamagedSlot


def _derive_for_nobody(secret: str, request: DerivationRequest) -> NoReturn:
    derive_key(secret=secret, salt=crypto.new_salt(), cost=get_configured_cost(), request=request)
    raise WrongCredentials


def _parse_slot(row: KeySlot) -> Slot:
    """Return the slot of a row; raise DamagedSlot if its cost is out of bounds."""
    try:
        slot = slot_from_row(row)
        crypto.check_cost(slot.cost)
    except crypto.BadCost:
        raise DamagedSlot from None
    return slot
