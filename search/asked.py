"""A query understood: what must stand in a text, what must not, and what narrows. Pure."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from search.folding import is_unbroken


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """Something that must stand in a text: its words next to each other, as `words_of` gives them.

    `literal` is what the folded text must also hold, where words alone say too little (`c++`).
    `joined` is the same without its hyphens: `email` for `e-mail`. `quoted` means exactly these words.
    """

    words: tuple[str, ...]
    quoted: bool = False
    prefix: bool = False
    literal: str = ""
    joined: str = ""

    @property
    def is_word(self) -> bool:
        """Return whether it is one word, of which other forms count too."""
        return (
            len(self.words) == 1 and not self.quoted and not self.literal and not is_unbroken(self.words[0])
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query understood. `text` is what remains of it for searching by meaning.

    `entries` is what `traces` stand for, once whoever knows the person's traces has looked them up.
    """

    terms: tuple[Term, ...] = ()
    without: tuple[Term, ...] = ()
    traces: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    kinds: frozenset[str] = frozenset()
    entries: frozenset[UUID] | None = None
    text: str = ""

    @property
    def is_empty(self) -> bool:
        """Return whether nothing at all is asked."""
        return not (self.terms or self.without or self.is_filtered)

    @property
    def is_filtered(self) -> bool:
        """Return whether days, kinds or traces narrow the search."""
        return bool(self.traces or self.kinds or self.since or self.until)

    @property
    def quotes(self) -> tuple[Term, ...]:
        """Return the phrases in quotes."""
        return tuple(term for term in self.terms if term.quoted)
