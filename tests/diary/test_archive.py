"""Tests that pages of a large diary need no more queries than those of a small one, and use indexes."""

import re
from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext

from diary.models import Entry
from tests.people import Resident


def list_queries(owner: Resident, path: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        assert owner.get(path).status_code == 200
    return [query["sql"] for query in captured.captured_queries]


def archive(owner: Resident, count: int) -> None:
    with owner.unlocked():
        Entry.objects.bulk_create(
            Entry(
                owner_id=owner.id, day=owner.today - timedelta(days=1 + number // 3), text=f"Entry {number}"
            )
            for number in range(count)
        )


def test_a_day_asks_the_same_few_questions_whatever_is_in_the_archive(owner: Resident) -> None:
    for number in range(3):
        owner.write(f"Today {number}")
    # The first page after an unlock also reads what traces are called.
    list_queries(owner, "/")
    before = list_queries(owner, "/")

    archive(owner, 2000)

    after = list_queries(owner, "/")
    # One of them is for proposals of check-ins.
    assert len(after) <= len(before) <= 17


def test_no_question_of_a_page_reads_through_a_table(owner: Resident) -> None:
    archive(owner, 300)
    plans = []

    for path in ("/", f"/d/{owner.today - timedelta(days=30)}/", f"/calendar/{owner.today:%Y-%m}/"):
        for sql in list_queries(owner, path):
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN QUERY PLAN " + sql)
                plans += [row[-1] for row in cursor.fetchall()]

    assert plans
    # A constant row is that of a statement without a table of its own, which asks others.
    assert not [plan for plan in plans if re.match(r"SCAN(?! CONSTANT ROW)", plan)]


def test_the_written_days_of_a_month_are_read_from_the_index_alone(owner: Resident) -> None:
    archive(owner, 30)
    (sql,) = [sql for sql in list_queries(owner, f"/calendar/{owner.today:%Y-%m}/") if "DISTINCT" in sql]

    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + sql)
        plan = [row[-1] for row in cursor.fetchall()]

    assert len(plan) == 1
    assert "COVERING INDEX" in plan[0]


def test_a_whole_archive_is_not_opened_for_one_day(owner: Resident) -> None:
    archive(owner, 300)

    rows = [sql for sql in list_queries(owner, "/") if '"diary_entry"."text"' in sql]

    assert len(rows) == 1
    assert f"'{owner.today}'" in rows[0]
