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

from accounts import keys, sessions, vault_keys, ways_in
from accounts.cookies import SessionCookie
from accounts.models import FormerKey, KeySlot, SignIn, Unlock, Vault
from accounts.rotation import blind_indexes
from accounts.rotation.errors import DamagedVault, NoWayIn, StaleKeyring, Unfinished
from accounts.run_secret import run_secret
from accounts.signals import QuietSignal
from llamora import crypto
from llamora.crypto import EnvelopeError, Keyring, Slot, SlotError, hash_half, in_force
from llamora.database import writing
from llamora.fields.models import sealed_fields

# person_id, keyring (in force); after the commit. What was sealed under the snapshot key of before is dead,
# and whoever holds a keyring of before makes a new one from this one's data key.
data_key_turned = QuietSignal()
# Before anything is turned: what was sealed to the vault's pair can still be opened with it.
data_key_turning = QuietSignal()
NOT_LISTED = "not_listed"


@dataclass(frozen=True, kw_only=True)
class RefusedSlot:
    """A slot that was given nothing: its kind and why, by code."""

    slot_id: UUID
    kind: str
    code: str


@dataclass(frozen=True, kw_only=True)
class Turned:
    """A rotation begun; the keyring holds both keys, and the caller closes it."""

    keyring: Keyring = field(repr=False)
    given: int
    refused: tuple[RefusedSlot, ...]


def turn(opened: keys.Opened, *, here: SessionCookie | None = None) -> Turned:
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
            data_key_turning.send_robust(Vault, person_id=before.owner, keyring=before)
        with writing():
            given, refused = _write(keyring, asking=opened.slot.id, here=here)
            transaction.on_commit(partial(_tell, keyring))
    except BaseException:
        keyring.close()
        raise
    return Turned(keyring=keyring, given=given, refused=refused)


def _tell(keyring: Keyring) -> None:
    vault_keys.remember(keyring)
    with in_force(keyring):
        data_key_turned.send_robust(Vault, person_id=keyring.owner, keyring=keyring)


def _write(
    keyring: Keyring, *, asking: UUID, here: SessionCookie | None
) -> tuple[int, tuple[RefusedSlot, ...]]:
    vault = Vault.objects.get(owner_id=keyring.owner)
    if vault.epoch != keyring.epoch - 1:
        raise StaleKeyring
    if FormerKey.objects.filter(owner_id=keyring.owner).exists():
        raise Unfinished
    with in_force(keyring):
        try:
            renewed, refused = _renewed_slots(keyring, known=ways_in.listed(vault) or {asking})
            if asking not in {slot.id for slot in renewed}:
                raise NoWayIn
            _move_vault(vault, keyring, slots=renewed)
        except EnvelopeError:
            raise DamagedVault from None
        _keep_former_key(keyring)
    _give(renewed)
    _end_sessions(keyring, here=here)
    blind_indexes.renew_all(keyring)
    return len(renewed), tuple(refused)


def _renewed_slots(keyring: Keyring, *, known: Set[UUID]) -> tuple[list[Slot], list[RefusedSlot]]:
    """Return the known slots with the next key in them, and all others with the reason.

    Where no list was kept yet, only the slot that was just opened is known to be its owner's.
    """
    old, new = keyring.data_key(keyring.epoch - 1), keyring.data_key()
    renewed, refused = [], []
    for row in KeySlot.objects.filter(owner_id=keyring.owner).order_by("id"):
        code = NOT_LISTED
        if row.id in known:
            try:
                slot = keys.slot_of(row)
                renewed.append(crypto.renew_slot(slot, old_dek=old, new_dek=new, new_epoch=keyring.epoch))
                continue
            except SlotError as error:
                code = error.code
        refused.append(RefusedSlot(slot_id=row.id, kind=row.kind, code=code))
    return renewed, refused


def _move_vault(vault: Vault, keyring: Keyring, *, slots: list[Slot]) -> None:
    for column in sealed_fields(Vault):
        # Read under the key before, and held until save() seals it under the next.
        setattr(vault, column.attname, getattr(vault, column.attname))
    # Whoever had the key before had the pair too; what is sealed to this person from now on is not theirs.
    vault_keys.replace(vault)
    vault.ways_in = ways_in.sealed_form(slot.id for slot in slots)
    vault.epoch = keyring.epoch
    vault.save()


def _keep_former_key(keyring: Keyring) -> None:
    epoch = keyring.epoch - 1
    FormerKey.objects.create(owner_id=keyring.owner, epoch=epoch, data_key=keyring.data_key(epoch))


def _give(slots: list[Slot]) -> None:
    for slot in slots:
        KeySlot.objects.filter(id=slot.id).update(
            epoch=slot.epoch, sealed_authenticator=slot.sealed_authenticator, box=slot.box, mac=slot.mac
        )


def _end_sessions(keyring: Keyring, *, here: SessionCookie | None) -> None:
    staying = _asking_row(keyring, here) if here else None
    sessions.end_all(person_id=keyring.owner, but=staying.id if staying else None)
    if here is None or staying is None:
        return
    salt = crypto.secret_bytes(16)
    wrapped = crypto.wrap_dek(
        dek=keyring.data_key(),
        half=here.half,
        salt=salt,
        run_secret=run_secret(),
        row=staying.id,
        owner=keyring.owner,
        epoch=keyring.epoch,
    )
    Unlock.objects.filter(sign_in=staying).update(epoch=keyring.epoch, salt=salt, wrapped_dek=wrapped)


def _asking_row(keyring: Keyring, here: SessionCookie) -> SignIn | None:
    row = SignIn.objects.filter(id=here.sign_in_id, person_id=keyring.owner).first()
    if row is None or not hmac.compare_digest(bytes(row.half_hash), hash_half(here.half)):
        return None
    return row
