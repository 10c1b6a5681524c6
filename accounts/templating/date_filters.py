"""Template filters for dates and times in a person's language: `{{ day|as_day(person) }}`.

On pages without a signed-in person, `person` is None and the default language is used.
"""

from collections.abc import Callable
from datetime import date
from typing import Any, Final

from accounts.models import ClockFormat, Person
from accounts.preferences.languages import DEFAULT_LANGUAGE, DateWords, format_time, get_date_words

DateFilter = Callable[[date | None, Person | None], str]


def _build_filter(format_date: Callable[[DateWords, date], str]) -> DateFilter:
    def format_for_person(day: date | None, person: Person | None) -> str:
        if not day:
            return ""
        return format_date(get_date_words(person.language if person else DEFAULT_LANGUAGE), day)

    return format_for_person


def as_time(time: str, person: Person | None) -> str:
    """Return a time of day, given as 14:02, in the person's clock format."""
    return format_time(time, hours=person.clock if person else ClockFormat.TWENTY_FOUR)


FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "as_day": _build_filter(DateWords.day),
    "as_full_day": _build_filter(DateWords.full),
    "as_month_day": _build_filter(DateWords.month_day),
    "as_month_year": _build_filter(DateWords.month_year),
    "as_weekday": _build_filter(DateWords.weekday),
    "as_time": as_time,
}
