"""A trace, or several at once, as its page shows it: counted over all its entries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Final
from uuid import UUID

from django.urls import reverse
from django.utils.safestring import SafeString

from accounts.models import Person
from accounts.preferences.languages import get_date_words
from diary.errors import ObjectNotFound
from traces import markup
from traces.converters import MAX_TRACES
from traces.detail.heatmap import Heatmap, HeatMonth, build_heatmap
from traces.queries import count_by_day, count_related, load_names
from traces.statistics import Frequency, compute_frequency

MAX_SHOWN_AT_ONCE: Final = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedTrace:
    """Another trace, on how many of these entries it is, and where both are shown together."""

    id: UUID
    name: str = field(repr=False)
    count: int
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenTrace:
    """One of the traces that a page is narrowed to, and the page without it."""

    id: UUID
    name: str = field(repr=False)
    without: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedMonth:
    """A month of the year that is shown: its squares, and its days for the table."""

    month: HeatMonth
    squares: SafeString
    days: SafeString


@dataclass(frozen=True, kw_only=True)
class TraceDetail:
    """Everything a page says of its traces but the history. `counts` is entries by day."""

    person: Person
    ids: tuple[UUID, ...]
    names: Mapping[UUID, str] = field(repr=False)
    counts: Mapping[date, int]
    year: int | None = None

    @property
    def id(self) -> UUID:
        """Return the trace the page belongs to."""
        return self.ids[0]

    @property
    def name(self) -> str:
        """Return what that trace is called."""
        return self.names[self.id]

    @property
    def is_narrowed(self) -> bool:
        """Return whether it is of more than one trace."""
        return len(self.ids) > 1

    @cached_property
    def count(self) -> int:
        """Return on how many entries they are."""
        return sum(self.counts.values())

    @cached_property
    def first(self) -> date | None:
        """Return the first day of an entry."""
        return min(self.counts, default=None)

    @cached_property
    def last(self) -> date | None:
        """Return the last day of an entry."""
        return max(self.counts, default=None)

    @cached_property
    def frequency(self) -> Frequency | None:
        """Return how often over time."""
        return compute_frequency(self.counts, words=get_date_words(self.person.language))

    @cached_property
    def heatmap(self) -> Heatmap | None:
        """Return the year that was asked for, or the last one; None where there is no entry."""
        if self.last is None:
            return None
        return build_heatmap(
            self.year or self.last.year,
            self.counts,
            week_start=self.person.week_start,
            years=sorted({day.year for day in self.counts}),
            words=get_date_words(self.person.language),
        )

    @cached_property
    def months(self) -> list[RenderedMonth]:
        """Return the months of that year, ready for the page."""
        # The address of one day tells those of all: three hundred reversals would take half of the time.
        days_at = reverse("day", args=[date.min]).removesuffix(f"{date.min.isoformat()}/")
        return [
            RenderedMonth(
                month=month,
                squares=markup.render_squares(month, days_at=days_at),
                days=markup.render_day_list(month, days_at=days_at),
            )
            for month in (self.heatmap.months if self.heatmap else ())
        ]

    @property
    def address(self) -> str:
        """Return where the page is."""
        return get_traces_url(self.ids)

    @property
    def previous_year_url(self) -> str:
        """Return where the page of the year before is."""
        return self._get_year_url(self.heatmap.previous if self.heatmap else None)

    @property
    def next_year_url(self) -> str:
        """Return where the page of the year after is."""
        return self._get_year_url(self.heatmap.next if self.heatmap else None)

    def _get_year_url(self, year: int | None) -> str:
        return f"{self.address}in/{year:04}/" if year else ""

    @cached_property
    def chosen_traces(self) -> list[ChosenTrace]:
        """Return the traces the page is narrowed to, each with the page without it."""
        return [
            ChosenTrace(id=id_, name=self.names[id_], without=get_traces_url(_without(self.ids, id_)))
            for id_ in self.ids
        ]

    @cached_property
    def related_traces(self) -> list[RelatedTrace]:
        """Return the traces on the same entries, over all of them, the most frequent first."""
        found = count_related(self.person.id, self.ids)
        # The address with one more tells those of all: three hundred are not reversed one by one.
        place = UUID(int=0)
        narrowed = get_traces_url((*self.ids, place) if len(self.ids) <= MAX_TRACES else (place,))
        there = [
            RelatedTrace(
                id=id_,
                name=self.names[id_],
                count=count,
                address=narrowed.replace(str(place), str(id_)),
            )
            for id_, count in found.items()
            if id_ in self.names
        ]
        return sorted(there, key=lambda one: (-one.count, one.name.casefold(), one.id))

    @property
    def first_related(self) -> Sequence[RelatedTrace]:
        """Return those that are shown at once."""
        return self.related_traces[:MAX_SHOWN_AT_ONCE]

    @property
    def more_related(self) -> Sequence[RelatedTrace]:
        """Return those that are shown when asked for."""
        return self.related_traces[MAX_SHOWN_AT_ONCE:]

    @cached_property
    def merge_targets(self) -> list[tuple[UUID, str]]:
        """Return the other traces, by name, for one to be chosen."""
        others = [(id_, name) for id_, name in self.names.items() if id_ != self.id]
        return sorted(others, key=lambda other: other[1].casefold())


def build_detail(person: Person, ids: tuple[UUID, ...], *, year: int | None = None) -> TraceDetail:
    """Return what a page says of traces; raise NotThere where one is not there, or named twice."""
    called = load_names(person.id)
    if len(set(ids)) < len(ids) or not set(ids) <= set(called):
        raise ObjectNotFound
    counts = count_by_day(person.id, ids)
    if year is not None and not any(day.year == year for day in counts):
        raise ObjectNotFound
    return TraceDetail(person=person, ids=ids, names=called, counts=counts, year=year)


def get_traces_url(ids: Sequence[UUID]) -> str:
    """Return where the page of traces is."""
    if len(ids) == 1:
        return reverse("trace", args=ids)
    return reverse("traces_together", args=[ids[0], tuple(ids[1:])])


def _without(ids: Sequence[UUID], one: UUID) -> Sequence[UUID]:
    return [id_ for id_ in ids if id_ != one] or ids
