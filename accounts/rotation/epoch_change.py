"""First step of a rotation, in one transaction; after it, new values are sealed under the next data key.

The vault's columns and its epoch change in one UPDATE; otherwise the epoch trigger would refuse the row. The
next data key is sealed to the key slots without their secrets: the former data key opens their
authenticators.
"""

from collections.abc import Set
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from django.db import transaction

from accounts.keys import key_pairs, key_slots
from accounts.models import FormerKey, KeySlot, Vault
from accounts.rotation.blind_indexes import renew_blind_indexes
from accounts.rotation.errors import DamagedVault, OpenedSlotRefused, RotationUnfinished, StaleKeyring
from accounts.sessions.cookies import SessionCookie
from accounts.sessions.services import end_other_sessions_after_rotation
from accounts.signals import data_key_rotated, data_key_rotating
from llamora import crypto
from llamora.crypto import EnvelopeError, KeyId, Keyring, Slot, SlotError, in_force
from llamora.database import write_transaction
from llamora.fields.models import sealed_fields

NOT_LISTED = "not_listed"


@dataclass(frozen=True, kw_only=True)
class RefusedSlot:
    """A key slot that did not receive the next data key, and a code for the reason."""

    slot_id: UUID
    kind: str
    code: str


@dataclass(frozen=True, kw_only=True)
class BegunRotation:
    """A rotation after its first step; its keyring holds both data keys and is closed by the caller."""

    keyring: Keyring = field(repr=False)
    renewed_slots: int
    refused_slots: tuple[RefusedSlot, ...]


def begin_rotation(
    opened: key_slots.OpenedSlot, *, current_cookie: SessionCookie | None = None
) -> BegunRotation:
    """Begin a rotation: create the next data key, wrap it for each slot, and end the person's other sessions.

    The session of `current_cookie` stays.

    Raise RotationUnfinished, StaleKeyring, OpenedSlotRefused or DamagedVault before anything is written, or
    NotWritten.
    """
    former = opened.keyring
    old, new = former.data_key(), crypto.secret_bytes()
    keyring = Keyring(
        owner=former.owner, epoch=former.epoch + 1, keys={former.epoch: old, former.epoch + 1: new}
    )
    try:
        with in_force(former):
            data_key_rotating.send_robust(Vault, person_id=former.owner, keyring=former)
        with write_transaction():
            renewed, refused = _write_new_epoch(
                keyring, opened_slot_id=opened.slot.id, current_cookie=current_cookie
            )
            transaction.on_commit(partial(_send_rotated, keyring, former_key_id=former.key_id))
    except BaseException:
        keyring.close()
        raise
    return BegunRotation(keyring=keyring, renewed_slots=renewed, refused_slots=refused)


def _send_rotated(keyring: Keyring, *, former_key_id: KeyId) -> None:
    key_pairs.remember_public_key(keyring)
    key_pairs.forget_public_key(former_key_id)
    with in_force(keyring):
        data_key_rotated.send_robust(
            Vault, person_id=keyring.owner, keyring=keyring, former_key_id=former_key_id
        )


def _write_new_epoch(
    keyring: Keyring, *, opened_slot_id: UUID, current_cookie: SessionCookie | None
) -> tuple[int, tuple[RefusedSlot, ...]]:
    vault = Vault.objects.get(owner_id=keyring.owner)
    if vault.epoch != keyring.epoch - 1:
        raise StaleKeyring
    if FormerKey.objects.filter(owner_id=keyring.owner).exists():
        raise RotationUnfinished
    with in_force(keyring):
        try:
            listed = key_slots.get_listed_slot_ids(vault) or {opened_slot_id}
            renewed, refused = _renew_slots(keyring, listed=listed)
            if opened_slot_id not in {slot.id for slot in renewed}:
                raise OpenedSlotRefused
            _reseal_vault(vault, keyring, slots=renewed)
        except EnvelopeError:
            raise DamagedVault from None
        _save_former_key(keyring)
    _update_slots(renewed)
    end_other_sessions_after_rotation(keyring, current_cookie=current_cookie)
    renew_blind_indexes(keyring)
    return len(renewed), tuple(refused)


def _renew_slots(keyring: Keyring, *, listed: Set[UUID]) -> tuple[list[Slot], list[RefusedSlot]]:
    """Return the listed slots with the next data key, and all other slots with the reason of their refusal.

    If the vault has no list yet, only the slot that was just opened is known to be genuine.
    """
    old, new = keyring.data_key(keyring.epoch - 1), keyring.data_key()
    renewed, refused = [], []
    for row in KeySlot.objects.filter(owner_id=keyring.owner).order_by("id"):
        code = NOT_LISTED
        if row.id in listed:
            try:
                slot = key_slots.slot_from_row(row)
                renewed.append(crypto.renew_slot(slot, old_dek=old, new_dek=new, new_epoch=keyring.epoch))
                continue
            except SlotError as error:
                code = error.code
        refused.append(RefusedSlot(slot_id=row.id, kind=row.kind, code=code))
    return renewed, refused


def _reseal_vault(vault: Vault, keyring: Keyring, *, slots: list[Slot]) -> None:
    for column in sealed_fields(Vault):
        # Opened under the former key, and held until save() seals it under the next one.
        setattr(vault, column.attname, getattr(vault, column.attname))
    # Whoever has the former data key has the former key pair too, and must not open what comes later.
    key_pairs.replace_key_pair(vault)
    vault.ways_in = key_slots.encode_slot_ids(slot.id for slot in slots)
    vault.epoch = keyring.epoch
    vault.save()


def _save_former_key(keyring: Keyring) -> None:
    epoch = keyring.epoch - 1
    FormerKey.objects.create(owner_id=keyring.owner, epoch=epoch, data_key=keyring.data_key(epoch))


def _update_slots(slots: list[Slot]) -> None:
    for slot in slots:
        KeySlot.objects.filter(id=slot.id).update(
            epoch=slot.epoch, sealed_authenticator=slot.sealed_authenticator, box=slot.box, mac=slot.mac
        )
