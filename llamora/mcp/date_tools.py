"""The tool that finds the dates of words such as "last Tuesday"."""

from datetime import date, datetime
from typing import Annotated

import msgspec
from django.utils import timezone

from accounts.preferences.languages import DEFAULT_LANGUAGE, get_date_words
from diary import days
from llamora.api.call import Call
from llamora.dates import Direction, resolve
from search.query.days import DayReader


class DateQuestion(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Words that name a day or a span of days."""

    text: Annotated[
        str,
        msgspec.Meta(
            min_length=1,
            max_length=200,
            description='The words alone, as they were said: "last Tuesday", "letzten Sommer", "5 May".',
        ),
    ]
    looks_ahead: Annotated[
        bool,
        msgspec.Meta(
            description="Whether a name such as Tuesday is the next one; in a diary it is the last."
        ),
    ] = False


class ResolvedDays(msgspec.Struct, kw_only=True):
    """The first and last day that the words name, and today, in the time zone of the diary's owner."""

    first_day: Annotated[
        date | None, msgspec.Meta(description="Null if the words name no day, or it is not certain which.")
    ]
    last_day: Annotated[date | None, msgspec.Meta(description="The same as first_day if it is one day.")]
    today: date
    weekday_of_today: str
    time_zone: str


def resolve_date(call: Call, arguments: DateQuestion) -> ResolvedDays:
    """Find the day or days that words such as "last Tuesday" mean, in the time zone of the diary's owner.

    Use it before read_day or search_diary when the person names a day in words. It also returns today. It
    understands English, German, French, Spanish, Italian, Portuguese and Dutch, and reads nothing in the
    diary.
    """
    person = call.person
    now = days.to_local_time(timezone.now(), person.time_zone)
    direction = Direction.FUTURE if arguments.looks_ahead else Direction.PAST
    found = _find_days(arguments.text, now, language=person.language, direction=direction)
    return ResolvedDays(
        first_day=found[0] if found else None,
        last_day=found[1] if found else None,
        today=now.date(),
        weekday_of_today=get_date_words(DEFAULT_LANGUAGE).weekday(now.date()),
        time_zone=person.time_zone,
    )


def _find_days(text: str, now: datetime, *, language: str, direction: Direction) -> tuple[date, date] | None:
    """Return the days in the person's language, else in English, else in any other, if none disagrees."""
    for one in (*DayReader(now, language=language).languages, None):
        when = resolve(text, now, language=one, direction=direction)
        if when is not None and when.days is not None:
            return when.days
    return None
