"""Check of a data key before its use: it must be the key under which the owner's rows were sealed.

A key slot proves that its creator knew its secret, but not that the creator was the owner: anyone who can
write to the database can put a slot with their own secret into the owner's row. So a data key is accepted
only if

1. every sealed column of the vault opens under it, including the list of key slots, the state and the
   preferences; only those in `Vault.DISPENSABLE` may be damaged;
2. at most one row of the owner is of a later epoch than the vault; more would mean that only the vault was
   rolled back, while a single row may be damaged;
3. more than half of the owner's rows are of epochs whose keys are held: the present one and, while a rotation
   is unfinished, former ones;
4. more than half of up to sixteen of those rows open under it: the newest eight, and eight at random.

The last two rules detect a slot *and* a vault that were replaced together. If a former key is lost, the third
decides by a count. So the same database is always accepted, or always refused: the sample of the fourth rule
leaves out the rows that the third has counted.

The keys in an access token open only some realms, not the vault. For them the first rule does not apply, and
the last two apply to rows of their realms.
"""

import logging
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple, NoReturn
from uuid import UUID

from django.db import DatabaseError, connection
from django.db.models import Manager, UUIDField

from accounts.errors import KeysDoNotMatch, StaleVault
from accounts.keys.slot_list import load_slot_list
from accounts.keys.vault_state import load_state
from accounts.models import FormerKey, Vault
from llamora.crypto import EnvelopeError, Keyring, Realm, RealmKeyring, get_realm, in_force
from llamora.database.sqlite.reading import to_id
from llamora.fields import SealedModel
from llamora.fields.fence import sealed_models
from llamora.fields.models import sealed_fields

SAMPLE_SIZE = 8
_FEW = 2
_VECTOR_MODEL = "search.vector"

_log = logging.getLogger(__name__)


def check_keys_match(keyring: Keyring, *, vault: Vault) -> None:
    """Raise KeysDoNotMatch if the owner's rows are not sealed with the data key of `keyring`.

    Raise its subclass StaleVault if the vault was rotated after it was loaded.
    """
    with in_force(keyring):
        if not _opens(vault, ignored=Vault.DISPENSABLE) or not _is_complete(vault, keyring):
            _refuse(vault, "its vault can't be decrypted")
        _check_rows(keyring, vault=vault, realms=tuple(Realm))


def check_realm_keys_match(keyring: RealmKeyring, *, vault: Vault, realms: Collection[Realm]) -> None:
    """Raise KeysDoNotMatch if these realm keys did not seal the owner's rows."""
    with in_force(keyring):
        _check_rows(keyring, vault=vault, realms=realms)


def _check_rows(keyring: RealmKeyring, *, vault: Vault, realms: Collection[Realm]) -> None:
    """Raise KeysDoNotMatch if the rows of some realms are not those of a keyring's owner."""
    counts = _count_rows(keyring, realms=realms)
    if counts.later >= _FEW:
        _refuse(vault, "rows are of a later key than its vault")
    if 2 * counts.without_key >= counts.all > 0:
        _refuse(vault, "most of its rows are of keys that it lacks")
    held = keyring.list_epochs()
    rows = [row for row in _sample_rows(keyring.owner, realms=realms) if _is_of_epochs(row, held)]
    if rows and 2 * sum(_opens(row) for row in rows) <= len(rows):
        _refuse(vault, "most of its rows can't be decrypted")


def find_vault_epoch(owner: UUID) -> int | None:
    """Return the epoch of an owner's vault in the database, or None if there is no such vault."""
    return Vault.objects.filter(owner_id=owner).values_list("epoch", flat=True).first()


def _refuse(vault: Vault, reason: str) -> NoReturn:
    if not Vault.objects.filter(id=vault.id, epoch=vault.epoch).exists():
        raise StaleVault
    _log.error("A key of person %s was refused: %s.", vault.owner_id, reason)
    raise KeysDoNotMatch


def _is_complete(vault: Vault, keyring: Keyring) -> bool:
    """Return whether a vault has what every vault of format 2 has; one of format 1 may lack it."""
    return keyring.is_of_format_1 or (
        load_state(vault) is not None
        and load_slot_list(vault) is not None
        and isinstance(vault.preferences, dict)
    )


class _RowCounts(NamedTuple):
    """Numbers of an owner's rows: of epochs after the vault's, of epochs whose keys are missing, and all."""

    later: int = 0
    without_key: int = 0
    all: int = 0


