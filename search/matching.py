"""Queries as FTS5 expressions and SQL conditions. Pure.

Every word is quoted and consists of letters and digits only, so nothing a person types is ever syntax.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from search.asked import Query, Term
from search.folding import is_unbroken

# Filters are asked of each text with the words: of 50,000 that takes 30 ms, and nobody reads on so far.
COUNTED: Final = 5000

Forms = Callable[[str], Iterable[str]]


def no_forms(word: str) -> Iterable[str]:
    """Return no other forms of a word."""
    del word
    return ()


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to the words index: `match` for FTS5, or empty where only conditions narrow."""

    match: str = ""
    conditions: tuple[str, ...] = ()
    values: tuple[object, ...] = field(default=(), repr=False)

    def sql(self, columns: str) -> str:
        """Return the statement without its order; `columns` is `count(*)` or the row's number."""
        if self.match and not self.conditions:
            return f"SELECT {columns} FROM words WHERE words MATCH ?"  # noqa: S608 - our own names
        table = "words JOIN docs ON docs.n = words.rowid" if self.match else "docs"
        told = (("words MATCH ?",) if self.match else ()) + self.conditions
        return f"SELECT {columns} FROM {table} WHERE {' AND '.join(told) or '1'}"  # noqa: S608 - our own names

    def counting(self) -> str:
        """Return the statement that counts: exactly by words alone, else up to `COUNTED`, one by one."""
        if not self.conditions:
            return self.sql("count(*)")
        return f"SELECT count(*) FROM ({self.sql('1')} LIMIT {COUNTED})"  # noqa: S608 - our own names

    @property
    def number(self) -> str:
        """Return the column with the row's number."""
        return "words.rowid" if self.match else "docs.n"

    @property
    def parameters(self) -> tuple[object, ...]:
        """Return what stands for the statement's question marks."""
        return (self.match, *self.values) if self.match else self.values


def phrase(words: Iterable[str], *, prefix: bool = False) -> str:
    """Return words next to each other; the last may go on where `prefix`."""
    return f'"{" ".join(words)}"' + (" *" if prefix else "")


def any_of(expressions: Iterable[str]) -> str:
    """Return an expression that holds where one of these does."""
    told = list(dict.fromkeys(expressions))
    return told[0] if len(told) == 1 else f"({' OR '.join(told)})"


def term_expression(
    term: Term, *, forms: Forms = no_forms, begun: Forms = no_forms, beginnings: bool = False
) -> str:
    """Return what one term asks; `beginnings` lets its last word go on, a word alone as `begun` says."""
    ways = [phrase(term.words, prefix=term.prefix and term.quoted)]
    if beginnings and term.is_word:
        ways += [phrase([word]) for word in begun(term.words[0])]
    elif beginnings and not term.quoted and not is_unbroken(term.words[-1]):
        ways.append(phrase(term.words, prefix=True))
    if term.joined:
        ways.append(phrase([term.joined]))
    if term.is_word:
        ways += [phrase([form]) for form in forms(term.words[0])]
    return any_of(ways)


def strict(
    query: Query,
    *,
    forms: Forms = no_forms,
    begun: Forms = no_forms,
    beginnings: Callable[[Term], bool] = lambda _: False,
) -> Ask:
    """Return a question for texts with every term of the query, and none of what it goes without."""
    told = [
        term_expression(term, forms=forms, begun=begun, beginnings=beginnings(term))
        for term in query.terms
        if term.words
    ]
    return _narrowed(query, " AND ".join(told))


def together(query: Query, *, beginnings: Callable[[Term], bool]) -> Ask | None:
    """Return a question for texts with all the query's words in a row, or None for a single word."""
    words = [word for term in query.terms for word in term.words]
    if len(words) < 2 or (len(query.terms) == 1 and is_unbroken(words[0])):
        return None
    last = query.terms[-1]
    return _narrowed(query, phrase(words, prefix=bool(last.words) and beginnings(last)))


def loosely(query: Query, *, terms: Iterable[Term], forms: Forms) -> Ask:
    """Return a question for texts with some of these terms."""
    return _narrowed(query, any_of(term_expression(term, forms=forms) for term in terms), literal=False)


def narrowed_only(query: Query, *, among: Iterable[UUID] | None = None) -> Ask:
    """Return a question for all (`among` some texts) that the filters let through, whatever its words."""
    ask = _narrowed(query, "", literal=False)
    if among is None:
        return ask
    ids = json.dumps([id_.hex for id_ in among])
    condition = "docs.id IN (SELECT unhexed(value) FROM json_each(?))"
    return Ask("", (condition, *ask.conditions), (ids, *ask.values))


def _narrowed(query: Query, match: str, *, literal: bool = True) -> Ask:
    conditions: list[str] = []
    values: list[object] = []
    for term in query.terms if literal else ():
        if term.literal:
            conditions.append(f"instr({_where_to_look(term)}, ?) > 0")
            values.append(term.literal)
    for sql, value in _filters(query):
        conditions.append(sql)
        values.append(value)
    unwanted = [
        phrase(term.words, prefix=term.prefix) for term in query.without if term.words and not term.literal
    ]
    for term in query.without:
        if term.literal:
            conditions.append(f"instr({_where_to_look(term)}, ?) = 0")
            values.append(term.literal)
    if unwanted and match:
        match = f"({match}) NOT {any_of(unwanted)}"
    elif unwanted:
        conditions.append("docs.n NOT IN (SELECT rowid FROM words WHERE words MATCH ?)")
        values.append(any_of(unwanted))
    return Ask(match, tuple(conditions), tuple(values))


def _where_to_look(term: Term) -> str:
    # Folding every text takes seconds; punctuation alone has no case to fold.
    return "folded(docs.body)" if term.words or any(map(str.isalpha, term.literal)) else "docs.body"


def _filters(query: Query) -> Iterable[tuple[str, object]]:
    if query.since:
        yield "docs.day >= ?", query.since.isoformat()
    if query.until:
        yield "docs.day <= ?", query.until.isoformat()
    if query.kinds:
        yield "docs.kind IN (SELECT value FROM json_each(?))", json.dumps(sorted(query.kinds))
    if query.entries is not None:
        ids = json.dumps([entry.hex for entry in query.entries])
        yield "docs.entry IN (SELECT unhexed(value) FROM json_each(?))", ids
