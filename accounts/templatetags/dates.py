"""Dates and times in templates, in the words of the person whose page it is: `{{ day|as_day:person }}`.

`person` is None on pages for nobody in particular; the words are then those of the house.
"""

from collections.abc import Callable
from datetime import date

from django import template

from accounts.languages import HOUSE, Words, on_clock, words_of
from accounts.models import Clock, Person

register = template.Library()


def _filter(name: str, write: Callable[[Words, date], str]) -> None:
    def written(day: date | None, person: Person | None) -> str:
        return write(words_of(person.language if person else HOUSE), day) if day else ""

    register.filter(name, written)


_filter("as_day", Words.day)
_filter("as_full_day", Words.full)
_filter("as_month_day", Words.month_day)
_filter("as_month_year", Words.month_year)
_filter("as_weekday", Words.weekday)


@register.filter
def as_time(time: str, person: Person | None) -> str:
    """Return a time of day, given as 14:02, on this person's clock."""
    return on_clock(time, hours=person.clock if person else Clock.TWENTY_FOUR)
