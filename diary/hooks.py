"""Hooks by which traces and search extend entries, prompts, export and import.

The diary imports neither app. Each app registers its hooks once, from `AppConfig.ready`. A hook is called
once for all entries of a page, so that the number of queries does not depend on the number of entries, and
always with the owner's keyring in force.

    panels     HTML below each entry
    recalls    entries of earlier days for the prompt of a reply, and the ids by which they were found
    facts      facts for the prompt of a reply, and the facts in the sources of a reply
    notes      reference notes for the prompt of a reply
    links      names and URLs of those ids, for the sources of a reply
    labels     short names of an entry, shown beside its text in a prompt
    frequent   those of the given words that occur on many days of the diary
    exports    values that an export adds to each entry, by kind
    imports    importers of these values
    rows       importers of rows that belong to no entry
    signatures labels under which an export signs rows, so that an import into the same diary recognises them
    today      sections of today's page
    rules      which rows of a table are exported to a program that may read only its owner's words
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.utils.safestring import SafeString

from accounts.models import Person
from diary.generation.prompt_context import PromptNote
from diary.models import Entry
from diary.rendering.excerpts import Span


@dataclass(frozen=True, kw_only=True)
class EntryPanel:
    """A part of the page that another app adds below an entry, as `html` or as a `template` with `content`.

    A panel with HTML forms needs a template, which gets the content as `part`. `menu` is a template for the
    menu of reply styles, `action` a template for the other actions of the entry.
    """

    html: SafeString = field(default=SafeString(""), repr=False)
    template: str = ""
    content: Any = None
    menu: str = ""
    action: str = ""


@dataclass(frozen=True, kw_only=True)
class TodaySection:
    """A section that another app adds to today's page: a template, and the `content` shown in it."""

    template: str
    content: Any = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class RecalledEntries:
    """Entries of earlier days, oldest first, and the ids of the traces by which they were found."""

    entries: Sequence[Entry] = ()
    by: Sequence[UUID] = ()
    # Those that nobody chose, with the passage of each that is near to the entry in meaning.
    near: Mapping[UUID, Span] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RecalledFact:
    """A fact that bears on an entry or a question."""

    id: UUID
    text: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class SourceFact:
    """A fact in the sources of a reply, and whether replies may read the fact.

    `address` is the URL of the fact's page. A POST to `choice_address` allows or forbids reading the fact.
    """

    text: str = field(repr=False)
    address: str
    choice_address: str
    is_read: bool


@dataclass(frozen=True, kw_only=True)
class NamedLink:
    """A link in the sources of a reply: its text (a name), and its URL."""

    name: str
    address: str


class PanelProvider(Protocol):
    """A function that returns the panels of entries, as a dict from entry id to panel.

    `are_new` means that the entries were just created, so that no query is needed.
    """

    def __call__(self, entries: Sequence[Entry], *, are_new: bool) -> Mapping[UUID, EntryPanel]: ...


RecallProvider = Callable[[Entry, Collection[UUID]], RecalledEntries]
FactRecallProvider = Callable[[Entry], Sequence[RecalledFact]]
NoteRecallProvider = Callable[[Entry], Sequence[PromptNote]]
SourceFactProvider = Callable[[UUID, Collection[UUID]], Sequence[SourceFact]]
LinkProvider = Callable[[UUID, Collection[UUID]], Sequence[NamedLink]]
LabelProvider = Callable[[Sequence[Entry]], Mapping[UUID, Sequence[str]]]
# None where that is not known: there is no open index, or too few days to tell.
FrequentWordFinder = Callable[[Collection[str], float], Collection[str] | None]
Exporter = Callable[[Sequence[Entry]], Mapping[UUID, Any]]
# Takes entries, each with its value from the file; returns, by entry, sentences on what cannot be taken.
Importer = Callable[[Sequence[tuple[Entry, Any]]], Mapping[UUID, Sequence[str]]]
# Called once for each file, with its owner and the file's rows of that kind that belong to no entry.
ImporterFactory = Callable[[UUID, Sequence[Any]], Importer]


