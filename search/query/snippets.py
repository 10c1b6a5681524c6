"""Snippets: the passage of a text around its best match, with the matches marked. Pure.

All words and phrases of a query are searched at once (Aho-Corasick) in the folded text, and matches are
mapped back to the original text, so that "cafe" marks the whole of "Café".
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import ahocorasick

from search.chunks import Span
from search.query.folding import (
    find_long_numbers,
    fold_with_offsets,
    is_same_number,
    is_sign,
    is_unbroken,
    to_printed_form,
)
from search.query.parser import QueryTerm, SearchQuery

SNIPPET_LENGTH: Final = 240
_LEAD: Final = 60
_MAX_MARKS: Final = 200
# A text is searched part by part, each beginning a little before the end of the one before. In the first with
# matches the best passage is chosen; of very many matches only the first are looked at.
_PART_LENGTH: Final = 20_000
_OVERLAP: Final = 400
_MAX_MATCHES: Final = 1_000
_MAX_FORM_MATCHES: Final = 10_000
_NUMBER_WEIGHT: Final = 4
# A phrase goes on over the end of a line.
_BREAKS: Final = "\n\t\u2028\u00a0"


@dataclass(frozen=True, slots=True)
class MarkPattern:
    """A word or phrase whose matches in a text are highlighted.

    `text` is the word or phrase in folded form. `begins` and `ends` say whether a match must begin and end at
    word boundaries. `weight` is the weight of a match.
    """

    text: str
    begins: bool
    ends: bool
    weight: int


@dataclass(frozen=True, slots=True)
class SnippetPart:
    """A part of a snippet, marked or not."""

    text: str
    is_marked: bool


class QueryMarker:
    """Finder of all words and phrases of a query in a text, so that they can be marked."""

    def __init__(self, wanted: Iterable[MarkPattern], *, numbers: Iterable[str] = ()) -> None:
        by_text: dict[str, MarkPattern] = {}
        for one in wanted:
            known = by_text.get(one.text)
            loosest = known is None or (known.begins and not one.begins) or (known.ends and not one.ends)
            if one.text and loosest:
                by_text[one.text] = one
        self._numbers = frozenset(filter(None, numbers))
        self._automaton = ahocorasick.Automaton()
        for one in by_text.values():
            self._automaton.add_word(one.text, one)
        self._has_any = bool(by_text)
        if self._has_any:
            self._automaton.make_automaton()

    def find_spans(self, text: str, *, most: int = _MAX_FORM_MATCHES) -> list[tuple[Span, int]]:
        """Return the matches as spans of the original text with their weights, in order, not overlapping.

        The search ends after `most` matches.
        """
        return self.find_spans_in(FoldedText(text), most=most)

    def find_spans_in(self, text: "FoldedText", *, most: int = _MAX_FORM_MATCHES) -> list[tuple[Span, int]]:
        """Return the same result as `find_spans`. The argument is a `FoldedText` instead of a string.

        The text is folded only once, even for several queries.
        """
        found = [
            (span, _NUMBER_WEIGHT)
            for digits, span in (find_long_numbers(text.text) if self._numbers else ())
            if any(is_same_number(digits, number) for number in self._numbers)
        ]
        if not self._has_any:
            return found
        folded, offsets = text.fold()
        for last, wanted in self._automaton.iter(folded):
            begin, end = last + 1 - len(wanted.text), last + 1
            if _is_whole_word(folded, begin, end, wanted):
                found.append(((offsets[begin], _find_end(offsets, end)), wanted.weight))
                if len(found) >= most:
                    break
        return _drop_overlaps(found)


class FoldedText:
    """A text and its folded form, with the offset of each folded character in the text.

    The text is folded when this form is first needed.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._folded: tuple[str, Sequence[int]] | None = None

    def fold(self) -> tuple[str, Sequence[int]]:
        """Return the folded text with spaces instead of line breaks, and its offsets in the original text."""
        if self._folded is None:
            folded, offsets = fold_with_offsets(self.text)
            for gap in _BREAKS:
                folded = folded.replace(gap, " ")
            self._folded = folded, offsets
        return self._folded


def _find_end(offsets: Sequence[int], end: int) -> int:
    # Characters that fold away (accents written apart) belong to what stands before them.
    return offsets[end] if offsets[end] > offsets[end - 1] else offsets[end - 1] + 1


def _is_whole_word(folded: str, begin: int, end: int, wanted: MarkPattern) -> bool:
    if wanted.begins and begin and folded[begin - 1].isalnum():
        return False
    return not (wanted.ends and end < len(folded) and folded[end].isalnum())


def _drop_overlaps(found: list[tuple[Span, int]]) -> list[tuple[Span, int]]:
    """Return the spans in order, with overlapping ones joined."""
    separate: list[tuple[Span, int]] = []
    for span, weight in sorted(found, key=lambda item: (item[0][0], -item[0][1])):
        if separate and span[0] < separate[-1][0][1]:
            if span[1] <= separate[-1][0][1]:
                continue
            before = separate.pop()
            separate.append(((before[0][0], span[1]), max(weight, before[1])))
        else:
            separate.append((span, weight))
    return separate


def build_patterns(query: SearchQuery, forms: dict[str, list[str]]) -> list[MarkPattern]:
    """Return the patterns that find a query's words, their other forms and its phrases in folded text."""
    return [wanted for term in query.terms for wanted in _build_term_patterns(term, forms)]


