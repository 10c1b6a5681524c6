"""Tests of a day with sixty entries and forty replies: size of the page, queries, number of Tab stops."""

from datetime import date

from diary.models import Entry, Reply
from llamora.inference.job import JobState
from tests.page import read
from tests.people import Resident

DAY = date(1999, 7, 14)
WORDS = "We walked to the weir and nobody spoke until the rain began, and then all of us did. "
# The days of the calendar are one stop: script lets the arrow keys go from one to the next.
TAB_STOPS = (
    "a[href]:not([tabindex='-1'], .cell), a.today, button, input:not([type='hidden']), select, textarea, "
    "summary, [tabindex='0']"
)


def write_long_day(owner: Resident) -> None:
    with owner.unlocked():
        for number in range(60):
            text = f"Entry {number}. " + (WORDS * 8)[:570]
            entry = Entry.objects.create(owner_id=owner.id, day=DAY, text=text)
            if number < 40:
                Reply.objects.create(owner_id=owner.id, entry=entry, state=JobState.DONE, text=text)


def test_a_long_day_is_light_and_short_by_keyboard(owner: Resident) -> None:
    write_long_day(owner)

    answer = owner.get(f"/d/{DAY}/")

    page = read(answer)
    assert (len(page.all("article.entry")), len(page.all("section.reply"))) == (60, 40)
    assert len(answer.content) < 200_000
    assert len(page.all(TAB_STOPS)) <= 400


def test_a_longer_day_takes_no_more_queries(owner: Resident, django_assert_num_queries: object) -> None:
    """Sixty entries need as many queries as one entry."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    owner.write("One.", day=DAY)
    owner.get(f"/d/{DAY}/")
    with CaptureQueriesContext(connection) as one:
        owner.get(f"/d/{DAY}/")
    write_long_day(owner)
    with CaptureQueriesContext(connection) as many:
        owner.get(f"/d/{DAY}/")

    assert len(many) == len(one)
