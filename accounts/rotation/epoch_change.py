"""First step of a rotation, in one transaction; after it, new values are sealed under the next data key.

The vault's columns and its epoch change in one UPDATE; otherwise the fence trigger would refuse the row. The
next data key is sealed to the key slots without their secrets, because the former data key opens their
authenticators. A slot for a new secret replaces the slot of its kind in the same transaction, so that the
list of the next epoch never contains a replaced slot.

A diary of format 1 is moved to format 2 by the same step: its plaintext columns get their MACs.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.keys import former_keys, key_pairs, key_slots, row_shapes, token_slots
from accounts.keys.browser_keys import build_unknown_merged_ids
from accounts.keys.sealed_preferences import encode_preferences
from accounts.keys.slot_list import ListedSlot, SlotList, encode_slot_list, load_slot_list
from accounts.keys.vault_state import VaultState, load_state
from accounts.models import AccessToken, KeySlot, SlotKind, Vault
from accounts.rotation.blind_indexes import renew_blind_indexes
from accounts.rotation.errors import DamagedVault, OpenedSlotRefused, StaleKeyring
from accounts.rotation.format_2 import write_first_macs
from accounts.sessions.cookies import SessionCookie
from accounts.sessions.services import end_other_sessions_after_rotation
from accounts.signals import data_key_rotated, data_key_rotating
from llamora import crypto
from llamora.crypto import Cost, EnvelopeError, KeyId, Keyring, Slot, SlotError, TokenSlot, in_force
from llamora.database import write_transaction
from llamora.fields.models import sealed_fields

NOT_LISTED, DAMAGED = "not_listed", "damaged"


class OtherBrowsers(Enum):
    """The choice whether a rotation signs the person out in all other browsers, or only locks these browsers.

    The person is signed out there if others may know a secret.
    """

    SIGN_OUT = "sign_out"
    LOCK = "lock"


@dataclass(frozen=True, kw_only=True)
class BegunRotation:
    """Result of the first step of a rotation. The caller closes `keyring`, which has all data keys in use.

    `slot` is the opened slot, or the new one of its kind, with the next data key. `recovery_code` is set if a
    vault of format 1 had no list of its key slots: it is a new code, to be shown once.
    """

    keyring: Keyring = field(repr=False)
    slot: Slot
    renewed_slots: int
    refused_slots: tuple[key_slots.RefusedSlot, ...]
    recovery_code: str = field(default="", repr=False)


def begin_rotation(
    opened: key_slots.OpenedSlot,
    *,
    new_secrets: Mapping[SlotKind, str] | None = None,
    cost: Cost | None = None,
    current_cookie: SessionCookie | None = None,
    others: OtherBrowsers = OtherBrowsers.SIGN_OUT,
    leaves_other_slots: bool = True,
    removed_tokens: Collection[UUID] = (),
) -> BegunRotation:
    """Begin a rotation: create the next data key, and seal it in each key slot.

    The person's other sessions end. `new_secrets` replace the slots of their kinds, at `cost` if given.
    Without `leaves_other_slots`, all other slots and all access tokens are removed; `removed_tokens` are
    removed in any case. The session of `current_cookie` remains. If it raises StaleKeyring,
    OpenedSlotRefused, DamagedVault, DerivationQueueFull, DerivationOutOfMemory or NotWritten, the rotation
    has not begun.
    """
    former = opened.keyring
    secrets, recovery_code = _add_recovery_code(opened, dict(new_secrets or {}))
    keyring = _build_next_keyring(former)
    try:
        new_slots = [
            _create_slot(opened, keyring, kind=kind, secret=secret, cost=cost)
            for kind, secret in secrets.items()
        ]
        with in_force(former):
            data_key_rotating.send_robust(Vault, person_id=former.owner, keyring=former)
        with write_transaction():
            renewed, refused = _write_new_epoch(
                keyring,
                former=former,
                opened=opened.slot,
                new_slots=new_slots,
                replaces_all=not leaves_other_slots,
                removed_tokens=removed_tokens,
            )
            end_other_sessions_after_rotation(
                keyring, current_cookie=current_cookie, leaves_signed_in=others is OtherBrowsers.LOCK
            )
            transaction.on_commit(partial(_send_rotated, keyring, former_key_id=former.key_id))
    except BaseException:
        keyring.close()
        raise
    by_kind = {slot.kind: slot for slot in renewed}
    return BegunRotation(
        keyring=keyring,
        slot=by_kind[opened.slot.kind],
        renewed_slots=len(renewed),
        refused_slots=tuple(refused),
        recovery_code=recovery_code,
    )


def _add_recovery_code(
    opened: key_slots.OpenedSlot, secrets: dict[SlotKind, str]
) -> tuple[dict[SlotKind, str], str]:
    """Return the secrets and "", or the secrets with a new recovery code, and that code.

    A new code is needed if a vault of format 1 has no list of slots, which could verify the present code.
    """
    if not opened.keyring.is_of_format_1 or SlotKind.RECOVERY in secrets:
        return secrets, ""
    vault = Vault.objects.get(owner_id=opened.keyring.owner)
    with in_force(opened.keyring):
        if vault.open_or("ways_in", None) is not None:
            return secrets, ""
    code = crypto.new_recovery_code()
    return {**secrets, SlotKind.RECOVERY: crypto.parse_recovery_code(code)}, code


def _build_next_keyring(former: Keyring) -> Keyring:
    keys = {epoch: former.data_key(epoch) for epoch in (*former.list_former_epochs(), former.epoch)}
    epoch = former.epoch + 1
    return Keyring(
        owner=former.owner,
        epoch=epoch,
        keys={**keys, epoch: crypto.secret_bytes()},
        # From a keyring of format 1 it is the next epoch.
        format_2_since=former.format_2_since,
        oldest_epoch=former.oldest_epoch,
    )


def _create_slot(
    opened: key_slots.OpenedSlot, keyring: Keyring, *, kind: SlotKind, secret: str, cost: Cost | None
) -> Slot:
    request = key_slots.DerivationRequest(
        name=opened.person.name, address=str(opened.person.id), is_recognised=True
    )
    return key_slots.create_slot(secret=secret, kind=kind, keyring=keyring, request=request, cost=cost)


def _send_rotated(keyring: Keyring, *, former_key_id: KeyId) -> None:
    with in_force(keyring):
        data_key_rotated.send_robust(
            Vault, person_id=keyring.owner, keyring=keyring, former_key_id=former_key_id
        )


def _write_new_epoch(
    keyring: Keyring,
    *,
    former: Keyring,
    opened: Slot,
    new_slots: list[Slot],
    replaces_all: bool,
    removed_tokens: Collection[UUID],
) -> tuple[list[Slot], list[key_slots.RefusedSlot]]:
    """Write the next epoch; return the slots with its data key, and the slots and tokens without it."""
    vault = Vault.objects.get(owner_id=keyring.owner)
    if vault.epoch != former.epoch:
        raise StaleKeyring
    with in_force(former):
        try:
            listed = load_slot_list(vault)
        except EnvelopeError:
            raise DamagedVault from None
    if listed is None:
        if not former.is_of_format_1:
            raise DamagedVault
        # There never was a list: only the slot that was just opened is known to be genuine.
        listed = {opened.id: ListedSlot(id=opened.id, kind="")}
    rows = KeySlot.objects.filter(owner_id=keyring.owner)
    replaced = rows if replaces_all else rows.filter(kind__in=[slot.kind for slot in new_slots])
    # The others would raise when they are loaded: no program of ours can have written them.
    sound_ids = row_shapes.list_sound_ids(KeySlot, keyring.owner)
    stay = rows.exclude(id__in=replaced.values("id"))
    renewed, refused = _renew_slots(stay.filter(id__in=sound_ids), keyring, former=former, listed=listed)
    refused += [
        key_slots.RefusedSlot(slot_id=slot_id, kind=listed[slot_id].kind, code=DAMAGED)
        for slot_id in stay.exclude(id__in=sound_ids).filter(id__in=listed).values_list("id", flat=True)
    ]
    slots = [*renewed, *new_slots]
    # The secret that was just typed, or its successor, must open the diary afterwards.
    if opened.id not in listed or opened.kind not in {slot.kind for slot in slots}:
        raise OpenedSlotRefused
    tokens = AccessToken.objects.filter(owner_id=keyring.owner)
    (tokens if replaces_all else tokens.filter(id__in=removed_tokens)).delete()
    if replaces_all:
        token_slots.remove_all_confirmations_on_commit(keyring.owner)
    with in_force(keyring):
        try:
            renewed_tokens, refused_tokens = _reseal_vault(
                vault,
                keyring,
                former=former,
                slots=_list_slots(slots, listed=listed),
                listed=listed,
                has_new_code=any(slot.kind == SlotKind.RECOVERY for slot in new_slots),
            )
        except EnvelopeError:
            raise DamagedVault from None
    for epoch in (*former.list_former_epochs(), former.epoch):
        former_keys.save_former_key(keyring, epoch=epoch)
    replaced.delete()
    _update_slots(renewed)
    token_slots.update_tokens(renewed_tokens)
    key_slots.save_slots(new_slots)
    if former.is_of_format_1:
        write_first_macs(keyring)
    renew_blind_indexes(keyring)
    return slots, [*refused, *refused_tokens]


def _renew_slots(
    rows: "QuerySet[KeySlot]", keyring: Keyring, *, former: Keyring, listed: SlotList
) -> tuple[list[Slot], list[key_slots.RefusedSlot]]:
    """Return the listed slots with the next data key, and the refused ones with the reasons."""
    old, new = former.data_key(), keyring.data_key()
    renewed, refused = [], []
    for row in rows.order_by("id"):
        code = NOT_LISTED
        if row.id in listed:
            try:
                slot = key_slots.slot_from_row(row)
                renewed.append(crypto.renew_slot(slot, old_dek=old, new_dek=new, new_epoch=keyring.epoch))
                continue
            except SlotError as error:
                code = error.code
        refused.append(key_slots.RefusedSlot(slot_id=row.id, kind=row.kind, code=code))
    return renewed, refused


def _list_slots(slots: list[Slot], *, listed: SlotList) -> list[ListedSlot]:
    """Return the next list: slots that stay have their names and dates, new ones the present time."""
    now = timezone.now().isoformat(timespec="seconds")
    added = dict(KeySlot.objects.filter(id__in=[slot.id for slot in slots]).values_list("id", "created_at"))
    found = []
    for slot in slots:
        former = listed.get(slot.id)
        if former is None:
            found.append(ListedSlot(id=slot.id, kind=slot.kind, added=now))
        elif not former.kind:
            # Of format 1, whose list had ids alone.
            moment = added[slot.id].isoformat(timespec="seconds") if slot.id in added else ""
            found.append(ListedSlot(id=slot.id, kind=slot.kind, added=moment))
        else:
            found.append(former)
    return found


def _reseal_vault(
    vault: Vault,
    keyring: Keyring,
    *,
    former: Keyring,
    slots: list[ListedSlot],
    listed: SlotList,
    has_new_code: bool,
) -> tuple[list[TokenSlot], list[key_slots.RefusedSlot]]:
    """Write the vault's row; return the renewed tokens, which are not saved yet, and the refused ones."""
    with in_force(former):
        for column in sealed_fields(Vault):
            # Held until save() seals it under the next key.
            setattr(vault, column.attname, _open_column(vault, column.attname))
    # Whoever has the former data key has the former key pair too, and must not open what comes later.
    key_pairs.replace_key_pair(vault)
    tokens, refused = token_slots.renew_tokens(
        keyring, listed=listed, vault_public_key=row_shapes.read_bytes(vault.public_key)
    )
    vault.ways_in = encode_slot_list([*slots, *(listed[token.id] for token in tokens)])
    state = load_state(vault)
    if state is None:
        if not former.is_of_format_1:
            raise DamagedVault
        oldest = min((*former.list_former_epochs(), former.epoch))
        state = VaultState(format_2_since=keyring.epoch, finished=oldest)
    # In the same commit: whatever happens before the code is on a page, it is known that it may not be.
    is_unconfirmed = has_new_code or state.has_unconfirmed_code
    vault.state = replace(state, has_unconfirmed_code=is_unconfirmed).to_json()
    if vault.preferences is None:
        if not former.is_of_format_1:
            raise DamagedVault
        vault.preferences = encode_preferences(vault.owner)
    vault.epoch = keyring.epoch
    vault.save()
    return tokens, refused


def _open_column(vault: Vault, name: str) -> object:
    """Return the value of a column, or a replacement if the column is damaged but dispensable."""
    try:
        return getattr(vault, name)
    except EnvelopeError:
        if name not in Vault.DISPENSABLE:
            raise
        return build_unknown_merged_ids() if name == "folded_drafts" else None


def _update_slots(slots: list[Slot]) -> None:
    for slot in slots:
        KeySlot.objects.filter(id=slot.id).update(
            epoch=slot.epoch, sealed_authenticator=slot.sealed_authenticator, box=slot.box, mac=slot.mac
        )
