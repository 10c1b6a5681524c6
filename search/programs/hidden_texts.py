"""Selection of the texts to hide from a program that may read only the owner's own texts.

Hidden are untrusted entries and facts, and texts that a model generated from one of these, or from an entry
that no longer exists: whoever can write to the database can delete a row and so its origin. Even a program
that may read hidden texts does not find texts generated from facts or notes if it lacks the keys of these.
The sources of a generated text are encrypted beside it; they are read once and cached with the open index, as
ids only. A text without sources counts as generated from facts and notes (`diary.generation.prompt_record`),
and a recap that does not name its entries counts as generated from untrusted ones.

An origin is bound to its text, but it is a plain column, which whoever writes to the database can change. So
before a program gets a text, the text and each entry that it was generated from are decrypted, which fails if
the origin was changed (`find_origins`).
Texts are counted by the columns alone (`find_hidden`).
"""

import json
from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import connection

from diary.generation.prompt_record import BESIDE_ENTRIES, PromptRecord, find_read_realms, find_recap_sources
from diary.models import TRUSTED_ORIGINS, Entry, Opening, Origin, Recap, Reply
from llamora.crypto import Realm, current_realm_keyring
from llamora.database import CachedIdQuery, CachedQuery
from llamora.database.lookups import build_owner_condition
from llamora.threads import let_others_run
from search.errors import IndexClosed
from search.index.person_index import PersonIndex
from search.index.types import FACT_KIND
from search.programs.decrypted_rows import DecryptedRowCache
from traces.facts.models import TRUSTED_FACT_ORIGINS, Fact, FactState


class TextSources(NamedTuple):
    """The sources of a generated text: the ids of entries, and the realms of its other sources.

    `is_clean` is true only if the text's record proves that all sources were its owner's own.
    """

    entries: frozenset[UUID] = frozenset()
    realms: frozenset[Realm] = frozenset()
    is_clean: bool = True

    def is_text_readable(self, unreadable: Container[UUID], *, with_hidden: bool = False) -> bool:
        """Return whether a program may read the text that was generated from these sources.

        The program's keyring must have the realms of all sources. Without `with_hidden`, the sources must
        also be clean, and none of their ids may be in `unreadable`.
        """
        if not current_realm_keyring().has_realms(self.realms):
            return False
        return with_hidden or (self.is_clean and not any(id_ in unreadable for id_ in self.entries))


# By the text's id, with the moment at which it was written.
_KnownTextSources = dict[UUID, tuple[object, TextSources]]
# An index belongs to a key, and so does what was opened with it.
_known: "WeakKeyDictionary[PersonIndex, _KnownTextSources]" = WeakKeyDictionary()
_opened: "WeakKeyDictionary[PersonIndex, DecryptedRowCache]" = WeakKeyDictionary()
# The sources that are gone, with the texts and the number of entries for which they were looked up.
_gone: "WeakKeyDictionary[PersonIndex, tuple[_KnownTextSources, int, set[UUID]]]" = WeakKeyDictionary()
_MODEL_TEXTS: Final[tuple[tuple[str, type[Any], str], ...]] = (
    ("reply", Reply, "finished_at"),
    ("opening", Opening, "created_at"),
    ("recap", Recap, "created_at"),
)
# The facts that are not trusted, with the revision of the index at which they were looked up.
_other_facts: "WeakKeyDictionary[PersonIndex, tuple[int, frozenset[UUID]]]" = WeakKeyDictionary()
_AT_ONCE: Final = 500
_SELECT_GONE: Final = """
    SELECT value FROM json_each(%s) WHERE NOT EXISTS (
        SELECT 1 FROM diary_entry WHERE diary_entry.id = value AND owner_id = %s
    )
"""


def find_hidden(index: PersonIndex, *, with_hidden: bool = False) -> set[UUID]:
    """Return the ids of the indexed texts that are hidden from a program.

    The keyring of the program's token must be in force. With `with_hidden`, return only the texts that a
    model generated from texts of realms that the keyring lacks.
    """
    if with_hidden:
        if _opens_all_sources():
            return set()
        known = _load_sources(index).items()
        return {id_ for id_, (_, sources) in known if not sources.is_text_readable((), with_hidden=True)}
    others = set(_others_query(owner_id=index.owner))
    written = _load_sources(index)
    unreadable = others | _find_gone(index, written)
    hidden = {id_ for id_, (_, sources) in written.items() if not sources.is_text_readable(unreadable)}
    hidden.update(others, _find_other_facts(index))
    return hidden


