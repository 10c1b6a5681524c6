"""Search results and status messages for their templates."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from django.urls import reverse

from accounts.preferences.languages import get_date_words
from search import messages
from search.engine import DayResults, DuplicateHit, SearchHit
from search.index.types import FACT_KIND, NOTE_KIND
from search.query.parser import MAX_TYPED, add_filter
from search.query.snippets import SnippetPart
from search.results.filters import IN, ON, SuggestedFilter
from search.services import EmbeddingStatus, SearchPage

_KIND_LABELS: Final = {
    "entry": "",
    "reply": "Reply",
    "opening": "Opening",
    "recap": "Recap",
    FACT_KIND: "Fact",
    NOTE_KIND: "Note",
}
_BY_MODEL: Final = frozenset({"reply", "opening", "recap"})
_FILTERED_KINDS: Final = {
    "entries": "My entries",
    "replies": "Replies",
    "openings": "Openings",
    "recaps": "Recaps",
    "facts": "Facts",
    "notes": "Notes",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLink:
    """A link from a search hit to a duplicate, which is the same text on another day."""

    address: str
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRow:
    """A hit on the page: its URL, kind (empty for an entry), the reasons it was found, and its snippet."""

    address: str
    day: date
    kind: str
    why: str
    is_by_model: bool
    snippet: Sequence[SnippetPart] = field(repr=False)
    same_days: Sequence[DayLink] = ()
    same_left: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultGroup:
    """A group of results, the leading one first: those of one day, all facts, or all notes.

    Unless `is_unfolded`, the other results are folded under the leading one. `left` is the number of results
    that are not shown. `are_facts` and `are_notes` say which group it is; facts and notes can be of different
    days.
    """

    address: str
    leading: ResultRow
    folded: Sequence[ResultRow]
    left: int
    is_unfolded: bool
    are_facts: bool
    are_notes: bool


@dataclass(frozen=True, slots=True)
class FilterButton:
    """A filter to click: its label, and the query with the filter."""

    label: str
    query: str = field(repr=False)


def build_result_groups(answer: SearchPage) -> list[ResultGroup]:
    """Return the rows of a page of results; their URLs contain no word of the diary or the query."""
    return [_build_day(day, token=answer.token) for day in answer.found.days]


def _build_day(day: DayResults, *, token: str) -> ResultGroup:
    leading, *folded = (_build_row(hit, token=token) for hit in day.hits)
    return ResultGroup(
        address=reverse("day", args=[day.day]),
        leading=leading,
        folded=folded,
        left=day.left,
        is_unfolded=day.is_unfolded,
        are_facts=day.hits[0].kind == FACT_KIND,
        are_notes=day.hits[0].kind == NOTE_KIND,
    )


def _build_row(hit: SearchHit, *, token: str) -> ResultRow:
    return ResultRow(
        address=_build_address(hit, token=token),
        day=hit.day,
        kind=_KIND_LABELS[hit.kind],
        why=messages.describe_reasons(hit.why),
        is_by_model=hit.kind in _BY_MODEL,
        snippet=hit.parts,
        same_days=[DayLink(address=_build_address(one, token=token), day=one.day) for one in hit.same_texts],
        same_left=hit.same_left,
    )


def _build_address(hit: SearchHit | DuplicateHit, *, token: str) -> str:
    if hit.kind == FACT_KIND:
        return reverse("fact", args=[hit.id])
    if hit.kind == NOTE_KIND:
        return reverse("note", args=[hit.id])
    # A recap has no anchor on its day's page.
    anchor = {"entry": f"#entry-{hit.id}", "recap": ""}.get(hit.kind, f"#reply-{hit.id}")
    return f"{reverse('day', args=[hit.day])}?found={token}{anchor}"


def build_filter_buttons(answer: SearchPage, typed: str, *, language: str) -> list[FilterButton]:
    """Return buttons that narrow these results with a filter, except where the query would be too long."""
    buttons = [
        FilterButton(_describe_filter(one, language=language), add_filter(typed, str(one)))
        for one in answer.found.filters
    ]
    return [button for button in buttons if len(button.query) <= MAX_TYPED]


def _describe_filter(suggested: SuggestedFilter, *, language: str) -> str:
    if suggested.name == IN:
        return _FILTERED_KINDS[suggested.value]
    year, dash, month = suggested.value.partition("-")
    if suggested.name == ON and dash:
        return get_date_words(language).month_year(date(int(year), int(month), 1))
    return suggested.value


def describe_days(answer: SearchPage, *, language: str) -> str:
    """Return in words the days whose results come first because the question names them, or ""."""
    if answer.days is None:
        return ""
    words = get_date_words(language)
    first, last = answer.days
    sentence = messages.PREFERRED_DAY if first == last else messages.PREFERRED_DAYS
    begin = words.month_day(first) if first.year == last.year and first != last else words.day(first)
    return sentence.format(first=begin, last=words.day(last))


def describe_embedding(meaning: EmbeddingStatus) -> str:
    """Return a sentence on the progress of embedding, or on why related-entry search is off.

    The sentence is empty if all texts are embedded.
    """
    if meaning.reason:
        return messages.get_embedding_message(meaning.reason)
    if meaning.is_whole:
        return ""
    return messages.EMBEDDING_PROGRESS.format(done=meaning.done, total=meaning.total)
