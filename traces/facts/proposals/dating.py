"""Dates of proposed facts: the day that "next Friday" meant when it was written.

A day relative to the entry is replaced by a date that stays true: "on 13 March 2026". The time that a fact
refers to is also stored separately, with the words of the entry.
"""

import re
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from diary.days import format_day
from llamora.dates import DateMention, When, scan

# A relative expression means something else a week later; "May 5" does not.
_LATER: Final = timedelta(days=7)
_GERMAN_MONTHS: Final = (
    "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
    "Dezember",
)  # fmt: skip
_PREPOSITIONS: Final = {
    "en": re.compile(r"\b(?:on|by|until|since|from|before|after|for|till) $"),
    "de": re.compile(r"\b(?:am|bis|seit|ab|vor|nach|bis zum|vom) $"),
}


def date_fact(sentence: str, *, anchor: datetime, language: str) -> str:
    """Return a sentence with each relative day replaced by its date."""
    text = sentence
    for mention in reversed(scan(sentence, anchor, languages=[language])):
        words = _put_in_words(mention, anchor, language)
        if words:
            before = text[: mention.start]
            if before and not _PREPOSITIONS[language].search(before):
                words = f"{'am' if language == 'de' else 'on'} {words}"
            text = before + words + text[mention.end :]
    return text


def describe_when(quote: str, *, anchor: datetime, language: str) -> dict[str, Any]:
    """Return the time that a quote mentions, as the value `when` of a fact's body.

    Return {} if the quote mentions no time, or several.
    """
    mentions = scan(quote, anchor, languages=[language])
    if len(mentions) != 1:
        return {}
    when = mentions[0].when
    row = {
        "raw": mentions[0].text,
        "start": _dump(when.start),
        "end": _dump(when.end),
        "kind": when.kind,
        "precision": when.precision,
        "zone": when.zone,
        "rule": when.rule,
    }
    return {name: str(value) for name, value in row.items() if value}


def _put_in_words(mention: DateMention, anchor: datetime, language: str) -> str:
    """Return a relative day or moment in words, or ""."""
    when = mention.when
    if when.kind not in ("day", "instant") or not _is_relative(mention, anchor, language):
        return ""
    if when.kind == "day" and when.precision not in ("", "day"):
        return ""
    start = when.start
    if isinstance(start, datetime):
        clock = start.strftime("%H:%M")
        if language == "de":
            return f"{_format_in_german(start.date())} um {clock} Uhr"
        return f"{format_day(start.date())} at {clock}"
    if isinstance(start, date):
        return _format_in_german(start) if language == "de" else format_day(start)
    return ""


def _is_relative(mention: DateMention, anchor: datetime, language: str) -> bool:
    later: When | None = next(
        (each.when for each in scan(mention.text, anchor + _LATER, languages=[language])), None
    )
    now = next((each.when for each in scan(mention.text, anchor, languages=[language])), None)
    return later is not None and now is not None and later.start != now.start


def _format_in_german(day: date) -> str:
    return f"{day.day}. {_GERMAN_MONTHS[day.month - 1]} {day.year}"


def _dump(value: date | datetime | time | None) -> str:
    return value.isoformat() if value is not None else ""
