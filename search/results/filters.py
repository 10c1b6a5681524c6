"""Filters that would narrow the results of a query: the kinds, years or months that occur in them. Pure."""

from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

from search.index.types import TextOutline
from search.query.parser import SearchQuery

IN: Final = "in"
ON: Final = "on"
TRACE: Final = "trace"

_KINDS: Final = {
    "entry": "entries",
    "reply": "replies",
    "opening": "openings",
    "recap": "recaps",
    "fact": "facts",
    "note": "notes",
}
_MOST_DAYS: Final = 4


class SuggestedFilter(NamedTuple):
    """The name and value of a filter, as in the query language."""

    name: str
    value: str

    def __str__(self) -> str:
        """Return the filter as it is typed."""
        return f'{self.name}:"{self.value}"' if " " in self.value else f"{self.name}:{self.value}"


def suggest_filters(query: SearchQuery, outlines: Iterable[TextOutline]) -> list[SuggestedFilter]:
    """Return filters that match some, but not all, of the results of a query."""
    kinds: Counter[str] = Counter()
    months: Counter[str] = Counter()
    for outline in outlines:
        kinds[outline.kind] += 1
        months[outline.day.isoformat()[:7]] += 1
    suggested = []
    if not query.kinds and len(kinds) > 1:
        suggested = [SuggestedFilter(IN, value) for kind, value in _KINDS.items() if kind in kinds]
    years: Counter[str] = Counter()
    for month, count in months.items():
        years[month[:4]] += count
    periods = years if len(years) > 1 else months
    if len(periods) > 1:
        suggested += [SuggestedFilter(ON, period) for period in list_most_frequent(periods, most=_MOST_DAYS)]
    return suggested


def list_most_frequent(counts: Counter[str], *, most: int) -> list[str]:
    """Return the values with the highest counts, at most `most`, sorted by value in descending order."""
    ranked = sorted(counts, key=lambda value: (counts[value], value), reverse=True)
    return sorted(ranked[:most], reverse=True)
