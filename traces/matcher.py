"""Search for the names of a person's traces in a text, with one Aho-Corasick automaton for all names.

Text and names are folded alike (identity, and without accents), and a name matches only as whole words: `art`
does not match in `party`. Scripts written without spaces have no word boundaries, so 子供 matches within
子供達; but a run of katakana is a word, and a hangul word may be followed by particles.

The matchers of unlocked people are cached in memory (`traces.unlocked_cache`), until a name changes.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from itertools import islice
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import ahocorasick

from llamora.normalization import normalize
from traces.models import Trace
from traces.names import get_content, get_identity
from traces.unlocked_cache import UnlockedCache

R = TypeVar("R")
S = TypeVar("S")
# Only the beginning of a text is searched: some milliseconds' worth, however long it is.
MAX_SEARCHED_LENGTH: Final = 20_000
# Names within names, as "a a" in "a a a", are found again at each place of a text made for it.
_MAX_MATCHES: Final = 5_000
_ACCENTS = re.compile("[\u0300-\u036f]")
# Han, hiragana, Thai, Lao, Tibetan, Burmese, Khmer: a word may begin and end anywhere.
_UNSPACED = re.compile(
    "[\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3041-\u309f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff\u0e01-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u1950-\u19df]"
)
_HANGUL = re.compile("[\uac00-\ud7a3]")
_JOINERS = "\u200c\u200d"
# The id of an entry, and a digest of the envelope of its text: a text that is saved again has another.
TextKey = tuple[UUID, bytes]
# Entries of which the last suggestions are in memory, and what shows them.
_MAX_LATEST: Final = 200


def fold_text(text: str) -> str:
    """Return a text in the folded form in which names are searched."""
    plain = get_identity(text)
    if plain.isascii():
        return plain
    return normalize("NFC", _ACCENTS.sub("", normalize("NFD", plain)))


class LatestResults(Generic[R]):
    """A bounded cache of a function's last result for each entry, valid while the input is the same."""

    def __init__(self) -> None:
        self._results: dict[UUID, tuple[object, R]] = {}

    def compute(self, entry_id: UUID, source: S, function: Callable[[S], R]) -> R:
        """Return `function(source)`, from the cache if the last `source` for this entry was the same."""
        known = self._results.get(entry_id)
        if known is not None and known[0] == source:
            return known[1]
        result = function(source)
        # Where another thread does the same, nothing here fails, and one result more may be dropped.
        self._results.pop(entry_id, None)
        self._results[entry_id] = (source, result)
        for oldest in list(self._results)[:-_MAX_LATEST]:
            self._results.pop(oldest, None)
        return result


class NameMatcher:
    """The names of a person's traces by id, the automaton that finds them, and caches of what it found.

    `always_read` are the ids of traces whose entries go into every prompt. Three caches are by text:
    `found_in_texts` has the traces found, `names_in_texts` other names, whose search is slow, and
    `rare_in_texts` those of the other names that occur on few days. Two are by entry: `suggestions` and
    `panels` have what was shown last. A lock drops all caches.
    """

    def __init__(self, names: Mapping[UUID, str], *, always_read: Iterable[UUID] = ()) -> None:
        self.names = dict(names)
        self.always_read = frozenset(always_read)
        self.found_in_texts: dict[TextKey, list[UUID]] = {}
        self.names_in_texts: dict[TextKey, list[str]] = {}
        self.rare_in_texts: dict[TextKey, list[str]] = {}
        self.suggestions: LatestResults[list[str]] = LatestResults()
        self.panels: LatestResults[str] = LatestResults()
        self._spellings = {get_identity(name): name for name in self.names.values()}
        self._automaton: Any = ahocorasick.Automaton()
        by_form: dict[str, list[UUID]] = {}
        for trace_id, name in names.items():
            by_form.setdefault(fold_text(name), []).append(trace_id)
        for form, ids in by_form.items():
            if form:
                self._automaton.add_word(form, (len(form), ids))
        self._automaton.make_automaton()

    def get_saved_spelling(self, name: str) -> str:
        """Return the owner's spelling of a name, or the name itself if no such trace exists."""
        return self._spellings.get(get_identity(name), name)

    @cached_property
    def contents(self) -> frozenset[frozenset[str]]:
        """The content of each name (see `get_content`): its words without articles."""
        return frozenset(map(get_content, self.names.values()))

    def has_name(self, name: str) -> bool:
        """Return whether there is a trace with this name."""
        return get_identity(name) in self._spellings

    def find_in(self, text: str) -> list[UUID]:
        """Return the ids of the traces named in a text, each once, in order of appearance."""
        if not len(self._automaton):
            return []
        form = fold_text(text[:MAX_SEARCHED_LENGTH])
        named: dict[UUID, None] = {}
        for end, (length, ids) in islice(self._automaton.iter(form), _MAX_MATCHES):
            if _is_whole_word(form, end - length + 1, end + 1):
                named.update(dict.fromkeys(ids))
        return list(named)

    def find_by_prefix(self, typed: str, *, among: Iterable[UUID]) -> list[UUID]:
        """Return the ids in `among` with a name or a word that begins with `typed`; best first."""
        wanted = fold_text(typed)
        forms = [(trace_id, fold_text(self.names[trace_id])) for trace_id in among if trace_id in self.names]
        at_start = [trace_id for trace_id, form in forms if form.startswith(wanted)]
        at_word = [trace_id for trace_id, form in forms if f" {wanted}" in form]
        anywhere = [trace_id for trace_id, form in forms if _UNSPACED.match(wanted) and wanted in form]
        return list(dict.fromkeys([*at_start, *at_word, *anywhere])) if wanted else []


def _is_whole_word(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    if after and _HANGUL.match(after) and _HANGUL.match(text[end - 1]):
        after = ""
    return _is_edge(before, text[start]) and _is_edge(text[end - 1], after)


def _is_edge(left: str, right: str) -> bool:
    """Return whether a word may start or end between two characters; "" stands for the end of the text."""
    if not left or not right:
        return True
    if left in _JOINERS or right in _JOINERS:
        return False
    if not (_is_word_character(left) and _is_word_character(right)):
        return True
    return bool(_UNSPACED.match(left) or _UNSPACED.match(right))


def _is_word_character(character: str) -> bool:
    # Marks, such as vowel signs, belong to the word they are in.
    return character.isalnum() or unicodedata.category(character)[0] == "M"


def load_matcher(owner_id: UUID) -> NameMatcher:
    """Return a matcher for a person's traces, without those whose names are damaged."""
    rows = list(Trace.objects.for_owner(owner_id).only("id", "owner_id", "name"))
    names = {trace.id: name for trace in rows if (name := trace.open_or("name", None)) is not None}
    # A name that opens proves the flag, which it is bound to.
    return NameMatcher(names, always_read=[t.id for t in rows if t.is_read_always and t.id in names])


name_matchers = UnlockedCache(load_matcher)
