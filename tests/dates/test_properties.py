"""Property tests of `llamora.dates` for any text, any anchor and any machine."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llamora.dates import LANGUAGES, Direction, resolve, scan
from llamora.dates.calendar_days import add_months, easter, nth_weekday
from llamora.dates.grammar import MONTH_FIRST
from llamora.dates.lexicon import load_lexicon
from llamora.dates.parsing import ExpressionParser, TokenReader
from llamora.dates.scanner import iter_starts
from llamora.dates.tokens import tokenize
from tests.conftest import ROOT
from tests.dates.grammar_texts import iter_rule_texts
from tests.dates.test_expressions import CASES

NOON = datetime(2024, 5, 15, 12, 0, tzinfo=UTC)
ANCHORS = st.datetimes(
    datetime(1, 1, 1),
    datetime(9999, 12, 31),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))]),
)
WORDS = sorted({word for text in [case[1] for case in CASES] for word in text.split()})
# Random characters hardly ever make a date, words of dates in any order often do.
TEXTS = st.text(max_size=80) | st.lists(st.sampled_from(WORDS) | st.text(max_size=4), max_size=14).map(
    " ".join
)
# Nothing but distances from the anchor and names near it: what moves with the anchor, day by day.
MOVING = [
    ("en", "yesterday"), ("en", "next Tuesday"), ("en", "last Friday"), ("en", "in two weeks"),
    ("en", "last week"),
    ("en", "3 months ago"), ("en", "next month"), ("en", "last summer"), ("en", "next Christmas"),
    ("en", "this year"),
    ("de", "vorgestern"), ("de", "nächsten Montag"), ("fr", "l'an dernier"), ("es", "el próximo viernes"),
    ("it", "due settimane fa"), ("nl", "volgende maand"), ("pt", "daqui a três dias"),
    ("en", "two Sundays ago"), ("en", "the Friday before Easter"), ("en", "this day last year"),
    ("en", "the first two weeks of next month"), ("en", "the weekend after Christmas"),
    ("en", "within three days"), ("en", "a year ago today"), ("en", "the first Sunday of Advent"),
    ("de", "am gestrigen Tag"), ("fr", "lundi en quinze"), ("es", "Navidad del año pasado"),
]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(TEXTS, ANCHORS, st.sampled_from([*LANGUAGES, None]), st.sampled_from(Direction))
def test_resolve_raises_on_no_text(
    text: str, anchor: datetime, language: str | None, direction: Direction
) -> None:
    resolve(text, anchor, language=language, direction=direction)


@settings(max_examples=200, deadline=None)
@given(TEXTS, ANCHORS, st.sampled_from(sorted(LANGUAGES)))
def test_scan_raises_on_no_text_and_its_places_are_disjoint(
    text: str, anchor: datetime, language: str
) -> None:
    found = scan(text, anchor, languages=[language, "en"] if language != "en" else ["en"])

    ends = [0]
    for mention in found:
        assert ends[-1] <= mention.start < mention.end <= len(text)
        assert mention.text == text[mention.start : mention.end]
        ends.append(mention.end)


def check_rules(language: str, step: int) -> None:
    """Try the texts of the rules, of which some must mean a date and none may raise."""
    texts = list(iter_rule_texts(language, step))[::step]

    found = [resolve(text, NOON, language=language) for text in texts]
    for text in texts:
        scan(text, NOON, languages=[language])

    assert len(texts) > 100
    assert sum(when is not None for when in found) > len(texts) // 5


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_rule_raises_in_any_language(language: str) -> None:
    check_rules(language, 24)


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_row_of_any_rule_raises_in_any_language(language: str) -> None:
    check_rules(language, 1)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(MOVING), st.dates(date(1600, 1, 1), date(2400, 1, 1)), st.integers(0, 800))
def test_a_later_anchor_never_means_an_earlier_day(case: tuple[str, str], day: date, later: int) -> None:
    language, text = case
    first, second = (
        resolve(text, datetime.combine(each, NOON.timetz()), language=language)
        for each in (day, day + timedelta(days=later))
    )

    assert first is not None
    assert second is not None
    assert first.days is not None
    assert second.days is not None
    assert first.days <= second.days


def test_an_anchor_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        resolve("today", datetime(2024, 1, 1))


def test_nothing_depends_on_the_zone_clock_or_locale_of_the_machine() -> None:
    code = (
        "from datetime import datetime, timezone\nfrom llamora.dates import *\n"
        "anchor = datetime(2024, 1, 15, 10, tzinfo=timezone.utc)\n"
        "print(resolve('yesterday at 5 pm', anchor), resolve('el 5 de mayo', anchor, language='es'),"
        "scan('Ce matin, ou samedi, 12/01/24', anchor, languages=['fr']))"
    )

    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "TZ": zone, "LC_ALL": locale, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for zone, locale, seed in (("Pacific/Auckland", "C", "1"), ("America/New_York", "de_DE.UTF-8", "2"))
    }

    assert len(said) == 1
    assert "2024, 1, 14, 17" in said.pop()


@pytest.mark.parametrize(
    ("anchor", "text", "start"),
    [
        # Clocks go forward in New York at 2:00 on 10 March 2024, and back at 2:00 on 3 November.
        ("2024-03-09T20:00", "tomorrow at 8 am", "2024-03-10T08:00:00-04:00"),
        ("2024-03-10T01:30", "in an hour", "2024-03-10T03:30:00-04:00"),
        ("2024-03-10T00:30", "2:30 am", "2024-03-10T03:30:00-04:00"),
        ("2024-11-03T00:30", "in two hours", "2024-11-03T01:30:00-05:00"),
        ("2024-11-02T12:00", "in 24 hours", "2024-11-03T11:00:00-05:00"),
        ("2024-11-02T12:00", "in a day", "2024-11-03"),
    ],
)
def test_hours_are_counted_on_the_clock_of_the_world(anchor: str, text: str, start: str) -> None:
    moment = datetime.fromisoformat(anchor).replace(tzinfo=ZoneInfo("America/New_York"))

    when = resolve(text, moment, language="en")

    assert when is not None
    assert when.start is not None
    assert when.start.isoformat() == start


@pytest.mark.parametrize(
    ("anchor", "text", "days"),
    [
        ("2024-02-29", "a year ago", "2023-02-28"),
        ("2024-02-29", "in four years", "2028-02-29"),
        ("2024-01-31", "in a month", "2024-02-29"),
        ("2023-03-31", "a month ago", "2023-02-28"),
        ("2024-12-31", "tomorrow", "2025-01-01"),
        ("2021-01-01", "last week", "2020-12-21..2020-12-27"),
        ("2021-01-01", "week 53 of 2020", "2020-12-28..2021-01-03"),
        ("2021-01-01", "this week", "2020-12-28..2021-01-03"),
        ("2024-01-15", "2020-W53-5", "2021-01-01"),
        ("2024-01-15", "week 53", "none"),
        ("2024-02-29", "the last day of the month", "2024-02-29"),
        ("2023-02-10", "29 February", "none"),
        ("2024-01-20", "last winter", "2022-12-01..2023-02-28"),
        ("2024-01-20", "this winter", "2023-12-01..2024-02-29"),
        ("2100-02-10", "29 February 2100", "none"),
    ],
)
def test_the_edges_of_the_calendar(anchor: str, text: str, days: str) -> None:
    from tests.dates.test_expressions import describe

    assert describe(resolve(text, datetime.fromisoformat(f"{anchor}T12:00+00:00"), language="en")) == days


def test_days_of_the_calendar() -> None:
    assert [easter(year) for year in (1662, 2000, 2019, 2024, 2038)] == [
        date(1662, 4, 9), date(2000, 4, 23), date(2019, 4, 21), date(2024, 3, 31), date(2038, 4, 25),
    ]  # fmt: skip
    assert add_months(date(2024, 1, 31), -2) == date(2023, 11, 30)
    assert nth_weekday((date(2024, 5, 1), date(2024, 5, 31)), 4, 5) == date(2024, 5, 31)
    assert nth_weekday((date(2024, 6, 1), date(2024, 6, 30)), 4, 5) is None


@pytest.mark.parametrize(
    "piece", ["1h ", "Monday ", "5 May, ", "1:1:1 ", "the ", "in the ", "Mo-", "1.", "every "]
)
def test_work_grows_with_the_length_of_a_text_and_no_faster(piece: str) -> None:
    work = []
    for repeated in (60, 120):
        reader = TokenReader(text := piece * repeated, tokenize(text), load_lexicon("en"))
        parser = ExpressionParser(MONTH_FIRST, reader)
        for place in iter_starts(reader):
            parser.parse("scanned", place)
        work.append(parser.steps)

    assert work[1] <= 2.2 * work[0] + 50
