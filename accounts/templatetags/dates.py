"""Dates and times in templates, in the words of the person whose page it is: `{{ day|as_day:person }}`.

`person` is None on pages for nobody in particular; the words are then those of the house.
"""

from collections.abc import Callable
from datetime import date

from django import template

from accounts.models import ClockFormat, Person
from accounts.preferences.languages import DEFAULT_LANGUAGE, DateWords, format_time, get_date_words

register = template.Library()


def _register_filter(name: str, write: Callable[[DateWords, date], str]) -> None:
    def written(day: date | None, person: Person | None) -> str:
        return write(get_date_words(person.language if person else DEFAULT_LANGUAGE), day) if day else ""

    register.filter(name, written)


_register_filter("as_day", DateWords.day)
_register_filter("as_full_day", DateWords.full)
_register_filter("as_month_day", DateWords.month_day)
_register_filter("as_month_year", DateWords.month_year)
_register_filter("as_weekday", DateWords.weekday)


@register.filter
def as_time(time: str, person: Person | None) -> str:
    """Return a time of day, given as 14:02, on this person's clock."""
    return format_time(time, hours=person.clock if person else ClockFormat.TWENTY_FOUR)
