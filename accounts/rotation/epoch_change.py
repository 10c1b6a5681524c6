"""The first step of a rotation, one transaction: from here on everything new is under the next key.

The vault's columns move in the same UPDATE as its epoch, so that the fence never sees one without the
other. Slots are given the next key without their secrets: the key before opens their authenticators.
"""

import hmac
from collections.abc import Set
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from django.db import transaction

from accounts.keys import key_pairs, key_slots
from accounts.models import FormerKey, KeySlot, SignIn, Unlock, Vault
from accounts.rotation import blind_indexes
from accounts.rotation.errors import DamagedVault, OpenedSlotRefused, RotationUnfinished, StaleKeyring
from accounts.sessions import services as sessions_services
from accounts.sessions.cookies import SessionCookie
from accounts.sessions.run_secret import get_run_secret
from accounts.signals import data_key_rotated, data_key_rotating
from llamora import crypto
from llamora.crypto import EnvelopeError, Keyring, Slot, SlotError, hash_half, in_force
from llamora.database import write_transaction
from llamora.fields.models import sealed_fields

NOT_LISTED = "not_listed"


@dataclass(frozen=True, kw_only=True)
class RefusedSlot:
    """A slot that was given nothing: its kind and why, by code."""

    slot_id: UUID
    kind: str
    code: str


@dataclass(frozen=True, kw_only=True)
class BegunRotation:
    """A rotation begun; the keyring holds both keys, and the caller closes it."""

    keyring: Keyring = field(repr=False)
    renewed_slots: int
    refused_slots: tuple[RefusedSlot, ...]


def begin_rotation(opened: key_slots.OpenedSlot, *, here: SessionCookie | None = None) -> BegunRotation:
    """Give a person the next data key; all their sessions end but the one that asks, which stays unlocked.

    Raise Unfinished, StaleKeyring, NoWayIn or DamagedVault before anything is written, or NotWritten.
    """
    before = opened.keyring
    old, new = before.data_key(), crypto.secret_bytes()
    keyring = Keyring(
        owner=before.owner, epoch=before.epoch + 1, keys={before.epoch: old, before.epoch + 1: new}
    )
    try:
        with in_force(before):
            data_key_rotating.send_robust(Vault, person_id=before.owner, keyring=before)
        with write_transaction():
            given, refused = _write_new_epoch(keyring, asking=opened.slot.id, here=here)
            transaction.on_commit(partial(_send_rotated, keyring))
    except BaseException:
        keyring.close()
        raise
    return BegunRotation(keyring=keyring, renewed_slots=given, refused_slots=refused)


def _send_rotated(keyring: Keyring) -> None:
    key_pairs.remember_public_key(keyring)
    with in_force(keyring):
        data_key_rotated.send_robust(Vault, person_id=keyring.owner, keyring=keyring)


def _write_new_epoch(
    keyring: Keyring, *, asking: UUID, here: SessionCookie | None
) -> tuple[int, tuple[RefusedSlot, ...]]:
    vault = Vault.objects.get(owner_id=keyring.owner)
    if vault.epoch != keyring.epoch - 1:
        raise StaleKeyring
    if FormerKey.objects.filter(owner_id=keyring.owner).exists():
        raise RotationUnfinished
    with in_force(keyring):
        try:
            renewed, refused = _renew_slots(keyring, known=key_slots.get_listed_slot_ids(vault) or {asking})
            if asking not in {slot.id for slot in renewed}:
                raise OpenedSlotRefused
            _reseal_vault(vault, keyring, slots=renewed)
        except EnvelopeError:
            raise DamagedVault from None
        _save_former_key(keyring)
    _update_slots(renewed)
    _end_other_sessions(keyring, here=here)
    blind_indexes.renew_all(keyring)
    return len(renewed), tuple(refused)


def _renew_slots(keyring: Keyring, *, known: Set[UUID]) -> tuple[list[Slot], list[RefusedSlot]]:
    """Return the known slots with the next key in them, and all others with the reason.

    Where no list was kept yet, only the slot that was just opened is known to be its owner's.
    """
    old, new = keyring.data_key(keyring.epoch - 1), keyring.data_key()
    renewed, refused = [], []
    for row in KeySlot.objects.filter(owner_id=keyring.owner).order_by("id"):
        code = NOT_LISTED
        if row.id in known:
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
        # Read under the key before, and held until save() seals it under the next.
        setattr(vault, column.attname, getattr(vault, column.attname))
    # Whoever had the key before had the pair too; what is sealed to this person from now on is not theirs.
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


def _end_other_sessions(keyring: Keyring, *, here: SessionCookie | None) -> None:
    staying = _find_asking_sign_in(keyring, here) if here else None
    sessions_services.end_sessions(person_id=keyring.owner, but=staying.id if staying else None)
    if here is None or staying is None:
        return
    salt = crypto.secret_bytes(16)
    wrapped = crypto.wrap_dek(
        dek=keyring.data_key(),
        half=here.half,
        salt=salt,
        run_secret=get_run_secret(),
        row=staying.id,
        owner=keyring.owner,
        epoch=keyring.epoch,
    )
    Unlock.objects.filter(sign_in=staying).update(epoch=keyring.epoch, salt=salt, wrapped_dek=wrapped)


def _find_asking_sign_in(keyring: Keyring, here: SessionCookie) -> SignIn | None:
    row = SignIn.objects.filter(id=here.sign_in_id, person_id=keyring.owner).first()
    if row is None or not hmac.compare_digest(bytes(row.half_hash), hash_half(here.half)):
        return None
    return row
