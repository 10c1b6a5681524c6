"""Suggestions of traces for an entry: names from the model, names in the entry's text, and often used traces.

A dismissed name is not suggested again. Nothing here adds a trace to an entry.

Call these functions inside `in_force`, which makes the owner's keys available.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache, partial
from hashlib import blake2b
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db.models import Count, Max, QuerySet
from django.utils import timezone

from diary import hooks
from diary.generation.text_language import name_language
from diary.models import Entry
from llamora.crypto import EnvelopeError
from llamora.database import CachedQuery
from llamora.fields import SealedField
from traces.matcher import NameMatcher, TextKey, name_matchers
from traces.models import EntryTrace, TraceProposal
from traces.names import get_content, get_identity
from traces.proposals.text_names import (
    FREQUENT_SHARE,
    MAX_FOUND,
    MAX_NAMES,
    find_names,
    leave_out_frequent,
    list_telling_words,
)

_TEXT: Final[SealedField] = Entry._meta.get_field("text")
MAX_SHOWN: Final = 6
MAX_USUAL: Final = 8
# So many characters tell the language of a text.
_LANGUAGE_LENGTH: Final = 600
# By habit only a few are suggested, and none once an entry is a day old.
MAX_HABITUAL: Final = 3
FRESH_PERIOD: Final = timedelta(days=1)
RECENT_PERIOD: Final = timedelta(days=60)


def get_or_build_row(entry: Entry) -> TraceProposal:
    """Return the proposal row of an entry, or a new unsaved one."""
    row: TraceProposal | None = TraceProposal.objects.filter(entry=entry).first()
    return row or TraceProposal(owner_id=entry.owner_id, entry=entry, body={"offered": [], "dismissed": []})


def get_body(row: TraceProposal | None) -> dict[str, Any]:
    """Return the content of a row, or empty lists if the row is missing or damaged.

    `author` is the model that proposed the names, with its prompt's version; old rows lack it.
    """
    try:
        body = row.body if row is not None else {}
    except EnvelopeError:
        body = {}
    author = {"author": body["author"]} if "author" in body else {}
    return {
        "offered": list(body.get("offered", ())),
        "dismissed": list(body.get("dismissed", ())),
        **author,
    }


def list_proposed_names(
    entry: Entry,
    *,
    row: TraceProposal | None,
    added: Collection[str],
    habit: Sequence[str] = (),
    new: Sequence[str] = (),
) -> list[str]:
    """Return the names suggested for an entry: those of the model, then traces named in its text.

    The names in `new` (see `find_new_names`) come last. If there are no names at all, those in `habit` are
    returned. Dismissed names and those in `added` are left out, and so are new names that say the same as
    another.
    """
    body = get_body(row)
    lexicon = name_matchers.get_current()
    source = _SuggestionSource(
        offered=body["offered"],
        dismissed=body["dismissed"],
        named=_find_traces(entry, lexicon),
        added=list(added),
        habit=list(habit),
        new=list(new),
    )
    return lexicon.suggestions.compute(entry.id, source, partial(_choose_names, lexicon))


class _SuggestionSource(NamedTuple):
    """The input for choosing the suggestions of an entry, besides the names of all traces."""

    offered: list[str]
    dismissed: list[str]
    named: list[UUID]
    added: list[str]
    habit: list[str]
    new: list[str]


def _choose_names(lexicon: NameMatcher, source: _SuggestionSource) -> list[str]:
    named = [lexicon.names[trace_id] for trace_id in source.named]
    offered = [lexicon.get_saved_spelling(name) for name in source.offered]
    left_out = {*source.dismissed, *(get_identity(name) for name in source.added)}
    found: dict[str, str] = {}
    contents = {get_content(name) for name in (*source.added, *named)}
    for name in [*offered, *named] or ([] if source.new else source.habit):
        # "plague" says the same as "the plague"; two traces of the person stay two.
        if lexicon.has_name(name) or get_content(name) not in contents:
            found.setdefault(get_identity(name), name)
            contents.add(get_content(name))
    for name in source.new:
        # So does "Iris" as "Aunt Iris".
        content = get_content(name)
        others = contents | lexicon.contents
        if not any(content <= other or other <= content for other in others):
            found.setdefault(get_identity(name), name)
    return [name for id_, name in found.items() if id_ not in left_out][:MAX_SHOWN]


def find_new_names(entries: Sequence[Entry]) -> dict[UUID, Sequence[str]]:
    """Return, by entry id, up to four names found in the text of the entry that do not occur on many days.

    The result lacks entries that their owner did not write. The names found are cached by text.
    """
    lexicon = name_matchers.get_current()
    keys = {_build_text_key(one): one for one in entries if one.is_trusted}
    found = {key: _find_names(one, key, lexicon) for key, one in keys.items()}
    unknown = {key: names for key, names in found.items() if names and key not in lexicon.rare_in_texts}
    lexicon.rare_in_texts |= _find_rare_names(unknown)
    return {key[0]: lexicon.rare_in_texts.get(key, names)[:MAX_NAMES] for key, names in found.items()}


def _find_rare_names(found: Mapping[TextKey, Sequence[str]]) -> dict[TextKey, list[str]]:
    """Return the names of each text that do not occur on many days, at least four if there are so many.

    The result lacks texts of whose names that is not known.
    """
    rare: dict[TextKey, list[str]] = {key: [] for key in found}
    for first in range(0, MAX_FOUND, MAX_NAMES):
        # The later names are looked up only where frequent ones among the first leave room for them.
        some = {key: found[key][first : first + MAX_NAMES] for key in rare if len(rare[key]) < MAX_NAMES}
        words = {word for names in some.values() for name in names for word in list_telling_words(name)}
        if not words:
            break
        frequent = hooks.find_frequent_words(words, share=FREQUENT_SHARE)
        for key, names in some.items():
            if frequent is not None:
                rare[key] += leave_out_frequent(names, frequent)
            elif names:
                del rare[key]
    return rare


def _find_traces(entry: Entry, lexicon: NameMatcher) -> list[UUID]:
    """Return the ids of the traces named in the text of an entry, cached by text."""
    if not lexicon.names:
        return []
    key = _build_text_key(entry)
    found = lexicon.found_in_texts.get(key)
    if found is None:
        text = entry.open_or("text", None)
        if text is None:
            return []
        found = lexicon.found_in_texts[key] = lexicon.find_in(text)
    return found


def _find_names(entry: Entry, key: TextKey, lexicon: NameMatcher) -> list[str]:
    """Return the names in the text of an entry, cached by text."""
    found = lexicon.names_in_texts.get(key)
    if found is None:
        text = entry.open_or("text", None)
        if text is None:
            return []
        found = find_names(text)
        if found and name_language(text[:_LANGUAGE_LENGTH]) == "German":
            found = find_names(text, writes_nouns_large=True)
        lexicon.names_in_texts[key] = found
    return found


def _build_text_key(entry: Entry) -> TextKey:
    held = entry.get_envelope(_TEXT)
    return entry.id, blake2b(held.envelope if held else b"", digest_size=16).digest()


def list_fresh(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries that were created less than a day ago.

    Only under such entries are frequently used names suggested.
    """
    since = timezone.now() - FRESH_PERIOD
    return [entry for entry in entries if entry.created_at > since]


