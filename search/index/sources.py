"""The searchable texts of all apps, such as entries and facts: sealed columns, read in batches.

An app makes its texts searchable by a line in `SOURCES`. Openings and recaps are derived from entries and may
quote them. Once such an entry is edited, moved or deleted, the opening or recap is excluded from search, so
that a removed text is not found in a derived one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import (
    BinaryField,
    CharField,
    Count,
    DateField,
    Exists,
    Max,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
)
from django.db.models.functions import Cast, Coalesce, Substr

from accounts.models import Vault
from diary.generation.prompt_record import EntryRef, PromptRecord
from diary.models import Entry, Note, Opening, Recap, Reply
from llamora.crypto import EnvelopeError, Keyring, RealmKeyring, WrongEpoch, in_force, keyed_digest
from llamora.database import CachedIdQuery, CachedQuery
from llamora.database.lookups import build_owner_condition
from llamora.fields import SealedValue
from llamora.fields.models import mac_fields
from llamora.inference.job import LIVE_STATES
from search.index.types import FACT_KIND, NOTE_KIND, Document
from traces.facts.models import Fact, FactState


def open_or_none(column: Any, row: dict[str, Any], sealed: SealedValue | None, keyring: RealmKeyring) -> Any:
    """Return the value of a sealed column, or None if it does not open; raise WrongEpoch or VaultLocked.

    `row` has the MAC columns, and the columns that the envelope and the MACs are bound to. No model instance
    is created, since that takes three times as long as opening its envelope.
    """
    if sealed is None:
        return None
    try:
        if not keyring.reads_columns_unchecked:
            for mac in mac_fields(column.model):
                code = row[mac.attname]
                mac.verify(keyring, code.envelope if code is not None else b"", row)
        return column.decode(column.unseal(keyring, sealed.envelope, row))
    except WrongEpoch:
        # A rotation is under way: the text is there, only not for this keyring.
        raise
    except EnvelopeError:
        return None


_ENTRY_BATCH: Final = 500
_DAYS_AFTER: Final = 32


def find_derived_from_days(owner: UUID, days: Iterable[date]) -> list[UUID]:
    """Return the ids of the recaps and openings that may quote the entries of these days.

    An opening is derived from the latest days with entries before it. Only the next openings are returned; a
    later one is checked when it is found.
    """
    ids: list[UUID] = []
    for day in days:
        after = Opening.objects.filter(owner_id=owner, is_dismissed=False, day__gt=day).order_by("day")
        ids += after.values_list("id", flat=True)[:_DAYS_AFTER]
        ids += Recap.objects.filter(owner_id=owner, day=day).values_list("id", flat=True)
    return ids


def filter_current_recaps(rows: "QuerySet[Any]") -> "QuerySet[Any]":
    """Return the recaps of days whose entries have not changed since the recap.

    Entries that were moved or deleted for good need no check: their recap was deleted with them.
    """
    since = OuterRef("created_at")
    changed = Q(created_at__gt=since) | Q(edited_at__gt=since) | Q(deleted_at__gt=since)
    of_the_day = Entry.objects.filter(owner_id=OuterRef("owner_id"), day=OuterRef("day"))
    return rows.filter(~Exists(of_the_day.filter(changed)))


@dataclass(frozen=True, slots=True)
class OpeningSources:
    """One opening with its `PromptRecord`, which lists the sources. An unreadable record is None."""

    id: UUID
    made_at: datetime
    prompt_record: PromptRecord | None


def find_stale_openings(
    owner: UUID, *, keyring: RealmKeyring, among: Iterable[UUID] | None = None
) -> set[UUID]:
    """Return the ids of openings whose source entries or recaps have changed since they were generated.

    If `among` is given, only openings with these ids are returned.
    """
    openings = list(_load_openings(owner, keyring, among))
    now = _load_entry_times(
        owner, {ref for one in openings if one.prompt_record for ref in one.prompt_record.entries}
    )
    recaps = _load_recap_times(
        owner, {day for one in openings if one.prompt_record for day in one.prompt_record.recaps}
    )
    return {one.id for one in openings if not _is_current(one, now, recaps)}


def _load_openings(
    owner: UUID, keyring: RealmKeyring, among: Iterable[UUID] | None
) -> Iterator[OpeningSources]:
    rows = Opening.objects.filter(owner_id=owner, is_dismissed=False)
    if among is not None:
        rows = rows.filter(id__in=list(among))
    column = Opening._meta.get_field("read")
    for id_, day, made_at, sealed in rows.values_list("id", "day", "created_at", "read"):
        row = {"id": id_, "owner_id": owner, "day": day}
        try:
            yield OpeningSources(
                id_, made_at, PromptRecord.from_json(open_or_none(column, row, sealed, keyring))
            )
        except WrongEpoch:
            continue  # a rotation is under way; so it counts as current


def _load_entry_times(owner: UUID, refs: set[EntryRef]) -> dict[EntryRef, datetime | None]:
    """Return when each of these entries was last edited; without entries that are no longer on their day."""
    ids = sorted({id_ for id_, _ in refs})
    found: dict[EntryRef, datetime | None] = {}
    for first in range(0, len(ids), _ENTRY_BATCH):
        rows = Entry.objects.for_owner(owner).filter(id__in=ids[first : first + _ENTRY_BATCH]).order_by()
        found |= {(id_, day): edited for id_, day, edited in rows.values_list("id", "day", "edited_at")}
    return found


def _load_recap_times(owner: UUID, days: set[date]) -> dict[date, datetime]:
    """Return when the recap of each of these days was made; without days that have no current recap."""
    if not days:
        return {}
    rows = filter_current_recaps(Recap.objects.filter(owner_id=owner, day__in=sorted(days)))
    return dict(rows.values_list("day", "created_at"))


def _is_current(
    opening: OpeningSources, entries: dict[EntryRef, datetime | None], recaps: dict[date, datetime]
) -> bool:
    if opening.prompt_record is None:
        return False
    return all(
        ref in entries and (entries[ref] or opening.made_at) <= opening.made_at
        for ref in opening.prompt_record.entries
    ) and all(day in recaps and recaps[day] <= opening.made_at for day in opening.prompt_record.recaps)


# Bytes 6 to 29 of an envelope are its nonce: another one whenever the text was sealed anew.
_NONCE_AT: Final = 6
_NONCE: Final = 24
DOCUMENT_BATCH: Final = 500

ComputeDigest = Callable[[str], bytes]
FindStale = Callable[..., set[UUID]]


def _find_nothing(*_: object, **__: object) -> set[UUID]:
    return set()


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSource:
    """A kind of searchable text: its model, its columns, and the filter for rows that can be found.

    `find_stale` returns rows that must not be found any more for a reason outside their own columns. `entry`
    is the column with the entry's id; for a text without an entry, the id of its own row.
    """

    kind: str
    model: type[Model]
    filter_rows: Callable[["QuerySet[Any]"], "QuerySet[Any]"] = field(repr=False)
    find_stale: FindStale = field(default=_find_nothing, repr=False)
    extract_text: Callable[[Any], str] = field(default=str, repr=False)
    column: str = "text"
    entry: str = "id"
    day: str = "day"
    # Columns by which all of a person's texts are read, about in the order of their days.
    order: tuple[str, ...] = ("day", "created_at")

    def filter_existing(self, owner: UUID, ids: Sequence[UUID], *, keyring: RealmKeyring) -> set[UUID]:
        """Return the ids of the searchable texts among these."""
        there = set(_existing_queries[self.kind](ids, owner_id=owner))
        return there - (self.find_stale(owner, keyring=keyring, among=there) if there else set())

    def select_ids(self, ids: Sequence[UUID], *, owner_id: UUID) -> "QuerySet[Any, UUID]":
        """Return the ids of the searchable texts among these, including stale ones (see `find_stale`)."""
        return self._select(build_owner_condition(owner_id), id__in=ids).values_list("id", flat=True)

    def _select(self, *conditions: Any, **lookups: Any) -> "QuerySet[Any]":
        manager: Any = self.model._default_manager
        return self.filter_rows(manager.filter(*conditions, **lookups)).order_by()

    def list_stamps(self, owner: UUID, *, keyring: Keyring) -> dict[str, bytes]:
        """Return a dict from the id in hex of each text to the text's stamp. Nothing is decrypted.

        A stamp shows whether the text has changed: it is the nonce of its ciphertext. The ids are hex, since
        creating 50,000 UUIDs would take most of the time.
        """
        nonce = Substr(Cast(self.column, BinaryField()), _NONCE_AT, _NONCE, output_field=BinaryField())
        rows = self._select(owner_id=owner).order_by(*self.order)
        gone = {id_.hex for id_ in self.find_stale(owner, keyring=keyring)}
        values = rows.values_list(Cast("id", CharField()), nonce)
        # SQLite keeps ids without dashes; a database with a type for them writes them with.
        stamps = ((id_.replace("-", ""), bytes(stamp or b"")) for id_, stamp in values)
        return {id_: stamp for id_, stamp in stamps if id_ not in gone}

    def list_loaded_columns(self) -> list[str]:
        """Return the names of the columns to load: the text, and what is needed to decrypt it."""
        column: Any = self.model._meta.get_field(self.column)
        macs = [name for mac in mac_fields(self.model) for name in (mac.attname, *mac.bound)]
        return list(
            dict.fromkeys(["id", "owner_id", self.entry, self.day, *column.bound, *macs, self.column])
        )

    def select_rows(self, **lookups: Any) -> "QuerySet[Any, tuple[Any, ...]]":
        """Return the rows of searchable texts, each with the values of the columns in `list_loaded_columns`.

        Select by id alone: given the owner too, SQLite reads all rows of that person for every batch.
        """
        return self._select(**lookups).values_list(*self.list_loaded_columns())

    def load(self, ids: Sequence[UUID], *, keyring: Keyring, digest: ComputeDigest) -> Iterator[Document]:
        """Yield these texts, decrypted; texts that do not open are left out."""
        column: Any = self.model._meta.get_field(self.column)
        names = self.list_loaded_columns()
        rows = _row_queries[self.kind](id=ids[0]) if len(ids) == 1 else list(self.select_rows(id__in=ids))
        gone = (
            self.find_stale(keyring.owner, keyring=keyring, among=[row[0] for row in rows]) if rows else set()
        )
        for values in rows:
            row = dict(zip(names, values, strict=True))
            if row["owner_id"] != keyring.owner or row["id"] in gone:
                continue
            text = open_or_none(column, row, row[self.column], keyring)
            if text is not None:
                yield self._build_document(row, self.extract_text(text), digest)

    def _build_document(self, row: dict[str, Any], text: str, digest: ComputeDigest) -> Document:
        return Document(
            id=row["id"],
            kind=self.kind,
            entry=row[self.entry],
            day=row[self.day],
            stamp=row[self.column].envelope[_NONCE_AT - 1 : _NONCE_AT - 1 + _NONCE],
            digest=digest(text),
            text=text,
        )


# As in 2026-11-30.
_DAY_LENGTH: Final = 10


def _only_existing(rows: "QuerySet[Any]") -> "QuerySet[Any]":
    return rows.filter(deleted_at=None)


def _only_finished(rows: "QuerySet[Any]") -> "QuerySet[Any]":
    return rows.filter(entry__deleted_at=None).exclude(state__in=LIVE_STATES)


def _only_shown(rows: "QuerySet[Any]") -> "QuerySet[Any]":
    return rows.filter(is_dismissed=False)


def _only_accepted(facts: "QuerySet[Any]") -> "QuerySet[Any]":
    """Return the facts that are so now, each with the day of its entry, or else the one it was added on."""
    day = Subquery(Entry.objects.filter(id=OuterRef("entry_id")).values("day")[:1])
    added_on = _take_day("created_at")
    accepted = facts.filter(state=FactState.ACCEPTED)
    dated: QuerySet[Any] = accepted.annotate(said_on=Coalesce(day, added_on))
    return dated


def _only_texts(notes: "QuerySet[Any]") -> "QuerySet[Any]":
    """Return the notes that are texts, each with the day on which it was changed last."""
    dated: QuerySet[Any] = notes.filter(text__isnull=False).annotate(changed_on=_take_day("updated_at"))
    return dated


def _take_day(moment: str) -> Substr:
    """Return the day of a column of moments, which SQLite has as text in UTC.

    `TruncDate` would end the whole query at a value that is no moment.
    """
    return Substr(Cast(moment, TextField()), 1, _DAY_LENGTH, output_field=DateField())


def _get_body_text(body: Any) -> str:
    return str(body.get("text", "")) if isinstance(body, dict) else ""


SOURCES: Final[tuple[TextSource, ...]] = (
    TextSource(kind="entry", model=Entry, filter_rows=_only_existing),
    TextSource(
        kind="reply",
        model=Reply,
        entry="entry_id",
        day="entry__day",
        order=("entry__day", "created_at"),
        filter_rows=_only_finished,
    ),
    TextSource(kind="opening", model=Opening, filter_rows=_only_shown, find_stale=find_stale_openings),
    TextSource(
        kind="recap",
        model=Recap,
        column="body",
        extract_text=_get_body_text,
        filter_rows=filter_current_recaps,
    ),
    TextSource(
        kind=FACT_KIND,
        model=Fact,
        column="body",
        extract_text=_get_body_text,
        day="said_on",
        # Looking up the day of each takes longer than anything else.
        order=("created_at",),
        filter_rows=_only_accepted,
    ),
    TextSource(
        kind=NOTE_KIND,
        model=Note,
        day="changed_on",
        order=("updated_at",),
        filter_rows=_only_texts,
    ),
)

# After each save one text is loaded, so its SQL is compiled once.
_row_queries: Final[dict[str, CachedQuery[tuple[Any, ...]]]] = {
    source.kind: CachedQuery(source.select_rows) for source in SOURCES
}

# Each search asks whether what it found is still there.
_existing_queries: Final[dict[str, CachedIdQuery[UUID]]] = {
    source.kind: CachedIdQuery(source.select_ids) for source in SOURCES
}


def get_digest_function(keyring: Keyring) -> ComputeDigest:
    """Return the function that computes the keyed BLAKE2 digests of a person's texts.

    Its key stays the same when the data key is replaced.
    """
    with in_force(keyring):
        key = bytes(Vault.objects.get(owner_id=keyring.owner).digest_key)
    return lambda text: keyed_digest(key, [text.encode("utf-8", "surrogatepass")])


def list_stamps(owner: UUID, *, keyring: Keyring) -> dict[str, bytes]:
    """Return a dict from the id in hex of each searchable text to the text's stamp.

    A stamp shows whether the text has changed: it is the nonce of its ciphertext. The texts are sorted by
    kind, then by day.
    """
    every = (source.list_stamps(owner, keyring=keyring) for source in SOURCES)
    return {id_: stamp for stamps in every for id_, stamp in stamps.items()}


def filter_existing(
    owner: UUID, by_kind: Mapping[str, Sequence[UUID]], *, keyring: RealmKeyring
) -> set[UUID]:
    """Return which of these texts are in the database and may be found, as a set of ids."""
    asked = [(source, by_kind[source.kind]) for source in SOURCES if source.kind in by_kind]
    return {id_ for source, ids in asked for id_ in source.filter_existing(owner, ids, keyring=keyring)}


def load_documents(
    ids: Iterable[UUID], *, keyring: Keyring, digest: ComputeDigest
) -> Iterator[list[Document]]:
    """Yield these texts, decrypted, in batches, in the given order."""
    wanted = list(ids)
    for first in range(0, len(wanted), DOCUMENT_BATCH):
        some = wanted[first : first + DOCUMENT_BATCH]
        yield _load_batch(some, keyring=keyring, digest=digest)


def _load_batch(ids: Sequence[UUID], *, keyring: Keyring, digest: ComputeDigest) -> list[Document]:
    found: dict[UUID, Document] = {}
    for source in SOURCES:
        # An id is in one table alone: most often all of them are entries.
        left = [id_ for id_ in ids if id_ not in found]
        if left:
            found |= {document.id: document for document in source.load(left, keyring=keyring, digest=digest)}
    return [found[id_] for id_ in ids if id_ in found]


def get_change_signature(owner: UUID) -> tuple[object, ...]:
    """Return a value that changes with most changes of a diary, to detect changes by other processes."""
    entries = Entry.objects.for_owner(owner).aggregate(
        n=Count("id"), newest=Max("created_at"), edited=Max("edited_at")
    )
    replies = Reply.objects.filter(owner_id=owner).aggregate(n=Count("id"), ended=Max("finished_at"))
    openings, recaps = (
        model.objects.filter(owner_id=owner).aggregate(n=Count("id"), made=Max("created_at"))
        for model in (Opening, Recap)
    )
    facts = Fact.objects.only_accepted(owner).aggregate(n=Count("id"), changed=Max("changed_at"))
    notes = Note.objects.filter(owner_id=owner).aggregate(n=Count("id"), updated=Max("updated_at"))
    summaries = (entries, replies, openings, recaps, facts, notes)
    return tuple(value for summary in summaries for value in summary.values())