def _find_other_facts(index: PersonIndex) -> Collection[UUID]:
    """Return the ids of the accepted facts that are not trusted.

    No index of the database has the origins, and reading 100,000 rows takes 70 ms. So the result is cached
    until the search index changes: each change of a fact encrypts it again, and it is then indexed again.
    Until then an outdated result only makes a count wrong, since `find_origins` decrypts what is found.
    """
    if index.words is None:
        raise IndexClosed
    # Before the query: a fact that is indexed meanwhile is then looked up by the next search.
    revision = index.words.get_revision()
    known = _other_facts.get(index)
    if known is None or known[0] != revision:
        known = _other_facts[index] = (revision, frozenset(_other_facts_query(owner_id=index.owner)))
    return known[1]


def find_origins_in_index(
    index: PersonIndex, by_kind: Mapping[str, Sequence[UUID]], *, with_hidden: bool
) -> dict[UUID, str]:
    """Return, by text id, the origins of texts that are in a search index. See `find_origins`.

    A row that was decrypted before and is unchanged is not decrypted again.
    """
    opened = _opened.setdefault(index, DecryptedRowCache())
    return find_origins(index.owner, by_kind, with_hidden=with_hidden, opened=opened)


def find_origins(
    owner: UUID,
    by_kind: Mapping[str, Sequence[UUID]],
    *,
    with_hidden: bool,
    opened: DecryptedRowCache | None = None,
) -> dict[UUID, str]:
    """Return the origins of texts by text id. If `with_hidden` is false, hidden texts are left out.

    Texts that cannot be decrypted are always left out. Each row is decrypted, since an index does not notice
    if its origin was changed without a key. Unchanged rows that are cached in `opened` are not decrypted
    again.
    """
    rows_opened, found = opened if opened is not None else DecryptedRowCache(), dict[UUID, str]()
    for kind, query, field, trusted in _OPENED_KINDS:
        if kind in by_kind:
            for id_, origin in rows_opened.list_decryptable(query, by_kind[kind], owner=owner, field=field):
                if with_hidden or origin in trusted:
                    found[id_] = origin
    rows = [
        row
        for kind, model, _ in _MODEL_TEXTS
        if kind in by_kind
        for row in model.objects.filter(owner_id=owner, id__in=by_kind[kind])
    ]
    if with_hidden:
        readable = rows if _opens_all_sources() else [row for row in rows if _is_of_realms(row)]
    else:
        readable = _filter_clean(owner, rows, rows_opened) if rows else []
    return found | {row.id: Origin.MODEL.value for row in readable}


def _build_written_query(model: type[Any], moment: str) -> Callable[..., Any]:
    return lambda owner_id: model.objects.filter(owner_id=owner_id).order_by().values_list("id", moment)


# Each search of a program asks these. The entries, deleted or not, that their owner neither wrote nor took as
# their own:
_others_query: Final[CachedQuery[UUID]] = CachedQuery(
    lambda owner_id: (
        Entry.objects.get_queryset()
        .filter(owner_id=owner_id)
        .exclude(origin__in=TRUSTED_ORIGINS)
        .order_by()
        .values_list("id", flat=True)
    )
)
_other_facts_query: Final[CachedQuery[UUID]] = CachedQuery(
    lambda owner_id: (
        Fact.objects.only_accepted(owner_id)
        .order_by()
        .exclude(origin__in=TRUSTED_FACT_ORIGINS)
        .values_list("id", flat=True)
    )
)
_entries_query: Final[CachedIdQuery[Entry]] = CachedIdQuery(
    lambda ids, owner_id: Entry.objects.filter(build_owner_condition(owner_id), id__in=ids)
)
# Those that a text was generated from, deleted or not.
_sources_query: Final[CachedIdQuery[Entry]] = CachedIdQuery(
    lambda ids, owner_id: (
        Entry.objects.get_queryset().filter(build_owner_condition(owner_id), id__in=ids).order_by()
    )
)
_facts_query: Final[CachedIdQuery[Fact]] = CachedIdQuery(
    lambda ids, owner_id: Fact.objects.for_ids(owner_id, ids).filter(state=FactState.ACCEPTED)
)
# The kinds with an origin of their own, the field that opens, and the origins that are not hidden.
_OPENED_KINDS: Final = (
    ("entry", _entries_query, "text", TRUSTED_ORIGINS),
    (FACT_KIND, _facts_query, "body", TRUSTED_FACT_ORIGINS),
)
_written_queries: Final[dict[str, CachedQuery[tuple[UUID, object]]]] = {
    kind: CachedQuery(_build_written_query(model, moment)) for kind, model, moment in _MODEL_TEXTS
}


