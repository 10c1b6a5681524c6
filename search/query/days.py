"""Days in plain words: the value of `from:"last summer"`, and the days that a question names."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from llamora.dates import LANGUAGES, Direction, resolve, scan

Days = tuple[date, date]


@dataclass(frozen=True, slots=True)
class DayMention:
    """The days that a question names, and the span of the words that name them."""

    start: int
    end: int
    days: Days


class DayReader:
    """Parser of days in a person's language and in English, relative to the time in their time zone."""

    def __init__(self, now: datetime, *, language: str) -> None:
        """Take the moment, and the language of the person's dates."""
        self.now = now
        known = language.partition("-")[0].lower() in LANGUAGES
        is_english = language.lower().startswith("en")
        self.languages: Sequence[str] = [language, *([] if is_english else ["en"])] if known else ["en-gb"]

    def read(self, value: str) -> Days | None:
        """Return the first and the last day of a date expression, or None for other text.

        If the expression may mean past or future days, past days are returned.
        """
        for language in self.languages:
            when = resolve(value, self.now, language=language, direction=Direction.PAST)
            if when is not None and when.days is not None:
                return when.days
        return None

    def find(self, question: str) -> DayMention | None:
        """Return the day or period that a question names.

        Return None if it names none or several, or one that may be in the past or in the future.
        """
        back = self._scan(question, Direction.PAST)
        # Most questions name none, and a second look takes as long as the first.
        ahead = self._scan(question, Direction.FUTURE) if back else {}
        # "Christmas" and "in June" are those of every year: only what is the same in both directions is one.
        certain = [(span, days) for span, days in back.items() if ahead.get(span) == days]
        if len(certain) != 1:
            return None
        (((start, end), days),) = certain
        return DayMention(start, end, days)

    def _scan(self, question: str, direction: Direction) -> dict[tuple[int, int], Days]:
        """Return the days and periods that a question names, by the span of the words that name them."""
        return {
            (mention.start, mention.end): mention.when.days
            for mention in scan(question, self.now, languages=self.languages, direction=direction)
            if mention.when.days is not None and mention.when.kind in ("day", "span")
        }
