"""Search results and status messages for their templates."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from django.urls import reverse

from accounts.preferences.languages import get_date_words
from search import messages
from search.engine import SearchHit
from search.query.snippets import SnippetPart
from search.services import EmbeddingStatus, SearchPage

_KIND_LABELS: Final = {"entry": "", "reply": "Reply", "opening": "Opening", "recap": "Recap"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRow:
    """A hit on the page: its URL, kind (empty for an entry), the reasons it was found, and its snippet."""

    address: str
    day: date
    kind: str
    why: str
    snippet: Sequence[SnippetPart] = field(repr=False)


def build_result_rows(answer: SearchPage) -> list[ResultRow]:
    """Return the rows of a page of results; their URLs contain no word of the diary or the query."""
    return [_build_row(hit, token=answer.token) for hit in answer.found.hits]


def _build_row(hit: SearchHit, *, token: str) -> ResultRow:
    # A recap has no anchor on its day's page.
    anchor = {"entry": f"#entry-{hit.id}", "recap": ""}.get(hit.kind, f"#reply-{hit.id}")
    return ResultRow(
        address=f"{reverse('day', args=[hit.day])}?found={token}{anchor}",
        day=hit.day,
        kind=_KIND_LABELS[hit.kind],
        why=messages.describe_reasons(hit.why),
        snippet=hit.parts,
    )


def describe_days(answer: SearchPage, *, language: str) -> str:
    """Return which days come first because the question names them, or nothing."""
    if answer.days is None:
        return ""
    words = get_date_words(language)
    first, last = answer.days
    sentence = messages.PREFERRED_DAY if first == last else messages.PREFERRED_DAYS
    begin = words.month_day(first) if first.year == last.year and first != last else words.day(first)
    return sentence.format(first=begin, last=words.day(last))


def describe_embedding(meaning: EmbeddingStatus) -> str:
    """Return the progress of related-entry search, or why it is off; nothing once it is complete."""
    if meaning.reason:
        return messages.get_embedding_message(meaning.reason)
    if meaning.is_whole:
        return ""
    return messages.EMBEDDING_PROGRESS.format(done=meaning.done, total=meaning.total)