def _build_term_patterns(term: QueryTerm, forms: dict[str, list[str]]) -> Iterable[MarkPattern]:
    if term.literal:
        yield MarkPattern(term.literal, False, False, 4)
        return
    if term.joined:
        yield MarkPattern(term.joined, True, True, 2)
    for word in term.also:
        yield MarkPattern(word, True, True, 1)
    if is_sign(term.words[-1]) and len(term.words) > 1:
        *digits, sign = (to_printed_form(word) for word in term.words)
        for amount in dict.fromkeys(between.join(digits) for between in ",. "):
            for written in (f"{amount}{sign}", f"{amount} {sign}", f"{sign}{amount}", f"{sign} {amount}"):
                yield MarkPattern(written, True, True, 4)
        return
    if any(is_unbroken(word) for word in term.words):
        yield MarkPattern("".join(to_printed_form(word) for word in term.words), False, False, 4)
        return
    whole = not term.prefix
    for between in (" ", "-", "'", ":", ".", ", ", "/") if len(term.words) > 1 else ("",):
        yield MarkPattern(between.join(term.words), True, whole, 4 if len(term.words) > 1 else 2)
    if not term.quoted:
        for word in term.words if len(term.words) == 1 else ():
            for form in forms.get(word, ()):
                yield MarkPattern(form, True, True, 1)


def find_surface_forms(text: str, marker: QueryMarker) -> list[str]:
    """Return the distinct spellings in which words and phrases of a query occur in a text.

    `marker` is the finder of the words and phrases. At most _MAX_MARKS spellings are returned.
    """
    return list(dict.fromkeys(text[slice(*span)] for span, _ in marker.find_spans(text)))[:_MAX_MARKS]


def build_snippet(text: str, marker: QueryMarker, *, around: Span | None = None) -> list[SnippetPart]:
    """Return the most relevant part of a text as a snippet, with its matches marked."""
    marks = _find_first_marks(text, marker)
    begin, end = _cut_window(text, marks, around)
    parts = [SnippetPart("… ", False)] if begin else []
    at = begin
    for (start, stop), _ in marks:
        if start >= end or stop <= begin:
            continue
        parts += [
            SnippetPart(text[at:start], False),
            SnippetPart(text[max(start, begin) : min(stop, end)], True),
        ]
        at = min(stop, end)
    parts.append(SnippetPart(text[at:end] + (" …" if end < len(text) else ""), False))
    return [part for part in parts if part.text]


def find_best_passage(text: str, marker: QueryMarker, *, around: Span | None = None) -> Span:
    """Return the span of the most relevant part of a text, as a snippet shows it."""
    return _cut_window(text, _find_first_marks(text, marker), around)


def _find_first_marks(text: str, marker: QueryMarker) -> list[tuple[Span, int]]:
    """Return the matches in the first part of a text that has any."""
    for start in range(0, max(1, len(text) - _OVERLAP), _PART_LENGTH - _OVERLAP):
        part = text[start : start + _PART_LENGTH]
        is_last = start + len(part) == len(text)
        # At a cut, a match may be part of a word; it stands whole in the next part, or stood in the last one.
        marks = [
            ((start + begin, start + end), weight)
            for (begin, end), weight in marker.find_spans(part, most=_MAX_MATCHES)
            if (begin or not start) and (end < len(part) or is_last)
        ]
        if marks:
            return marks
    return []


def _cut_window(text: str, marks: list[tuple[Span, int]], around: Span | None) -> Span:
    if marks:
        first = _find_best_start(text, marks)
        begin = max(0, marks[first][0][0] - _LEAD)
    else:
        # A chunk at the very end is shown with what comes before it.
        begin = min(around[0], max(0, len(text) - SNIPPET_LENGTH // 2)) if around else 0
    if begin and not text[begin - 1].isspace():
        space = text.find(" ", begin, marks[first][0][0] if marks else begin + _LEAD)
        begin = space + 1 if space >= 0 else begin
    end = min(len(text), begin + SNIPPET_LENGTH)
    if end < len(text):
        space = text.rfind(" ", max(begin, end - 30), end)
        end = space if space > begin else end
    return begin, end


def _find_best_start(text: str, marks: list[tuple[Span, int]]) -> int:
    """Return the first mark of the passage with the most distinct words, weighed; of equals the earliest."""
    words = [text[slice(*span)].casefold() for span, _ in marks]
    weights: dict[str, int] = {}
    for word, (_, weight) in zip(words, marks, strict=True):
        weights[word] = max(weight, weights.get(word, 0))
    within: dict[str, int] = dict.fromkeys(weights, 0)
    every = sum(weights.values())
    score = end = best_start = 0
    best = -1
    for start, ((begin, _), _) in enumerate(marks):
        while end < len(marks) and marks[end][0][1] - begin < SNIPPET_LENGTH - _LEAD:
            score += 0 if within[words[end]] else weights[words[end]]
            within[words[end]] += 1
            end += 1
        if score > best:
            best, best_start = score, start
            if best == every:
                break
        if end > start:
            within[words[start]] -= 1
            score -= 0 if within[words[start]] else weights[words[start]]
        else:
            end = start + 1
    return best_start
