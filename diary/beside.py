"""What the apps above bring to the diary, without it knowing them.

Each says so once, from `AppConfig.ready`, and is asked once for everything on a page, so that a day of sixty
entries costs as many queries as a day of one. The owner's keyring is in force whenever one is asked.

    shows      something under each entry: a template, and what it is given as `part`
    recalls    entries of earlier days that an answer is to be given to read, and why
    names      what those were recalled by is called, for who looks at what was read
    labels     small names an entry bears, for the model to read where the day is told
    exports    what an entry bears, by kind, as plain values for a file
    imports    takes those values back when a file comes in again
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from diary.excerpts import Span
from diary.models import Entry


@dataclass(frozen=True, kw_only=True)
class Part:
    """Something shown under an entry; `menu` is the template of what it adds to the ways of answering."""

    template: str
    shown: Any
    menu: str = ""


@dataclass(frozen=True, kw_only=True)
class Recalled:
    """Entries of days before an entry's, oldest first, and the ids of what they were recalled by."""

    entries: Sequence[Entry] = ()
    by: Sequence[UUID] = ()
    # Those that nobody chose, and where in each it is near to the entry in meaning.
    near: Mapping[UUID, Span] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Named:
    """Something with an address of its own, and its name."""

    name: str
    address: str


Shows = Callable[[Sequence[Entry]], Mapping[UUID, Part]]
Recalls = Callable[[Entry, Collection[UUID]], Recalled]
Names = Callable[[UUID, Collection[UUID]], Sequence[Named]]
Labels = Callable[[Sequence[Entry]], Mapping[UUID, Sequence[str]]]
Exports = Callable[[Sequence[Entry]], Mapping[UUID, Any]]
# What entries are to bear, each with whatever the file says; in words, what of it cannot be taken, by entry.
Takes = Callable[[Sequence[tuple[Entry, Any]]], Mapping[UUID, Sequence[str]]]
# Asked once for each file, with its owner and the file's rows of that kind that belong to no entry.
Imports = Callable[[UUID, Sequence[Any]], Takes]

_shows: list[Shows] = []
_recalls: list[Recalls] = []
_names: list[Names] = []
_labels: list[Labels] = []
_exports: dict[str, Exports] = {}
_imports: dict[str, Imports] = {}


def add(*, shows: Shows, names: Names) -> None:
    """Have an app asked for what it shows and names; the same one twice counts once."""
    if shows not in _shows:
        _shows.append(shows)
        _names.append(names)


def add_recalls(recalls: Recalls) -> None:
    """Have an app asked which earlier entries an answer is to read; the same one twice counts once."""
    if recalls not in _recalls:
        _recalls.append(recalls)


def add_labels(labels: Labels) -> None:
    """Have entries told with the names they bear; the same one twice counts once."""
    if labels not in _labels:
        _labels.append(labels)


def labels_of(entries: Sequence[Entry]) -> dict[UUID, list[str]]:
    """Return the small names that entries of one person bear, by entry."""
    found: dict[UUID, list[str]] = {}
    for labels in _labels if entries else ():
        for entry_id, names in labels(entries).items():
            found.setdefault(entry_id, []).extend(names)
    return found


def add_export(kind: str, exports: Exports) -> None:
    """Have what entries bear written into an export, under the name of its kind."""
    _exports[kind] = exports


def add_import(kind: str, imports: Imports) -> None:
    """Have what an export wrote under a kind taken back, within the transaction that its entries come in."""
    _imports[kind] = imports


def kinds_imported() -> frozenset[str]:
    """Return the kinds that somebody takes back."""
    return frozenset(_imports)


def taking(owner_id: UUID, rows: Mapping[str, Sequence[Any]]) -> dict[str, Takes]:
    """Return who takes back what one file says, by kind."""
    return {kind: imports(owner_id, rows.get(kind, ())) for kind, imports in _imports.items()}


def parts_of(entries: Sequence[Entry]) -> dict[UUID, list[Part]]:
    """Return what is shown under entries of one person, by entry."""
    parts: dict[UUID, list[Part]] = {}
    for shows in _shows if entries else ():
        for entry_id, part in shows(entries).items():
            parts.setdefault(entry_id, []).append(part)
    return parts


def recalled_for(entry: Entry, *, by: Collection[UUID]) -> Recalled:
    """Return what is to be read besides the day; `by` is what the person chose this once.

    Whatever an app recalls, nothing of the entry's day or a later one passes.
    """
    found = [recalls(entry, by) for recalls in _recalls]
    chosen = {one.id for recalled in found for one in recalled.entries if one.id not in recalled.near}
    entries = {one.id: one for recalled in found for one in recalled.entries if one.day < entry.day}
    return Recalled(
        entries=sorted(entries.values(), key=lambda one: (one.day, one.created_at, one.id)),
        by=[id_ for recalled in found for id_ in recalled.by],
        near={
            id_: span
            for recalled in found
            for id_, span in recalled.near.items()
            if id_ in entries and id_ not in chosen
        },
    )


def names_of(owner_id: UUID, ids: Collection[UUID]) -> list[Named]:
    """Return what entries were recalled by, as far as it is still there."""
    return [named for names in _names if ids for named in names(owner_id, ids)]


def exported_with(entries: Sequence[Entry]) -> dict[str, Mapping[UUID, Any]]:
    """Return what entries of one person bear, by kind and by entry."""
    return {kind: exports(entries) for kind, exports in _exports.items()} if entries else {}
