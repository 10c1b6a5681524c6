"""Functions that create, open and replace key slots, and convert them from and to database rows.

A sign-in with an unknown name, or of a person without a vault, also runs one key derivation, with the cost of
a new slot, so that the response time does not reveal which names exist.

A slot opens only if it is on the vault's sealed list (`accounts.keys.slot_list`), and a rotation seals the
next data key only to listed slots. A slot is replaced only by a rotation, so a copy of the old slot that is
restored in the database neither has the current data key nor is on the list.
"""

from dataclasses import dataclass, field
from typing import NoReturn
from uuid import UUID

from django.conf import settings

from accounts.errors import (
    AccountDisabled,
    AccountsError,
    CostlySlot,
    DamagedSlot,
    DerivationOutOfMemory,
    DerivationQueueFull,
    KeysDoNotMatch,
    WrongCredentials,
)
from accounts.keys.keyrings import build_keyring
from accounts.keys.row_shapes import read_bytes, refuse_damaged_rows
from accounts.keys.slot_list import load_slot_list
from accounts.models import KeySlot, Person, SlotKind
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
    """A request for a key derivation: the name of the account, the client's address, and the priority.

    `address` is the key by which failures are counted. `is_recognised` is set for a signed-in browser, a
    device cookie, or a secret that has already opened a slot: the queue reserves places for these.
    """

    name: str
    address: str
    failures: int = 0
    is_recognised: bool = False


@dataclass(frozen=True, kw_only=True)
class RefusedSlot:
    """A key slot that did not get the next data key, and a code for the reason."""

    slot_id: UUID
    kind: str
    code: str


@dataclass(frozen=True, kw_only=True)
class OpenedSlot:
    """A slot that was opened with its secret, with its person and their keyring.

    If opening required a rotation, `recovery_code` is the new code to show once, if there is one, and
    `refused_slots` are the slots that no longer open.
    """

    person: Person
    slot: Slot
    keyring: Keyring
    recovery_code: str = field(default="", repr=False)
    refused_slots: tuple[RefusedSlot, ...] = ()


def get_configured_cost() -> Cost:
    """Return the derivation cost of a new slot."""
    return Cost(settings.ARGON2_MEMORY_KIB, settings.ARGON2_TIME, settings.ARGON2_LANES)


def get_cost_ceiling() -> Cost:
    """Return the highest accepted cost of a stored slot: the greater of `CEILING` and the configured cost."""
    configured, ceiling = get_configured_cost(), crypto.CEILING
    return Cost(
        max(configured.memory_kib, ceiling.memory_kib),
        max(configured.time, ceiling.time),
        max(configured.lanes, ceiling.lanes),
    )


def derive_key(*, secret: str, salt: bytes, cost: Cost, request: DerivationRequest) -> bytes:
    """Return the key-encrypting key of a secret; raise DerivationQueueFull or DerivationOutOfMemory."""
    try:
        return derivation_queue.derive(
            secret=secret,
            salt=salt,
            cost=cost,
            address=request.address,
            name=fold_username(request.name),
            failures=request.failures,
            is_recognised=request.is_recognised,
        )
    except crypto.DerivationBusy:
        raise DerivationQueueFull(RETRY_SECONDS) from None
    except crypto.DerivationFailed:
        raise DerivationOutOfMemory from None


