"""Which of a person's traces are named in a text: one Aho-Corasick automaton over all their names. Pure.

Text and names are folded alike (identity, and without accents), and a name counts where it stands as words of
its own: `art` is not in `party`. Scripts that write no spaces have no such edges, and 子供 is found within
子供達; a run of katakana is a word, and hangul takes its particles behind it.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

import ahocorasick

from traces.names import identity

# So much of a text is looked through: some milliseconds' worth, however long it is.
LOOKED_AT: Final = 20_000
_ACCENTS = re.compile("[\u0300-\u036f]")
# Han, hiragana, Thai, Lao, Tibetan, Burmese, Khmer: an edge may be anywhere.
_UNSPACED = re.compile(
    "[\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3041-\u309f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff\u0e01-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u1950-\u19df]"
)
_HANGUL = re.compile("[\uac00-\ud7a3]")
_JOINERS = "\u200c\u200d"


def folded(text: str) -> str:
    """Return a text as names are looked for in it."""
    plain = identity(text)
    if plain.isascii():
        return plain
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", plain)))


class Lexicon:
    """The names of a person's traces, by id, and the automaton that finds them."""

    def __init__(self, names: Mapping[UUID, str]) -> None:
        self.names = dict(names)
        self._written = {identity(name): name for name in self.names.values()}
        self._automaton: Any = ahocorasick.Automaton()
        by_form: dict[str, list[UUID]] = {}
        for trace_id, name in names.items():
            by_form.setdefault(folded(name), []).append(trace_id)
        for form, ids in by_form.items():
            if form:
                self._automaton.add_word(form, (len(form), ids))
        self._automaton.make_automaton()

    def as_written(self, name: str) -> str:
        """Return a name as its owner writes it, where they have a trace of it already."""
        return self._written.get(identity(name), name)

    def found_in(self, text: str) -> list[UUID]:
        """Return the traces named in a text, each once, in the order they are met."""
        if not len(self._automaton):
            return []
        form = folded(text[:LOOKED_AT])
        found: dict[UUID, None] = {}
        for end, (length, ids) in self._automaton.iter(form):
            if _stands_alone(form, end - length + 1, end + 1):
                found.update(dict.fromkeys(ids))
        return list(found)

    def beginning_with(self, typed: str, *, among: Iterable[UUID]) -> list[UUID]:
        """Return those of some traces whose name, or one of its words, begins as typed; best first."""
        wanted = folded(typed)
        forms = [(trace_id, folded(self.names[trace_id])) for trace_id in among if trace_id in self.names]
        first = [trace_id for trace_id, form in forms if form.startswith(wanted)]
        within = [trace_id for trace_id, form in forms if f" {wanted}" in form]
        anywhere = [trace_id for trace_id, form in forms if _UNSPACED.match(wanted) and wanted in form]
        return list(dict.fromkeys([*first, *within, *anywhere])) if wanted else []


def _stands_alone(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    if after and _HANGUL.match(after) and _HANGUL.match(text[end - 1]):
        after = ""
    return _is_edge(before, text[start]) and _is_edge(text[end - 1], after)


def _is_edge(left: str, right: str) -> bool:
    """Return whether a word may end between two characters, or a character and nothing."""
    if not left or not right:
        return True
    if left in _JOINERS or right in _JOINERS:
        return False
    if not (_is_of_word(left) and _is_of_word(right)):
        return True
    return bool(_UNSPACED.match(left) or _UNSPACED.match(right))


def _is_of_word(character: str) -> bool:
    # Vowel signs and the like belong to the word they stand in.
    return character.isalnum() or unicodedata.category(character)[0] == "M"
