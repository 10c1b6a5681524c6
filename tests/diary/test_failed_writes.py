"""Tests of writes to a full disk: a sentence, the text still on the page, nothing half written."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from django.db import connection

from diary.models import Draft, Entry
from tests.people import Resident, new_resident

pytestmark = pytest.mark.django_db(transaction=True)
TEXT = "Words that must not be lost & <found>"
SHOWN = "Words that must not be lost &amp; &lt;found&gt;"


@contextmanager
def set_pragma(name: str, while_inside: int | str, after: int | str) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {name}={while_inside}")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA {name}={after}")


@contextmanager
def full_disk() -> Iterator[None]:
    """Limit SQLite to its present file size without free pages, as on a full disk."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA page_count")
        pages = cursor.fetchone()[0]
    with set_pragma("max_page_count", pages, 2**30):
        yield


@contextmanager
def read_only() -> Iterator[None]:
    """Make SQLite refuse every write, as in a read-only folder."""
    with set_pragma("query_only", "ON", "OFF"):
        yield


@pytest.fixture(params=[full_disk, read_only])
def send_failing_save(request: pytest.FixtureRequest) -> object:
    return request.param


@pytest.mark.parametrize("script", [True, False])
def test_a_save_that_fails_says_so_and_keeps_the_text_on_the_page(
    send_failing_save: object, script: bool
) -> None:
    owner = new_resident("Olive")
    owner.post(f"/d/{owner.today}/draft/", text="As far as it came", revision=0)

    with send_failing_save():  # type: ignore[operator]
        answer = owner.post(f"/d/{owner.today}/", text=TEXT * 300, revision=1, key=uuid4(), script=script)

    page = answer.content.decode()
    assert answer.status_code == 503
    assert "nothing was saved" in page
    assert script or SHOWN * 300 in page
    assert not Entry.objects.exists()
    assert Draft.objects.count() == 1


def test_the_same_save_succeeds_once_there_is_room(send_failing_save: object) -> None:
    owner, key = new_resident("Olive"), uuid4()
    with send_failing_save():  # type: ignore[operator]
        owner.post(f"/d/{owner.today}/", text=TEXT * 300, key=key, script=True)

    answer = owner.post(f"/d/{owner.today}/", text=TEXT * 300, key=key, script=True)

    assert answer.status_code == 200
    assert owner.list_texts() == [TEXT * 300]


def test_a_failed_edit_leaves_the_entry_as_it_was(send_failing_save: object) -> None:
    owner: Resident = new_resident("Olive")
    entry = owner.write("Before")

    with send_failing_save():  # type: ignore[operator]
        answer = owner.post(f"/entries/{entry.id}/edit/", text=TEXT * 300, revision=1, script=True)

    assert answer.status_code == 503
    assert owner.list_texts() == ["Before"]
    assert Entry.objects.get().revision == 1


def test_a_failed_draft_says_so(send_failing_save: object) -> None:
    owner: Resident = new_resident("Olive")

    with send_failing_save():  # type: ignore[operator]
        answer = owner.post(f"/d/{owner.today}/draft/", text=TEXT * 300, revision=0, script=True)

    assert answer.status_code == 503
    assert not Draft.objects.exists()


def test_the_diary_can_be_read_while_nothing_can_be_written(send_failing_save: object) -> None:
    owner: Resident = new_resident("Olive")
    owner.write("Readable")

    with send_failing_save():  # type: ignore[operator]
        page = owner.get("/")

    assert "Readable" in page.content.decode()


def test_a_reply_style_that_cannot_be_saved_keeps_its_name_and_its_wish() -> None:
    owner = new_resident("Olive")
    entry = owner.write("Before")

    with read_only():
        answer = owner.post(f"/entries/{entry.id}/ways/", name="In haiku", wish="Three 行。" * 60)

    page = answer.content.decode()
    assert answer.status_code == 503
    assert "nothing was saved" in page
    assert "In haiku" in page
    assert "Three 行。Three 行。" in page
