"""Languages of dates: names of months and weekdays, the order of day and month, the start of the week.

The data are Django's locale data, read once for each language. All other text is in English.
"""

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from django.conf import settings
from django.utils import dateformat, formats, translation
from django.utils.dates import MONTHS, WEEKDAYS, WEEKDAYS_ABBR
from django.utils.text import capfirst
from django.utils.translation import trans_real

DEFAULT_LANGUAGE = "en-gb"
_ENGLISH = {"en": "F j, Y", DEFAULT_LANGUAGE: "j F Y"}
_MONTH = re.compile(r"(?<!\\)[FNM]")
_SUNDAY = 6
TWELVE_HOURS = 12


@dataclass(frozen=True, slots=True)
class DateWords:
    """Names of months and weekdays in one language, and its date patterns; weekdays begin with Monday."""

    language: str
    months: tuple[str, ...]
    weekdays: tuple[str, ...]
    initials: tuple[str, ...]
    day_pattern: str
    month_day_pattern: str

    def day(self, day: date) -> str:
        """Return a day as text: 20 November 2026."""
        return self._format(day, self.day_pattern)

    def month_day(self, day: date) -> str:
        """Return a day without its year: 20 November."""
        return self._format(day, self.month_day_pattern)

    def weekday(self, day: date) -> str:
        """Return the capitalised name of a day's weekday."""
        return capfirst(self.weekdays[day.weekday()])

    def full(self, day: date) -> str:
        """Return a day with its weekday: Friday 20 November 2026."""
        return f"{self.weekday(day)} {self.day(day)}"

    def month(self, number: int) -> str:
        """Return the capitalised name of a month."""
        return capfirst(self.months[number - 1])

    def month_year(self, day: date) -> str:
        """Return a day's month and year: November 2026."""
        return f"{self.month(day.month)} {day.year}"

    def _format(self, day: date, pattern: str) -> str:
        return _format_cached(day, pattern, self.language)


@lru_cache(maxsize=4096)
def _format_cached(day: date, pattern: str, language: str) -> str:
    with translation.override(language):
        return dateformat.format(day, pattern)


@lru_cache(maxsize=16)
def get_date_words(language: str) -> DateWords:
    """Return the names of months and weekdays in a language, and its patterns of dates.

    For an unknown language, return those of the default language.
    """
    known = language if language in dict(settings.LANGUAGES) else DEFAULT_LANGUAGE
    with translation.override(known):
        day = _ENGLISH.get(known) or str(formats.get_format("DATE_FORMAT", known))
        # The full name, in its form beside a number where the language has one.
        month = "E" if "E" in day else "F"
        weekdays = tuple(str(WEEKDAYS[number]) for number in range(7))
        return DateWords(
            language=known,
            months=tuple(str(MONTHS[number]) for number in range(1, 13)),
            weekdays=weekdays,
            initials=_build_initials([str(WEEKDAYS_ABBR[number]) for number in range(7)], weekdays),
            day_pattern=_MONTH.sub(month, day),
            month_day_pattern=_MONTH.sub(month, str(formats.get_format("MONTH_DAY_FORMAT", known))),
        )


def _build_initials(short: list[str], whole: tuple[str, ...]) -> tuple[str, ...]:
    """Return the weekdays as short distinct names, without the letters that all names begin with."""
    names = short if len(set(short)) == len(short) else list(whole)
    same = next(end for end in range(len(min(names)) + 1) if len({name[: end + 1] for name in names}) > 1)
    own = [capfirst(name[same:]) for name in names]
    length = next((end for end in range(2, 20) if len({name[:end] for name in own}) == len(own)), None)
    return tuple(name[:length] for name in own)


def list_languages() -> list[tuple[str, str]]:
    """Return the code of each language and its name in that language, sorted by name."""
    names = ((code, translation.get_language_info(code)["name_local"]) for code, _ in settings.LANGUAGES)
    return sorted(((code, capfirst(name)) for code, name in names), key=lambda choice: choice[1].casefold())


def guess_language(accepted: str) -> str:
    """Return the first language of an `Accept-Language` header that Django knows, or the default."""
    for code, _ in trans_real.parse_accept_lang_header(accepted.lower()):
        try:
            return translation.get_supported_language_variant(code)
        except LookupError:
            continue
    return DEFAULT_LANGUAGE


def format_time(time: str, *, hours: int) -> str:
    """Return a time of day such as 14:02 in the person's clock format: 14:02, or 2:02 pm if `hours` is 12."""
    if hours != TWELVE_HOURS or ":" not in time:
        return time
    hour, minute = time.split(":", 1)
    return f"{int(hour) % 12 or 12}:{minute} {'am' if int(hour) < TWELVE_HOURS else 'pm'}"


def get_week_start(language: str) -> int:
    """Return the first weekday in a language, where 0 is Monday; Monday if Django has no data."""
    for module in formats.get_format_modules(language):
        first = getattr(module, "FIRST_DAY_OF_WEEK", None)
        if first is not None:
            return int(first) - 1 if first else _SUNDAY
    return 0
