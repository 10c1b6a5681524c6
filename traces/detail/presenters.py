"""The page of one trace, or of several together: counts, frequency, heatmap and related traces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Final
from uuid import UUID

from django.urls import reverse

from accounts.models import Person
from accounts.preferences.languages import get_date_words
from diary.errors import ObjectNotFound
from traces.converters import MAX_TRACES
from traces.detail.heatmap import Heatmap, build_heatmap
from traces.queries import count_by_day, count_related, load_names
from traces.statistics import Frequency, compute_frequency

MAX_SHOWN_AT_ONCE: Final = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedTrace:
    """Another trace on some of the shown entries: how many have it, and the URL that filters by it."""

    id: UUID
    name: str = field(repr=False)
    count: int
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenTrace:
    """A trace that filters a page. The URL `without` removes only this trace from the filter.

    If no other trace filters the page, it is the URL of the page itself.
    """

    id: UUID
    name: str = field(repr=False)
    without: str


@dataclass(frozen=True, kw_only=True)
class TraceDetail:
    """Template data of the page of one or more traces, without its list of entries.

    `counts` maps each day to its number of entries.
    """

    person: Person
    ids: tuple[UUID, ...]
    names: Mapping[UUID, str] = field(repr=False)
    counts: Mapping[date, int]
    year: int | None = None

    @property
    def id(self) -> UUID:
        """The id of the first trace of the page."""
        return self.ids[0]

    @property
    def name(self) -> str:
        """The name of the first trace of the page."""
        return self.names[self.id]

    @property
    def is_narrowed(self) -> bool:
        """Whether the page has two or more traces. The page then lists only entries with all of them."""
        return len(self.ids) > 1

    @cached_property
    def count(self) -> int:
        """The number of entries with all of these traces."""
        return sum(self.counts.values())

    @cached_property
    def first(self) -> date | None:
        """The day of the first entry, or None without entries."""
        return min(self.counts, default=None)

    @cached_property
    def last(self) -> date | None:
        """The day of the last entry, or None without entries."""
        return max(self.counts, default=None)

    @cached_property
    def frequency(self) -> Frequency | None:
        """The number of entries in each period of time, or None if they are all in one period."""
        return compute_frequency(self.counts, words=get_date_words(self.person.language))

    @cached_property
    def heatmap(self) -> Heatmap | None:
        """The heatmap of the requested year, or of the last year with entries; None without entries."""
        if self.last is None:
            return None
        return build_heatmap(
            self.year or self.last.year,
            self.counts,
            week_start=self.person.week_start,
            years=sorted({day.year for day in self.counts}),
            words=get_date_words(self.person.language),
        )

    @property
    def days_url(self) -> str:
        """The common start of the URLs of days. `reverse` for each day of a year would be slow."""
        return reverse("day", args=[date.min]).removesuffix(f"{date.min}/")

    @property
    def address(self) -> str:
        """The URL of the page."""
        return get_traces_url(self.ids)

    @property
    def previous_year_url(self) -> str:
        """The URL of the nearest earlier year with entries."""
        return self._get_year_url(self.heatmap.previous if self.heatmap else None)

    @property
    def next_year_url(self) -> str:
        """The URL of the nearest later year with entries."""
        return self._get_year_url(self.heatmap.next if self.heatmap else None)

    def _get_year_url(self, year: int | None) -> str:
        return f"{self.address}in/{year:04}/" if year else ""

    @cached_property
    def chosen_traces(self) -> list[ChosenTrace]:
        """The traces that filter the page. Each has the URL that removes only this trace from the filter."""
        return [
            ChosenTrace(id=id_, name=self.names[id_], without=get_traces_url(_without(self.ids, id_)))
            for id_ in self.ids
        ]

    @cached_property
    def related_traces(self) -> list[RelatedTrace]:
        """The other traces on the same entries, the most frequent first."""
        counts = count_related(self.person.id, self.ids)
        # One URL with a placeholder gives those of all: `reverse` is not called three hundred times.
        placeholder = UUID(int=0)
        pattern = get_traces_url((*self.ids, placeholder) if len(self.ids) <= MAX_TRACES else (placeholder,))
        related = [
            RelatedTrace(
                id=id_,
                name=self.names[id_],
                count=count,
                address=pattern.replace(str(placeholder), str(id_)),
            )
            for id_, count in counts.items()
            if id_ in self.names
        ]
        return sorted(related, key=lambda one: (-one.count, one.name.casefold(), one.id))

    @property
    def first_related(self) -> Sequence[RelatedTrace]:
        """The related traces that are always visible."""
        return self.related_traces[:MAX_SHOWN_AT_ONCE]

    @property
    def more_related(self) -> Sequence[RelatedTrace]:
        """The related traces in the collapsed part."""
        return self.related_traces[MAX_SHOWN_AT_ONCE:]

    @cached_property
    def merge_targets(self) -> list[tuple[UUID, str]]:
        """The ids and names of all other traces, for the form that merges."""
        others = [(id_, name) for id_, name in self.names.items() if id_ != self.id]
        return sorted(others, key=lambda other: other[1].casefold())


def build_detail(person: Person, ids: tuple[UUID, ...], *, year: int | None = None) -> TraceDetail:
    """Return the page of these traces; raise ObjectNotFound if one does not exist or is repeated."""
    names = load_names(person.id)
    if len(set(ids)) < len(ids) or not set(ids) <= set(names):
        raise ObjectNotFound
    counts = count_by_day(person.id, ids)
    if year is not None and not any(day.year == year for day in counts):
        raise ObjectNotFound
    return TraceDetail(person=person, ids=ids, names=names, counts=counts, year=year)


def get_traces_url(ids: Sequence[UUID]) -> str:
    """Return the URL of the page of one or more traces."""
    if len(ids) == 1:
        return reverse("trace", args=ids)
    return reverse("traces_together", args=[ids[0], tuple(ids[1:])])


def _without(ids: Sequence[UUID], one: UUID) -> Sequence[UUID]:
    return [id_ for id_ in ids if id_ != one] or ids
