"""Registry of the blind-index columns of other apps, which a rotation recomputes.

An app registers each of its columns once, from `AppConfig.ready`. The first step of a rotation rewrites all
these columns in its transaction, because a search with the new data key does not find old indexes.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connection
from django.db.models import Manager, QuerySet

from llamora.crypto import EnvelopeError, Keyring, in_force
from llamora.fields import SealedModel
from llamora.fields.models import sealed_fields

# What loading a row with a value of another type raises.
_ERRORS = (DatabaseError, TypeError, ValueError)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class BlindIndex:
    """A column that stores a keyed hash (blind index) of a sealed value, by which the value is found.

    The hash is `Keyring.blind_index(label, value(row))`. The function `value` needs a keyring in force (see
    `llamora.crypto.keyring`).
    """

    model: type[SealedModel]
    column: str
    label: str
    value: Callable[[Any], str | None]


_registered: dict[str, BlindIndex] = {}


def register_blind_index(index: BlindIndex) -> None:
    """Register a blind-index column, which each rotation then recomputes."""
    _registered[index.label] = index


def unregister_blind_index(label: str) -> None:
    """Remove a blind-index column from the registry, so that no rotation recomputes it any more."""
    _registered.pop(label, None)


def renew_blind_indexes(keyring: Keyring) -> int:
    """Recompute a person's blind indexes for the current epoch of `keyring`; return how many were recomputed.

    They are in all columns that were added with `register_blind_index`.
    """
    with in_force(keyring):
        return sum(_renew(index, keyring) for index in _registered.values())


def _load_rows(index: BlindIndex, rows: QuerySet[Any]) -> Iterator[Any]:
    """Yield rows, without those that raise when they are loaded: no program of ours can have written them."""
    try:
        yield from list(rows)
    except _ERRORS:
        table = index.model._meta.db_table
        with connection.cursor() as cursor:
            numbers = cursor.execute(f"SELECT rowid FROM {table}").fetchall()  # noqa: S608 - our own name
        for (number,) in numbers:
            with suppress(*_ERRORS):
                yield from list(rows.extra(where=[f"{table}.rowid = %s"], params=[number]))  # noqa: S610 - our own name


def _renew(index: BlindIndex, keyring: Keyring) -> int:
    # Every sealed model has an owner, but their common base cannot declare it.
    manager: Manager[Any] = index.model._base_manager
    rows = manager.filter(owner_id=keyring.owner)
    # What is bound to the index is sealed again with it.
    columns = [index.column, *(f.name for f in sealed_fields(index.model) if index.column in f.bound)]
    renewed_count = 0
    for row in _load_rows(index, rows):
        try:
            value = index.value(row)
        except EnvelopeError as error:
            # A damaged row must not prevent a rotation; it could not be read before either.
            _log.warning(
                "A value can't be found by the new key, because it can't be decrypted (%s): %s %s",
                error.code,
                index.label,
                row.pk,
            )
            continue
        digest = None if value is None else keyring.blind_index(label=index.label, value=value)
        setattr(row, index.column, digest)
        row.save(update_fields=columns)
        renewed_count += 1
    return renewed_count