def _opens_all_sources() -> bool:
    return current_realm_keyring().has_realms(BESIDE_ENTRIES)


def _is_of_realms(row: Any) -> bool:
    return _read_sources(row).is_text_readable((), with_hidden=True)


def _filter_clean(owner: UUID, rows: Sequence[Any], opened: DecryptedRowCache) -> list[Any]:
    sources = {row.id: _read_sources(row) for row in rows}
    ids = set[UUID]().union(*(some.entries for some in sources.values()))
    entries = opened.list_decryptable(_sources_query, ids, owner=owner, field="text")
    unreadable = ids - {id_ for id_, origin in entries if origin in TRUSTED_ORIGINS}
    return [row for row in rows if sources[row.id].is_text_readable(unreadable)]


def _find_gone(index: PersonIndex, written: _KnownTextSources) -> set[UUID]:
    """Return the sources of these texts that no longer exist; an entry in the bin still exists.

    Looking up all of them takes long, so the result is cached until the number of entries changes. An
    outdated result only makes a count wrong: `find_origins` looks up the sources of a found text again.
    """
    if not written:
        return set()
    count = Entry.objects.get_queryset().filter(owner_id=index.owner).count()
    known = _gone.get(index)
    if known is not None and known[0] is written and known[1] == count:
        return known[2]
    ids = set[UUID]().union(*(sources.entries for _, sources in written.values()))
    with connection.cursor() as cursor:
        cursor.execute(_SELECT_GONE, [json.dumps([id_.hex for id_ in ids]), index.owner.hex])
        gone = {UUID(value) for (value,) in cursor.fetchall()}
    _gone[index] = (written, count, gone)
    return gone


def _load_sources(index: PersonIndex) -> _KnownTextSources:
    """Return the sources of all texts that a model generated; known sources are not decrypted again.

    Without the realm `content` in the keyring, the result is empty.
    """
    if not current_realm_keyring().has_realm(Realm.CONTENT):
        return {}
    known = _known.get(index, {})
    current: _KnownTextSources = {}
    for kind, model, _ in _MODEL_TEXTS:
        written = dict(_written_queries[kind](owner_id=index.owner))
        # One without a moment is still being written, and so is what it read.
        current |= {
            id_: known[id_] for id_, at in written.items() if at and id_ in known and known[id_][0] == at
        }
        new = [id_ for id_ in written if id_ not in current]
        for some in _iter_batches(new):
            for row in model.objects.filter(owner_id=index.owner, id__in=some).order_by():
                current[row.id] = (written[row.id], _read_sources(row))
            let_others_run()
    if current == known:
        return known
    _known[index] = current
    return current


def _iter_batches(ids: Sequence[UUID]) -> Iterable[Sequence[UUID]]:
    return (ids[first : first + _AT_ONCE] for first in range(0, len(ids), _AT_ONCE))


def _read_sources(row: Any) -> TextSources:
    if isinstance(row, Recap):
        ids = find_recap_sources(row.open_or("body", None))
        return TextSources(ids or frozenset(), is_clean=ids is not None)
    text, read = row.open_or("text", None), row.open_or("read", None)
    record = PromptRecord.from_json(read)
    return TextSources(
        frozenset(record.source_ids if record else set())
        | ({row.entry_id} if isinstance(row, Reply) else set()),
        realms=find_read_realms(read, text),
        is_clean=text is not None and record is not None and record.is_clean(text),
    )
