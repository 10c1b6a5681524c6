"""Nothing can be written: a sentence says so, and the text stays in the page until it can."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from tests.browser.browsing import Complaints, NewDiary
from tests.browser.diary import DiaryTab
from tests.browser.house import ServedHouse, household


@contextmanager
def no_room(house: ServedHouse) -> Iterator[None]:
    """No file of the server may grow: every write that needs room fails, as on a full disk."""
    soft, hard = resource.prlimit(house.server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(house.server.pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.prlimit(house.server.pid, resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(scope="module")
def starved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedHouse]:
    """A household whose disk is taken away now and then."""
    with household(tmp_path_factory.mktemp("starved")) as house:
        yield house


def test_without_room_the_text_stays_and_a_sentence_says_so(
    starved: ServedHouse, new_diary: NewDiary, complaints: Complaints
) -> None:
    complaints.expect("503")
    diary = new_diary(of=starved)
    with no_room(starved):
        diary.box.fill("Words for a full disk.")
        expect(diary.state).to_contain_text("so nothing was saved")

        diary.save_button.click()
        expect(diary.complaint).to_contain_text("so nothing was saved")
        expect(diary.box).to_have_value("Words for a full disk.")

    diary.save_button.click()
    expect(diary.entries).to_have_count(1)
    diary.reload()
    expect(diary.entries).to_have_count(1)


def test_an_edit_that_cannot_be_written_stays_in_its_form(
    starved: ServedHouse, new_diary: NewDiary, complaints: Complaints
) -> None:
    complaints.expect("503")
    diary = new_diary(of=starved)
    diary.keep("As it was.")
    diary.button("Edit").click()
    box = diary.page.locator("form.edit textarea")
    box.fill("As it should be.")

    with no_room(starved):
        diary.save_edit_button.click()
        expect(diary.page.locator("form.edit [data-error]")).to_contain_text("so nothing was saved")
        expect(box).to_have_value("As it should be.")
    diary.save_edit_button.click()

    expect(diary.entries).to_contain_text("As it should be.")


@pytest.mark.slow
def test_while_another_program_writes_for_long_the_text_waits_and_is_saved_once(
    starved: ServedHouse, new_diary: NewDiary, complaints: Complaints
) -> None:
    complaints.expect("503", "ERR")
    diary: DiaryTab = new_diary(of=starved)
    with starved.busy_disk():
        diary.box.fill("Words for a busy disk.")
        diary.save_button.click()
        expect(diary.state).to_have_text("Not saved, trying again", timeout=30_000)
        expect(diary.box).to_have_value("Words for a busy disk.")

    expect(diary.entries).to_have_count(1, timeout=40_000)
    diary.reload()
    expect(diary.entries).to_have_count(1)
