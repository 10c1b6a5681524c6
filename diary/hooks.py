"""Hooks through which traces and search extend entries, prompts, export and import.

The diary imports none of them. Each app registers once, from `AppConfig.ready`. A hook is called once for all
entries of a page, so that a day of sixty entries costs as many queries as a day of one, and always with the
owner's keyring in force.

    panels     a template under each entry, and what it is given as `part`
    recalls    entries of earlier days that go into the prompt of a reply, and what they were recalled by
    links      names and URLs of what entries were recalled by, for the sources of a reply
    labels     short names of an entry, which its prompt shows beside its text
    exports    values of entries by kind, as plain data for a file
    imports    puts those values back when a file is imported
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from diary.models import Entry
from diary.rendering.excerpts import Span


@dataclass(frozen=True, kw_only=True)
class EntryPanel:
    """A template shown under an entry with its content; `menu` is one it adds to the menu of reply styles."""

    template: str
    content: Any
    menu: str = ""


@dataclass(frozen=True, kw_only=True)
class RecalledEntries:
    """Entries of days before an entry's, oldest first, and the ids of what they were recalled by."""

    entries: Sequence[Entry] = ()
    by: Sequence[UUID] = ()
    # Those that nobody chose, with the passage of each that is near to the entry in meaning.
    near: Mapping[UUID, Span] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class NamedLink:
    """The name and the URL of something that has a page."""

    name: str
    address: str


class PanelProvider(Protocol):
    """Returns the panels of entries, by entry; of entries that `are_new` nothing needs to be looked up."""

    def __call__(self, entries: Sequence[Entry], *, are_new: bool) -> Mapping[UUID, EntryPanel]: ...


RecallProvider = Callable[[Entry, Collection[UUID]], RecalledEntries]
LinkProvider = Callable[[UUID, Collection[UUID]], Sequence[NamedLink]]
LabelProvider = Callable[[Sequence[Entry]], Mapping[UUID, Sequence[str]]]
Exporter = Callable[[Sequence[Entry]], Mapping[UUID, Any]]
# Takes entries, each with its value from the file; returns, by entry, sentences on what cannot be taken.
Importer = Callable[[Sequence[tuple[Entry, Any]]], Mapping[UUID, Sequence[str]]]
# Called once for each file, with its owner and the file's rows of that kind that belong to no entry.
ImporterFactory = Callable[[UUID, Sequence[Any]], Importer]

_panel_providers: list[PanelProvider] = []
_recall_providers: list[RecallProvider] = []
_link_providers: list[LinkProvider] = []
_label_providers: list[LabelProvider] = []
_exporters: dict[str, Exporter] = {}
_importer_factories: dict[str, ImporterFactory] = {}


def register_panels(*, panels: PanelProvider, links: LinkProvider) -> None:
    """Show an app's panels under entries, and link what it recalls by; registering twice counts once."""
    if panels not in _panel_providers:
        _panel_providers.append(panels)
        _link_providers.append(links)


def register_recall(recalls: RecallProvider) -> None:
    """Ask an app which earlier entries go into the prompt of a reply; registering twice counts once."""
    if recalls not in _recall_providers:
        _recall_providers.append(recalls)


def register_labels(labels: LabelProvider) -> None:
    """Show an app's labels beside entries in prompts; registering twice counts once."""
    if labels not in _label_providers:
        _label_providers.append(labels)


def register_export(kind: str, exports: Exporter) -> None:
    """Write an app's values of entries into exports, under the name of their kind."""
    _exporters[kind] = exports


def register_import(kind: str, imports: ImporterFactory) -> None:
    """Import the values of a kind through an app, in the transaction that inserts their entries."""
    _importer_factories[kind] = imports


def get_panels(entries: Sequence[Entry], *, are_new: bool = False) -> dict[UUID, list[EntryPanel]]:
    """Return the panels of entries of one person, by entry; `are_new` as in `PanelProvider`."""
    panels: dict[UUID, list[EntryPanel]] = {}
    for provide in _panel_providers if entries else ():
        for entry_id, panel in provide(entries, are_new=are_new).items():
            panels.setdefault(entry_id, []).append(panel)
    return panels


def get_links(owner_id: UUID, ids: Collection[UUID]) -> list[NamedLink]:
    """Return links to what entries were recalled by, as far as it still exists."""
    return [link for provide in _link_providers if ids for link in provide(owner_id, ids)]


def get_labels(entries: Sequence[Entry]) -> dict[UUID, list[str]]:
    """Return the labels of entries of one person, by entry."""
    labels: dict[UUID, list[str]] = {}
    for provide in _label_providers if entries else ():
        for entry_id, names in provide(entries).items():
            labels.setdefault(entry_id, []).extend(names)
    return labels


def recall_entries(entry: Entry, *, by: Collection[UUID]) -> RecalledEntries:
    """Return the earlier entries for the prompt of a reply; `by` is what the person chose for this one.

    Whatever an app recalls, only entries of days before the entry's pass.
    """
    recalled = [recall(entry, by) for recall in _recall_providers]
    chosen = {one.id for each in recalled for one in each.entries if one.id not in each.near}
    entries = {one.id: one for each in recalled for one in each.entries if one.day < entry.day}
    return RecalledEntries(
        entries=sorted(entries.values(), key=lambda one: (one.day, one.created_at, one.id)),
        by=[id_ for each in recalled for id_ in each.by],
        near={
            id_: span
            for each in recalled
            for id_, span in each.near.items()
            if id_ in entries and id_ not in chosen
        },
    )


def export_values(entries: Sequence[Entry]) -> dict[str, Mapping[UUID, Any]]:
    """Return the values that apps export with entries of one person, by kind and by entry."""
    return {kind: export(entries) for kind, export in _exporters.items()} if entries else {}


def importable_kinds() -> frozenset[str]:
    """Return the kinds of values that an app imports."""
    return frozenset(_importer_factories)


def build_importers(owner_id: UUID, rows: Mapping[str, Sequence[Any]]) -> dict[str, Importer]:
    """Return the importers of one file, by kind."""
    return {kind: build(owner_id, rows.get(kind, ())) for kind, build in _importer_factories.items()}
