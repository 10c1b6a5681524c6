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

from diary.models import Entry
from diary.rendering.excerpts import Span


@dataclass(frozen=True, kw_only=True)
class EntryPanel:
    """Something shown under an entry; `menu` is the template of what it adds to the ways of answering."""

    template: str
    shown: Any
    menu: str = ""


@dataclass(frozen=True, kw_only=True)
class RecalledEntries:
    """Entries of days before an entry's, oldest first, and the ids of what they were recalled by."""

    entries: Sequence[Entry] = ()
    by: Sequence[UUID] = ()
    # Those that nobody chose, and where in each it is near to the entry in meaning.
    near: Mapping[UUID, Span] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class NamedLink:
    """Something with an address of its own, and its name."""

    name: str
    address: str


PanelProvider = Callable[[Sequence[Entry]], Mapping[UUID, EntryPanel]]
RecallProvider = Callable[[Entry, Collection[UUID]], RecalledEntries]
LinkProvider = Callable[[UUID, Collection[UUID]], Sequence[NamedLink]]
LabelProvider = Callable[[Sequence[Entry]], Mapping[UUID, Sequence[str]]]
Exporter = Callable[[Sequence[Entry]], Mapping[UUID, Any]]
# What entries are to bear, each with whatever the file says; in words, what of it cannot be taken, by entry.
Importer = Callable[[Sequence[tuple[Entry, Any]]], Mapping[UUID, Sequence[str]]]
# Asked once for each file, with its owner and the file's rows of that kind that belong to no entry.
ImporterFactory = Callable[[UUID, Sequence[Any]], Importer]

_panel_providers: list[PanelProvider] = []
_recall_providers: list[RecallProvider] = []
_link_providers: list[LinkProvider] = []
_label_providers: list[LabelProvider] = []
_exporters: dict[str, Exporter] = {}
_importer_factories: dict[str, ImporterFactory] = {}


def register_panels(*, shows: PanelProvider, names: LinkProvider) -> None:
    """Have an app asked for what it shows and names; the same one twice counts once."""
    if shows not in _panel_providers:
        _panel_providers.append(shows)
        _link_providers.append(names)


def register_recall(recalls: RecallProvider) -> None:
    """Have an app asked which earlier entries an answer is to read; the same one twice counts once."""
    if recalls not in _recall_providers:
        _recall_providers.append(recalls)


def register_labels(labels: LabelProvider) -> None:
    """Have entries told with the names they bear; the same one twice counts once."""
    if labels not in _label_providers:
        _label_providers.append(labels)


def get_labels(entries: Sequence[Entry]) -> dict[UUID, list[str]]:
    """Return the small names that entries of one person bear, by entry."""
    found: dict[UUID, list[str]] = {}
    for labels in _label_providers if entries else ():
        for entry_id, names in labels(entries).items():
            found.setdefault(entry_id, []).extend(names)
    return found


def register_export(kind: str, exports: Exporter) -> None:
    """Have what entries bear written into an export, under the name of its kind."""
    _exporters[kind] = exports


def register_import(kind: str, imports: ImporterFactory) -> None:
    """Have what an export wrote under a kind taken back, within the transaction that its entries come in."""
    _importer_factories[kind] = imports


def importable_kinds() -> frozenset[str]:
    """Return the kinds that somebody takes back."""
    return frozenset(_importer_factories)


def build_importers(owner_id: UUID, rows: Mapping[str, Sequence[Any]]) -> dict[str, Importer]:
    """Return who takes back what one file says, by kind."""
    return {kind: imports(owner_id, rows.get(kind, ())) for kind, imports in _importer_factories.items()}


def get_panels(entries: Sequence[Entry]) -> dict[UUID, list[EntryPanel]]:
    """Return what is shown under entries of one person, by entry."""
    parts: dict[UUID, list[EntryPanel]] = {}
    for shows in _panel_providers if entries else ():
        for entry_id, part in shows(entries).items():
            parts.setdefault(entry_id, []).append(part)
    return parts


def recall_entries(entry: Entry, *, by: Collection[UUID]) -> RecalledEntries:
    """Return what is to be read besides the day; `by` is what the person chose this once.

    Whatever an app recalls, nothing of the entry's day or a later one passes.
    """
    found = [recalls(entry, by) for recalls in _recall_providers]
    chosen = {one.id for recalled in found for one in recalled.entries if one.id not in recalled.near}
    entries = {one.id: one for recalled in found for one in recalled.entries if one.day < entry.day}
    return RecalledEntries(
        entries=sorted(entries.values(), key=lambda one: (one.day, one.created_at, one.id)),
        by=[id_ for recalled in found for id_ in recalled.by],
        near={
            id_: span
            for recalled in found
            for id_, span in recalled.near.items()
            if id_ in entries and id_ not in chosen
        },
    )


def get_links(owner_id: UUID, ids: Collection[UUID]) -> list[NamedLink]:
    """Return what entries were recalled by, as far as it is still there."""
    return [named for names in _link_providers if ids for named in names(owner_id, ids)]


def export_values(entries: Sequence[Entry]) -> dict[str, Mapping[UUID, Any]]:
    """Return what entries of one person bear, by kind and by entry."""
    return {kind: exports(entries) for kind, exports in _exporters.items()} if entries else {}
