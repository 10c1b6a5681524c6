"""Security-relevant preferences: the sealed copy in the vault overrides the columns of `Person`.

Anyone who can write to the database can change the columns of `Person`. They are used on locked pages and
in the admin. While a diary is unlocked, requests and background work use the sealed copy instead. A
difference is logged, and is removed by the next save of a preference.

    {"model": "", "idle_minutes": null, ...}   the vault's column `preferences`: a value for each of COLUMNS

The names are frozen. A preference that is added to COLUMNS later is missing in older copies; until it is
saved, the value in the row is used.
"""

import logging
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from accounts.keys.opened_columns import load_column
from accounts.models import Person, Vault
from llamora.crypto import EnvelopeError
from llamora.database import CachedQuery, write_transaction

COLUMNS: Final = (
    "model",
    "idle_minutes",
    "makes_openings",
    "reads_related_entries",
    "proposes_traces",
    "saves_recent_searches",
    # Decides on which day a text is saved.
    "time_zone",
    "enter_keeps",
    "sampling",
)

_log = logging.getLogger(__name__)
# Of people whose copy this process opened, so that sessions also end by it where no key is at hand.
_idle_minutes: dict[UUID, int | None] = {}
_logged: set[tuple[UUID, tuple[str, ...]]] = set()


def encode_preferences(person: Person) -> dict[str, Any]:
    """Return the value of the vault's column `preferences` from the columns of a person."""
    return {name: getattr(person, name) for name in COLUMNS}


def load_preferences(vault: Vault) -> dict[str, Any]:
    """Return the decrypted preferences from the sealed copy in a vault.

    Call inside `in_force` with the owner's keyring. Raise EnvelopeError if they are missing or do not open:
    every vault of format 2 has them.
    """
    return dict(load_column(vault, "preferences", parse=_parse))


def _parse(values: Any) -> Mapping[str, Any]:
    if not isinstance(values, dict):
        raise EnvelopeError
    return MappingProxyType({name: values[name] for name in COLUMNS if name in values})


def apply_preferences(person: Person, vault: Vault) -> None:
    """Set the columns of a loaded person to the sealed preferences; raise EnvelopeError."""
    values = load_preferences(vault)
    changed = tuple(name for name, value in values.items() if getattr(person, name) != value)
    for name in changed:
        setattr(person, name, values[name])
    _idle_minutes[person.id] = person.idle_minutes
    if changed and (person.id, changed) not in _logged:
        _logged.add((person.id, changed))
        _log.warning(
            "Preferences of person %s are not those of their encrypted copy, which is used: %s",
            person.id,
            ", ".join(changed),
        )


_person_query: CachedQuery[Person] = CachedQuery(
    lambda id: Person.objects.select_related("vault").filter(id=id)  # noqa: A006 - the column's
)


def load_person(person_id: UUID) -> Person:
    """Return a person with their sealed preferences; raise Person.DoesNotExist or EnvelopeError."""
    person = next(iter(_person_query(id=person_id)), None)
    if person is None:
        raise Person.DoesNotExist
    apply_preferences(person, person.vault)
    return person


def save_preferences(person: Person, *, names: Iterable[str]) -> None:
    """Save the named columns of a person, and update their sealed copy; call inside `in_force`.

    The other columns in COLUMNS are first reset to their values in the sealed copy.
    """
    saved = set(names)
    with write_transaction():
        vault = Vault.objects.get(owner_id=person.id)
        for name, value in load_preferences(vault).items():
            if name not in saved:
                setattr(person, name, value)
        person.save(update_fields=saved.union(COLUMNS))
        vault.preferences = encode_preferences(person)
        vault.save(update_fields=["preferences"])
    _idle_minutes[person.id] = person.idle_minutes


def get_idle_minutes(person: Person) -> int | None:
    """Return the idle limit that a person has chosen, in minutes, or None.

    The decrypted copy of this preference is used if it is cached.
    """
    return _idle_minutes.get(person.id, person.idle_minutes)
