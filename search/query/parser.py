"""Parser of the query language of the search box. Pure; accepts any text.

    walked home        both words (or their forms, or words that begin like the last one)
    "walked home"      these words next to each other; curly and unclosed quotes count
    walk*              words with this prefix
    -rain  -"so what"  texts without the word or phrase
    from:2026-01  to:2026-03-15    days, months or years, both ends included
    on:yesterday  from:"last summer"    days in plain words, if the caller passes a `DayReader`
    days:all           no preference for days that the plain words name
    in:entries         entries, replies, openings, recaps, facts or notes
    trace:garden       entries with that trace, and the replies to them

Text that only resembles a filter (`from:yesturday`, `10:30`) is searched for as written. If the plain
words name days (`rain last summer`), `SearchQuery.within` is the same query without these words, limited to
these days; its results come first.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final
from uuid import UUID

from search.query.days import DayReader
from search.query.folding import find_long_numbers, fold, is_unbroken, split_words


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryTerm:
    """A term that a text must contain: adjacent words, as returned by `split_words`.

    `literal` is a string that the folded text must also contain, if the words alone are too general (`c++`).
    `joined` is the term without hyphens: `email` for `e-mail`. `number` is the digits of a long number, as of
    a telephone. `also` are alternatives to a single word. `quoted` means that only the exact words match.
    """

    words: tuple[str, ...]
    quoted: bool = False
    prefix: bool = False
    literal: str = ""
    joined: str = ""
    number: str = ""
    also: tuple[str, ...] = ()

    @property
    def is_word(self) -> bool:
        """Return whether the term is a single word, whose other forms match too."""
        return (
            len(self.words) == 1 and not self.quoted and not self.literal and not is_unbroken(self.words[0])
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchQuery:
    """A parsed query; `text` is the part of it that is searched by meaning.

    `entries` is the set of entries with the `traces`, once these have been looked up for the person. `hidden`
    are the row ids, in the word index, of texts hidden from a program. With `has_whole_words`, a word never
    matches as a prefix, even if nothing else is found.
    """

    terms: tuple[QueryTerm, ...] = ()
    without: tuple[QueryTerm, ...] = ()
    traces: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    kinds: frozenset[str] = frozenset()
    # The values of filters that are no days, and were searched for as written.
    unread_days: tuple[str, ...] = ()
    has_all_days: bool = False
    has_whole_words: bool = False
    within: "SearchQuery | None" = None
    entries: frozenset[UUID] | None = None
    hidden: tuple[int, ...] = field(default=(), repr=False)
    text: str = ""

    @property
    def is_empty(self) -> bool:
        """Return whether the query has no term and no filter."""
        return not (self.terms or self.without or self.is_filtered)

    @property
    def is_filtered(self) -> bool:
        """Return whether days, kinds or traces narrow the search."""
        return bool(self.traces or self.kinds or self.since or self.until)

    @property
    def is_narrowed(self) -> bool:
        """Return whether filters or hidden texts narrow the search."""
        return self.is_filtered or bool(self.hidden)

    @property
    def quoted_phrases(self) -> tuple[QueryTerm, ...]:
        """Return the quoted phrases."""
        return tuple(term for term in self.terms if term.quoted)


MAX_TYPED: Final = 400
MAX_TERMS: Final = 24
KINDS: Final = {
    "entry": "entry",
    "entries": "entry",
    "reply": "reply",
    "replies": "reply",
    "opening": "opening",
    "openings": "opening",
    "recap": "recap",
    "recaps": "recap",
    "fact": "fact",
    "facts": "fact",
    "note": "note",
    "notes": "note",
}

_QUOTES = '"“”„‟«»「」『』'
# A straight quote is closed by the next straight one, so that a phrase may hold typographic ones. Any other
# pair is mixed freely: languages disagree on which of them opens, and a phone changes only some.
_PIECE = re.compile(
    r"(?P<minus>-?)(?:(?P<name>[A-Za-z]+):)?"
    rf'(?:"(?P<straight>[^"]*)"|[{_QUOTES}](?P<curly>[^{_QUOTES}]*)(?:[{_QUOTES}]|$))(?P<star>\*?)'
    # A long number may be written in groups.
    r"|(?P<plain>\+?\(?[0-9](?:[ ()/.\-]{0,2}[0-9]){6,17}(?!\S)|\S+)"
)
# Punctuation that surrounds words and is no part of them; what is left over decides whether to look
# literally.
_SURROUNDING = ".,;:!?…()[]{}<>'‘’‚‛`´\"*_~=|-–—/\\¿¡、。，！？：；（）【】《》・·"
_JOINERS = re.compile(r"[-'’‘._/:,‐‑–—~=\s]")
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class QueryPiece:
    """A part of a typed query, delimited by spaces or quotes: its sign, filter name, value and quotes."""

    minus: bool
    name: str
    value: str
    quoted: bool
    star: bool
    raw: str


def parse(typed: str, *, reader: DayReader | None = None) -> SearchQuery:
    """Return the parsed query.

    If `reader` finds days in it, its attribute `within` is the same query, limited to those days.
    """
    clean = _normalize(typed)
    query = _parse_clean(clean, reader)
    if reader is None or query.has_all_days or query.since or query.until:
        return query
    mention = reader.find(_blank_filters(clean))
    if mention is None:
        return query
    first, last = mention.days
    narrowed = f"from:{first} to:{last} {clean[: mention.start]} {clean[mention.end :]}"
    return replace(query, within=_parse_clean(narrowed, None))


def _blank_filters(clean: str) -> str:
    """Return the query with spaces in the place of everything but plain words, so that offsets stay."""
    plain = list(clean)
    for match, piece in zip(_PIECE.finditer(clean), _split_pieces(clean), strict=True):
        if piece.minus or piece.quoted or piece.name in _FILTERS:
            plain[match.start() : match.end()] = " " * (match.end() - match.start())
    return "".join(plain)


def _parse_clean(clean: str, reader: DayReader | None) -> SearchQuery:
    query = SearchQuery()
    spoken: list[str] = []
    for written in _split_pieces(clean):
        piece = _read_days(written, reader) if reader is not None else written
        if reader is not None and piece.name in _DAY_FILTERS and not _is_filter(piece):
            query = replace(query, unread_days=(*query.unread_days, f"{piece.name}:{piece.value}"))
        query, said = _add_piece(query, piece)
        spoken += [said] if said else []
    query = replace(
        query, terms=query.terms[:MAX_TERMS], without=query.without[:MAX_TERMS], text=" ".join(spoken)
    )
    symbols = "".join(clean.split())
    if query.is_empty and (literal := fold(symbols.strip(_QUOTES) or symbols)):
        # Nothing but punctuation: the one thing that can be meant is that very punctuation.
        return SearchQuery(terms=(QueryTerm(words=(), literal=literal, quoted=True),))
    return _allow_prefix(query, clean)


def _normalize(typed: str) -> str:
    # Half a character has no UTF-8, and SQLite ends a text at NUL.
    whole = typed[:MAX_TYPED].encode("utf-8", "ignore").decode("utf-8")
    return whole.replace("\0", " ").strip("\n\r\t")


def _split_pieces(text: str) -> Iterator[QueryPiece]:
    for found in _PIECE.finditer(text):
        plain = found["plain"]
        if plain is None:
            quoted = found["straight"]
            yield QueryPiece(
                bool(found["minus"]),
                (found["name"] or "").lower(),
                found["curly"] if quoted is None else quoted,
                True,
                bool(found["star"]),
                found[0],
            )
            continue
        minus = plain.startswith("-") and len(plain) > 1 and (plain[1].isalnum() or not plain[1].isascii())
        name, colon, value = plain[minus:].partition(":")
        yield QueryPiece(
            minus, name.lower() if colon else "", value, False, plain.endswith("*"), plain[minus:]
        )


def _read_days(piece: QueryPiece, reader: DayReader) -> QueryPiece:
    """Return a filter whose days are in plain words with days in digits, and any other piece unchanged."""
    if piece.minus or piece.name not in _DAY_FILTERS or _parse_bounds(piece.value):
        return piece
    days = reader.read(piece.value)
    return replace(piece, value=f"{days[0]}..{days[1]}") if days else piece


def _is_filter(piece: QueryPiece) -> bool:
    """Return whether a piece with the name of a filter is valid, excluded by a minus, or has no value yet."""
    known = _FILTERS.get(piece.name)
    return (
        piece.minus
        or not piece.value.strip()
        or (known is not None and known(SearchQuery(), piece.value) is not None)
    )


def _add_piece(query: SearchQuery, piece: QueryPiece) -> tuple[SearchQuery, str]:
    """Return the query with one piece added, and the part of the piece that is searched by meaning."""
    known = _FILTERS.get(piece.name)
    narrowed = known(query, piece.value) if known and not piece.minus else None
    if narrowed is not None:
        return narrowed, ""
    term = _build_term(piece)
    if term is None:
        return query, ""
    if piece.minus:
        return replace(query, without=(*query.without, term)), ""
    return replace(
        query, terms=(*query.terms, term)
    ), piece.value if piece.quoted and not piece.name else piece.raw


def _build_term(piece: QueryPiece) -> QueryTerm | None:
    if piece.quoted:
        words = tuple(split_words(piece.raw if piece.name else piece.value))
        return QueryTerm(words=words, quoted=True, prefix=piece.star) if words else None
    trimmed = piece.raw.strip(_SURROUNDING).lstrip("#")
    words = tuple(split_words(trimmed))
    if not words:
        # Letters of a script that neither SQLite nor Python takes for letters are still there to be found.
        # What is left of characters without a width is nothing.
        literal = fold(trimmed)
        return QueryTerm(words=(), literal=literal, quoted=True) if literal else None
    bare = _JOINERS.sub("", trimmed)
    broken = not any(is_unbroken(word) for word in words)
    joined = "".join(words) if broken and len(words) > 1 and "-" in trimmed else ""
    numbers = find_long_numbers(piece.raw)
    return QueryTerm(
        words=words,
        prefix=piece.star,
        literal="" if numbers else _get_literal(trimmed, bare),
        joined=joined,
        number=numbers[0][0] if len(numbers) == 1 else "",
    )


def _get_literal(trimmed: str, bare: str) -> str:
    if all(character.isalnum() or character in "*_" for character in bare):
        return ""
    folded = fold(trimmed)
    return (
        "" if all(character.isalnum() or is_indexed_alone(character) for character in fold(bare)) else folded
    )


def is_indexed_alone(character: str) -> bool:
    """Return whether a character is indexed as a word of its own."""
    words = split_words(character)
    return bool(words) and is_unbroken(words[0])


def _allow_prefix(query: SearchQuery, clean: str) -> SearchQuery:
    """Let the last word match as a prefix while it is still being typed."""
    if not query.terms or not clean or clean[-1].isspace() or not (clean[-1].isalnum()):
        return query
    last = query.terms[-1]
    if last.quoted or last.literal or is_unbroken(last.words[-1]) or len(last.words[-1]) < 2:
        return query
    return replace(query, terms=(*query.terms[:-1], replace(last, prefix=True)))


def _parse_bounds(value: str) -> tuple[date, date] | None:
    """Return the first and last day of the day, month or year in `value`."""
    first_value, dots, last_value = value.partition("..")
    if dots:
        first_bounds, last_bounds = _parse_bounds(first_value), _parse_bounds(last_value)
        return (first_bounds[0], last_bounds[1]) if first_bounds and last_bounds else None
    found = _DATE.fullmatch(value.strip())
    if not found:
        return None
    year, month, day = (int(part) if part else None for part in found.groups())
    try:
        first = date(year or 0, month or 1, day or 1)
        last_month = month or 12
        return first, date(first.year, last_month, day or monthrange(first.year, last_month)[1])
    except ValueError:
        return None


def _set_since(query: SearchQuery, value: str) -> SearchQuery | None:
    bounds = _parse_bounds(value)
    return replace(query, since=max(bounds[0], query.since or bounds[0])) if bounds else None


def _set_until(query: SearchQuery, value: str) -> SearchQuery | None:
    bounds = _parse_bounds(value)
    return replace(query, until=min(bounds[1], query.until or bounds[1])) if bounds else None


def _set_kind(query: SearchQuery, value: str) -> SearchQuery | None:
    kind = KINDS.get(value.strip().lower())
    return replace(query, kinds=query.kinds | {kind}) if kind else None


def _add_trace(query: SearchQuery, value: str) -> SearchQuery | None:
    name = " ".join(value.split())
    return replace(query, traces=(*query.traces, name)) if name else None


def _set_days(query: SearchQuery, value: str) -> SearchQuery | None:
    since = _set_since(query, value)
    return _set_until(since, value) if since else None


def _set_all_days(query: SearchQuery, value: str) -> SearchQuery | None:
    return replace(query, has_all_days=True) if value.lower() == "all" else None


_DAY_FILTERS: Final = frozenset({"from", "to", "on"})
_FILTERS: Final[dict[str, Callable[[SearchQuery, str], SearchQuery | None]]] = {
    "from": _set_since,
    "to": _set_until,
    "on": _set_days,
    "days": _set_all_days,
    "in": _set_kind,
    "trace": _add_trace,
}


@dataclass(frozen=True, slots=True)
class QueryFilter:
    """A filter as shown on the page, and the query without it."""

    name: str
    value: str
    rest: str


def list_filters(typed: str, *, reader: DayReader | None = None) -> list[QueryFilter]:
    """Return the filters and exclusions of a query."""
    clean = _normalize(typed)
    found: list[QueryFilter] = []
    for match, piece in zip(_PIECE.finditer(clean), _split_pieces(clean), strict=True):
        known = _FILTERS.get(piece.name)
        read = _read_days(piece, reader) if reader is not None else piece
        rest = " ".join((clean[: match.start()] + " " + clean[match.end() :]).split())
        if piece.minus and _build_term(piece):
            found.append(QueryFilter("without", piece.value if piece.quoted else piece.raw, rest))
        elif known and not piece.minus and known(SearchQuery(), read.value) is not None:
            found.append(QueryFilter(piece.name, piece.value, rest))
    return found


def add_filter(typed: str, added: str) -> str:
    """Return a query with a filter added at the end, or at the start if an open quote would contain it."""
    asked = len(list_filters(typed))
    appended = f"{typed.rstrip()} {added}"
    return appended if len(list_filters(appended)) > asked else f"{added} {typed.strip()}"
