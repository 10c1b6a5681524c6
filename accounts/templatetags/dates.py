"""Template filters for dates and times in a person's language: `{{ day|as_day:person }}`.

`person` is None on pages for nobody in particular; these use the default language.
"""

from collections.abc import Callable
from datetime import date

from django import template

from accounts.models import ClockFormat, Person
from accounts.preferences.languages import DEFAULT_LANGUAGE, DateWords, format_time, get_date_words

register = template.Library()


def _register_filter(name: str, format_date: Callable[[DateWords, date], str]) -> None:
    def format_for_person(day: date | None, person: Person | None) -> str:
        if not day:
            return ""
        return format_date(get_date_words(person.language if person else DEFAULT_LANGUAGE), day)

    register.filter(name, format_for_person)


_register_filter("as_day", DateWords.day)
_register_filter("as_full_day", DateWords.full)
_register_filter("as_month_day", DateWords.month_day)
_register_filter("as_month_year", DateWords.month_year)
_register_filter("as_weekday", DateWords.weekday)


@register.filter
def as_time(time: str, person: Person | None) -> str:
    """Return a time of day, given as 14:02, in the person's clock format."""
    return format_time(time, hours=person.clock if person else ClockFormat.TWENTY_FOUR)
