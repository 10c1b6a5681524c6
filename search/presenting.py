"""Hits as a page shows them; made here, since a template's loops over snippets cost more than the search."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from search.finding import Hit
from search.services import Answer
from search.snippets import Part

_KINDS: Final = {"entry": "", "reply": "Reply", "opening": "Opening", "recap": "Recap"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One hit: where it leads, what it is (nothing for the person's own words), why, and its snippet."""

    address: str
    day: date
    kind: str
    why: str
    snippet: SafeString = field(repr=False)


def shown(answer: Answer) -> list[Shown]:
    """Return the hits of an answer; their addresses hold no word of the diary or the query."""
    return [_one(hit, place=answer.place) for hit in answer.found.hits]


def _one(hit: Hit, *, place: str) -> Shown:
    # A recap has no place on its day's page.
    anchor = {"entry": f"#entry-{hit.id}", "recap": ""}.get(hit.kind, f"#reply-{hit.id}")
    return Shown(
        address=f"{reverse('day', args=[hit.day])}?found={place}{anchor}",
        day=hit.day,
        kind=_KINDS[hit.kind],
        why=", ".join(hit.why),
        snippet=_html(hit.parts),
    )


def _html(parts: Sequence[Part]) -> SafeString:
    told = (f"<mark>{escape(part.text)}</mark>" if part.marked else escape(part.text) for part in parts)
    return mark_safe("".join(told))  # noqa: S308 - every part is escaped above