def _count_rows(keyring: RealmKeyring, *, realms: Collection[Realm]) -> _RowCounts:
    """Count an owner's rows by their epochs: later ones in all tables, the others in those of some realms.

    The vectors of the search index are left out, because they are most of the bytes and follow other rows.
    """
    later_than = keyring.epoch.to_bytes(4, "big")
    held = [epoch.to_bytes(4, "big") for epoch in keyring.list_epochs()]
    sampled = {model._meta.db_table for model in _list_sampled_models(realms)}
    total = _RowCounts()
    with connection.cursor() as cursor:
        for model in (model for model in sealed_models() if model._meta.label_lower != _VECTOR_MODEL):
            table, fields = model._meta.db_table, sealed_fields(model)
            epochs = [f'substr(CAST("{field.column}" AS BLOB), 2, 4)' for field in fields]
            later = " OR ".join(f"{epoch} > %s" for epoch in epochs)
            any_of = ", ".join(["%s"] * len(held))
            lacking = " OR ".join(f"{epoch} NOT IN ({any_of})" for epoch in epochs)
            cursor.execute(
                f"SELECT count(CASE WHEN {later} THEN 1 END), count(CASE WHEN {lacking} THEN 1 END), "  # noqa: S608 - our own names
                f'count(*) FROM "{table}" WHERE +owner_id = %s',
                [later_than] * len(fields) + held * len(fields) + [keyring.owner.hex],
            )
            found = _RowCounts(*cursor.fetchone())
            if table not in sampled:
                found = _RowCounts(later=found.later)
            total = _RowCounts(*map(sum, zip(total, found, strict=True)))
    return total


def _is_of_epochs(row: SealedModel | None, epochs: Collection[int]) -> bool:
    """Return whether all envelopes of a row are of these epochs, or not envelopes at all."""
    if row is None:
        return True
    envelopes = (row.get_envelope(field) for field in sealed_fields(type(row)))
    return all(int.from_bytes(envelope.envelope[1:5], "big") in epochs for envelope in envelopes if envelope)


def _opens(row: SealedModel | None, *, ignored: Collection[str] = ()) -> bool:
    if row is None:
        return False
    try:
        for field in sealed_fields(type(row)):
            if field.attname not in ignored:
                getattr(row, field.attname)
    except EnvelopeError:
        return False
    return True


def find_newest_row(owner: UUID) -> UUID | None:
    """Return the id of an owner's newest row, in any table but those of vaults and former keys.

    No key is needed.
    """
    tables = [model._meta.db_table for model in _list_sampled_models()]
    # Imported rows may have ids of other versions, which do not say when they were made.
    order = "substr(id, 13, 1) = '7' DESC, id DESC"
    return next((to_id(row_id) for _, row_id in _list_ids(tables, owner, order)), None)


def _list_sampled_models(realms: Collection[Realm] = tuple(Realm)) -> list[type[SealedModel]]:
    # Numbered rows do not say when they were made, and have no text.
    left_out = (Vault, FormerKey)
    return [
        model
        for model in sealed_models()
        if issubclass(model, SealedModel)
        and model not in left_out
        and isinstance(model._meta.pk, UUIDField)
        and get_realm(sealed_fields(model)[0].label) in realms
    ]


def _sample_rows(owner: UUID, *, realms: Collection[Realm]) -> Iterator[SealedModel | None]:
    """Yield up to sixteen rows of an owner, perhaps some of them twice, and None for each damaged row."""
    models = {model._meta.db_table: model for model in _list_sampled_models(realms)}
    if not models:
        return
    # Ids are UUIDs of version 7, so the newest rows have the highest ids.
    found = [one for order in ("id DESC", "random()") for one in _list_ids(list(models), owner, order)]
    for table, model in models.items():
        yield from _load_rows(model._base_manager, [row_id for name, row_id in found if name == table])


def _load_rows(manager: "Manager[Any]", ids: Sequence[object]) -> Iterator[SealedModel | None]:
    """Yield the rows with these ids, a row twice if its id is repeated, and None for each damaged row."""
    keys = [to_id(stored) for stored in ids]
    try:
        rows = manager.in_bulk(set(keys)) if keys else {}
    except DatabaseError:
        yield from [None] if len(ids) == 1 else (row for id_ in ids for row in _load_rows(manager, [id_]))
        return
    for key, stored in zip(keys, ids, strict=True):
        if key.hex != stored:
            # A damaged id finds nothing, and its row opens as little as a changed one.
            yield None
        elif key in rows:
            yield rows[key]


def _list_ids(tables: list[str], owner: UUID, order: str) -> list[tuple[str, str]]:
    # The names are those of our own models.
    parts = [f"SELECT '{table}' AS name, id FROM \"{table}\" WHERE owner_id = %s" for table in tables]  # noqa: S608 - our own names
    statement = f"SELECT * FROM ({' UNION ALL '.join(parts)}) ORDER BY {order} LIMIT {SAMPLE_SIZE}"  # noqa: S608 - ours
    with connection.cursor() as cursor:
        cursor.execute(statement, [owner.hex] * len(tables))
        found: list[tuple[str, str]] = cursor.fetchall()
    return found