def list_habitual_names(owner_id: UUID) -> list[str]:
    """Return a few names of a person's most used and most recent traces."""
    names = name_matchers.get_current().names
    if not names:
        return []
    return [names[id_] for id_ in list_usual_traces(owner_id, limit=MAX_HABITUAL) if id_ in names]


def list_usual_traces(owner_id: UUID, *, limit: int = MAX_USUAL) -> list[UUID]:
    """Return ids of traces: those added to most entries in the last sixty days, then the latest added.

    Nothing is decrypted.
    """
    if not limit:
        return []
    frequent, latest = _build_usual_queries(limit)
    since = timezone.now() - RECENT_PERIOD
    # A limit of 0 has no SQL.
    often = [id_ for id_, _ in frequent(owner_id=owner_id, since=since)] if limit // 2 else []
    recent = [id_ for id_, _ in latest(owner_id=owner_id)]
    return list(dict.fromkeys([*often, *recent]))[:limit]


_UsualQuery = CachedQuery[tuple[UUID, Any]]


@lru_cache(maxsize=16)
def _build_usual_queries(limit: int) -> tuple[_UsualQuery, _UsualQuery]:
    """Return the queries of the traces most used lately, and of those most recently added."""

    def select_frequent(owner_id: UUID, since: datetime) -> "QuerySet[EntryTrace, tuple[UUID, Any]]":
        recent = EntryTrace.objects.for_owner(owner_id).order_by().filter(created_at__gt=since)
        counted = recent.values_list("trace_id").annotate(count=Count("id"))
        return counted.order_by("-count", "trace_id")[: limit // 2]

    def select_latest(owner_id: UUID) -> "QuerySet[EntryTrace, tuple[UUID, Any]]":
        every = EntryTrace.objects.for_owner(owner_id).order_by().values_list("trace_id")
        # So many that enough are left without the most used ones.
        return every.annotate(last=Max("created_at")).order_by("-last", "trace_id")[: limit + limit // 2]

    return CachedQuery(select_frequent), CachedQuery(select_latest)


def complete_name(owner_id: UUID, typed: str, *, limit: int = MAX_USUAL) -> list[str]:
    """Return the names that begin with the typed text, or frequently used names if it is blank."""
    lexicon = name_matchers.get_current()
    if not typed.strip():
        return [
            lexicon.names[id_] for id_ in list_usual_traces(owner_id, limit=limit) if id_ in lexicon.names
        ]
    by_use = list_usual_traces(owner_id, limit=len(lexicon.names))
    among = list(dict.fromkeys([*by_use, *lexicon.names]))
    return [lexicon.names[id_] for id_ in lexicon.find_by_prefix(typed, among=among)[:limit]]
