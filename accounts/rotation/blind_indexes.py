"""Columns that other apps look values up by, each keyed with a data key: a rotation makes them anew.

An app registers each of its columns once, from `AppConfig.ready`. The first step of a rotation rewrites
them all in its one transaction, since an index of the key before would find nothing.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Manager

from llamora.crypto import EnvelopeError, Keyring, in_force
from llamora.fields import SealedModel

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class BlindIndex:
    """A column of `Keyring.blind_index(label, value(row))`; `value` runs with a keyring in force."""

    model: type[SealedModel]
    column: str
    label: str
    value: Callable[[Any], str | None]


_registered: dict[str, BlindIndex] = {}


def register(index: BlindIndex) -> None:
    """Have a column made anew by every rotation."""
    _registered[index.label] = index


def unregister(label: str) -> None:
    """Forget a column."""
    _registered.pop(label, None)


def renew_all(keyring: Keyring) -> int:
    """Make every registered column anew under the keyring's current epoch; return how many rows that were."""
    with in_force(keyring):
        return sum(_renew(index, keyring) for index in _registered.values())


def _renew(index: BlindIndex, keyring: Keyring) -> int:
    # Every sealed model has an owner, which their common base cannot say.
    manager: Manager[Any] = index.model._base_manager
    rows = manager.filter(owner_id=keyring.owner)
    renewed = 0
    for row in rows.iterator():
        try:
            value = index.value(row)
        except EnvelopeError as error:
            # A damaged row must not keep its owner from turning the key; it could not be read before either.
            _log.warning("A blind index cannot be renewed (%s): %s %s", error.code, index.label, row.pk)
            continue
        blind = None if value is None else keyring.blind_index(label=index.label, value=value)
        renewed += rows.filter(pk=row.pk).update(**{index.column: blind})
    return renewed