class ImportedFile(Protocol):
    """Protocol of a file during its import, for functions of other apps that import rows from the file."""

    @property
    def owner_id(self) -> UUID: ...

    @property
    def now(self) -> datetime: ...

    def refuse(self, sentence: str) -> bool:
        """Report why a row cannot be imported, and return False."""

    def parse_columns(self, label: str, row: dict[str, Any], parsers: Any) -> dict[str, Any]:
        """Return the columns of a row, and report the values that cannot be imported."""

    def is_signed(self, row: dict[str, Any], label: bytes) -> bool:
        """Return whether this diary signed the row under this label, and the row is unchanged."""

    def group_rows(self, kind: str, *, by: str) -> Mapping[str, Sequence[dict[str, Any]]]:
        """Return the rows of `kind` in the imported file, grouped by the id in their column `by`.

        It is the id of the object to which they belong. The result is a dict from this id to a list of rows.
        """

    def resolve_entries(self, ids: Sequence[UUID]) -> Mapping[UUID, UUID]:
        """Return a dict from entry ids in the imported file to the ids of the same entries in this diary."""

    def derive_id(self, *parts: bytes) -> UUID:
        """Return an id computed from the bytes `parts`. Equal parts give the same id at every import."""

    def adopt_record(self, record: dict[str, Any] | None) -> dict[str, Any] | None:
        """Return a prompt record in which each entry's id in the file is replaced by its id in this diary.

        The record no longer says that its text was generated from trusted texts alone.
        """


# Takes the number of a row in the file and the row; returns whether it was added.
RowInserter = Callable[[ImportedFile, int, dict[str, Any]], bool]


# Takes a row and the entry that it belongs to, if any; returns whether its owner's words alone are in it.
ExportRule = Callable[[Any, Entry | None], bool]
# Called once for each export, with the owner and the entries, deleted or not, that are their own. An entry
# that is deleted for good is not among them, since its origin cannot be checked any more.
ExportRuleFactory = Callable[[UUID, frozenset[UUID]], ExportRule]

# Takes the person whose page it is; returns None where there is nothing to show.
TodaySectionBuilder = Callable[[Person], TodaySection | None]

_panel_providers: list[PanelProvider] = []
_recall_providers: list[RecallProvider] = []
_fact_recall_providers: list[FactRecallProvider] = []
_note_recall_providers: list[NoteRecallProvider] = []
_source_fact_providers: list[SourceFactProvider] = []
_link_providers: list[LinkProvider] = []
_label_providers: list[LabelProvider] = []
_frequent_word_finders: list[FrequentWordFinder] = []
_today_sections: list[TodaySectionBuilder] = []
_exporters: dict[str, Exporter] = {}
_importer_factories: dict[str, ImporterFactory] = {}
_row_inserters: dict[str, RowInserter] = {}
_rule_factories: dict[str, ExportRuleFactory] = {}
_signature_labels: dict[str, bytes] = {}


def register_panels(*, panels: PanelProvider, links: LinkProvider) -> None:
    """Register an app's panels of entries, and its links for recalled entries.

    A second registration has no effect.
    """
    if panels not in _panel_providers:
        _panel_providers.append(panels)
        _link_providers.append(links)


def register_recall(recalls: RecallProvider) -> None:
    """Register a function that recalls earlier entries for replies; a second registration has no effect."""
    if recalls not in _recall_providers:
        _recall_providers.append(recalls)


def register_fact_recall(recalls: FactRecallProvider) -> None:
    """Register a function that recalls facts for replies; a second registration has no effect."""
    if recalls not in _fact_recall_providers:
        _fact_recall_providers.append(recalls)


def register_note_recall(recalls: NoteRecallProvider) -> None:
    """Register a function that recalls reference notes for replies; a second registration has no effect."""
    if recalls not in _note_recall_providers:
        _note_recall_providers.append(recalls)


def register_source_facts(find: SourceFactProvider) -> None:
    """Register a function that returns facts for a reply's sources; a second registration has no effect."""
    if find not in _source_fact_providers:
        _source_fact_providers.append(find)


def register_labels(labels: LabelProvider) -> None:
    """Register a function that returns short names of entries for prompts.

    A second registration has no effect.
    """
    if labels not in _label_providers:
        _label_providers.append(labels)


def register_frequent_words(find: FrequentWordFinder) -> None:
    """Register a function that finds frequent words; a second registration has no effect."""
    if find not in _frequent_word_finders:
        _frequent_word_finders.append(find)


def register_today_section(build: TodaySectionBuilder) -> None:
    """Register a function that builds a section of today's page; a second registration has no effect."""
    if build not in _today_sections:
        _today_sections.append(build)


def register_export(kind: str, exports: Exporter) -> None:
    """Register a function that adds values to each entry of an export, under the key `kind`."""
    _exporters[kind] = exports


def register_import(kind: str, imports: ImporterFactory) -> None:
    """Register an app's importer for a kind of exported values.

    The importer runs in the transaction that inserts the entries.
    """
    _importer_factories[kind] = imports


def register_row_import(kind: str, insert: RowInserter) -> None:
    """Register an app's importer for the rows of a kind that belong to no entry."""
    _row_inserters[kind] = insert


def register_signature(model: str, label: bytes) -> None:
    """Register the frozen label under which an export signs the rows of a model.

    `model` is the Django label of the model, such as "traces.fact".
    """
    _signature_labels[model] = label