def slot_from_row(row: KeySlot) -> Slot:
    """Return the slot of a row, as the type in `llamora.crypto`."""
    return Slot(
        id=row.id,
        owner=row.owner_id,
        kind=row.kind,
        epoch=row.epoch,
        salt=read_bytes(row.salt),
        cost=Cost(row.memory_kib, row.time, row.lanes),
        public_key=read_bytes(row.public_key),
        sealed_private=read_bytes(row.sealed_private),
        sealed_authenticator=read_bytes(row.sealed_authenticator),
        box=read_bytes(row.box),
        mac=read_bytes(row.mac),
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
    """Return a new slot: the current data key, encrypted under `secret`; the caller saves its row."""
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
    *,
    person: Person | None,
    kind: SlotKind,
    secret: str,
    request: DerivationRequest,
    is_disabled_refused: bool = True,
) -> OpenedSlot:
    """Open a person's key slot with a secret; raise WrongCredentials if the secret is wrong.

    Raise WrongCredentials also if there is no such person, or if they have no vault. Raise DamagedSlot,
    CostlySlot, KeysDoNotMatch, DerivationQueueFull or DerivationOutOfMemory. With `is_disabled_refused`,
    raise AccountDisabled for a disabled account.
    """
    with refuse_damaged_rows(DamagedSlot):
        opened = _open_slot(person=person, kind=kind, secret=secret, request=request)
    if is_disabled_refused and not opened.person.is_active:
        opened.keyring.close()
        raise AccountDisabled
    return opened


def _open_slot(
    *, person: Person | None, kind: SlotKind, secret: str, request: DerivationRequest
) -> OpenedSlot:
    owner_id = person.id if person else new_id()
    rows = KeySlot.objects.select_related("owner__vault")
    row = rows.filter(owner_id=owner_id, kind=kind).first()
    if person is None or row is None or not hasattr(row.owner, "vault"):
        _derive_for_unknown_name(secret, request)
    slot = _parse_slot(row)
    kek = derive_key(secret=secret, salt=slot.salt, cost=slot.cost, request=request)
    epoch = row.owner.vault.epoch
    try:
        dek = crypto.open_slot(slot, kek=kek, current_epoch=epoch)
    except crypto.WrongSecret:
        raise WrongCredentials from None
    except crypto.CryptoError:
        raise DamagedSlot from None
    keyring = build_keyring(dek=dek, vault=row.owner.vault)
    try:
        _check_slot_is_listed(row, keyring)
    except AccountsError:
        keyring.close()
        raise
    return OpenedSlot(person=row.owner, slot=slot, keyring=keyring)


def save_slots(slots: list[Slot]) -> None:
    """Write the rows of new slots."""
    for slot in slots:
        row_from_slot(slot).save(force_insert=True)


def get_raised_cost(slot: Slot) -> Cost | None:
    """Return the configured cost if it is higher than the slot's, else None."""
    wanted, current = get_configured_cost(), slot.cost
    if wanted.memory_kib <= current.memory_kib and wanted.time <= current.time:
        return None
    return Cost(max(wanted.memory_kib, current.memory_kib), max(wanted.time, current.time), wanted.lanes)


def _check_slot_is_listed(row: KeySlot, keyring: Keyring) -> None:
    """Raise DamagedSlot if the vault's list lacks a slot, or KeysDoNotMatch if there is no readable list.

    Only a vault of format 1 may have no list, because older versions wrote none.
    """
    try:
        with in_force(keyring):
            listed = load_slot_list(row.owner.vault)
    except EnvelopeError:
        raise KeysDoNotMatch from None
    if listed is None and not keyring.is_of_format_1:
        raise KeysDoNotMatch
    if listed is not None and row.id not in listed:
        raise DamagedSlot


def _derive_for_unknown_name(secret: str, request: DerivationRequest) -> NoReturn:
    derive_key(secret=secret, salt=crypto.new_salt(), cost=get_configured_cost(), request=request)
    raise WrongCredentials


def _parse_slot(row: KeySlot) -> Slot:
    """Return the slot of a row; raise DamagedSlot or CostlySlot if its cost is out of bounds."""
    try:
        slot = slot_from_row(row)
        crypto.check_cost(slot.cost, ceiling=crypto.HIGHEST)
    except crypto.BadCost:
        raise DamagedSlot from None
    try:
        crypto.check_cost(slot.cost, ceiling=get_cost_ceiling())
    except crypto.BadCost:
        raise CostlySlot from None
    return slot