def get_signature_label(model: str) -> bytes | None:
    """Return the label under which rows of a model are signed, or None if they are not."""
    return _signature_labels.get(model)


def get_row_inserters() -> Mapping[str, RowInserter]:
    """Return the importers of rows that belong to no entry, as a dict by kind of row."""
    return _row_inserters


def register_export_rule(label: str, factory: ExportRuleFactory) -> None:
    """Register a function that builds the rule for the rows of a model.

    The rule decides which rows may be exported to a program. `label` is the Django label of the model, such
    as "traces.trace".
    """
    _rule_factories[label] = factory


def build_export_rules(owner_id: UUID, own_ids: frozenset[UUID]) -> dict[str, ExportRule]:
    """Return a dict from model label to the rule that decides which rows an export to a program contains.

    `own_ids` are the entries that are their owner's own. Rows of a model without a rule are not exported.
    """
    return {label: factory(owner_id, own_ids) for label, factory in _rule_factories.items()}


def build_today_sections(person: Person) -> list[TodaySection]:
    """Return the sections that apps add to a person's page of today."""
    built = (build(person) for build in _today_sections)
    return [section for section in built if section is not None]


def get_panels(entries: Sequence[Entry], *, are_new: bool = False) -> dict[UUID, list[EntryPanel]]:
    """Return a dict from entry id to the panels that apps add to the entry.

    If the entries are new (`are_new`), no database query is made.
    """
    panels: dict[UUID, list[EntryPanel]] = {}
    for provide in _panel_providers if entries else ():
        for entry_id, panel in provide(entries, are_new=are_new).items():
            panels.setdefault(entry_id, []).append(panel)
    return panels


def get_links(owner_id: UUID, ids: Collection[UUID]) -> list[NamedLink]:
    """Return links to the traces or facts with these ids; what no longer exists is left out."""
    return [link for provide in _link_providers if ids for link in provide(owner_id, ids)]


def get_labels(entries: Sequence[Entry]) -> dict[UUID, list[str]]:
    """Return a dict from entry id to the short names that prompts show beside the entry."""
    labels: dict[UUID, list[str]] = {}
    for provide in _label_providers if entries else ():
        for entry_id, names in provide(entries).items():
            labels.setdefault(entry_id, []).extend(names)
    return labels


def find_frequent_words(words: Collection[str], *, share: float) -> Collection[str] | None:
    """Return the words that occur on more than this share of a diary's days, or None if unknown."""
    found = (find(words, share) for find in _frequent_word_finders if words)
    return next((frequent for frequent in found if frequent is not None), None)


def recall_entries(entry: Entry, *, by: Collection[UUID]) -> RecalledEntries:
    """Return earlier entries for the prompt of a reply; `by` are the traces chosen for this reply.

    Recalled entries of the entry's own day or later are dropped, and so are untrusted ones. For an untrusted
    entry nothing is recalled, since trusted and untrusted texts must not be in one prompt.
    """
    if not entry.is_trusted:
        return RecalledEntries()
    recalled = [recall(entry, by) for recall in _recall_providers]
    chosen = {one.id for each in recalled for one in each.entries if one.id not in each.near}
    entries = {
        one.id: one for each in recalled for one in each.entries if one.day < entry.day and one.is_trusted
    }
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


def recall_facts(entry: Entry) -> list[RecalledFact]:
    """Return the facts that bear on an entry, the nearest first; none for an untrusted entry."""
    if not entry.is_trusted:
        return []
    return [fact for recall in _fact_recall_providers for fact in recall(entry)]


def recall_notes(entry: Entry) -> list[PromptNote]:
    """Return the reference notes that bear on an entry, the nearest first; none for an untrusted entry."""
    if not entry.is_trusted:
        return []
    return [note for recall in _note_recall_providers for note in recall(entry)]


def list_source_facts(owner_id: UUID, ids: Collection[UUID]) -> list[SourceFact]:
    """Return the facts with these ids, for the sources of a reply; forgotten facts are left out."""
    return [fact for find in _source_fact_providers if ids for fact in find(owner_id, ids)]


def export_values(entries: Sequence[Entry]) -> dict[str, Mapping[UUID, Any]]:
    """Return the values that apps export for entries, as a dict from kind to values by entry id."""
    return {kind: export(entries) for kind, export in _exporters.items()} if entries else {}


def list_importable_kinds() -> frozenset[str]:
    """Return the kinds of values that apps can import."""
    return frozenset(_importer_factories) | frozenset(_row_inserters)


def build_importers(owner_id: UUID, rows: Mapping[str, Sequence[Any]]) -> dict[str, Importer]:
    """Return a dict from kind of exported values to their importer, for the import of one file."""
    return {kind: build(owner_id, rows.get(kind, ())) for kind, build in _importer_factories.items()}
