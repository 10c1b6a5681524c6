"""Tests of a server with a full disk: a sentence says so, and the text stays in the page until saved."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from tests.browser.diary_page import DiaryTab
from tests.browser.fixture_classes import BrowserErrors, NewDiary
from tests.browser.served_household import ServedHouse, run_household


@contextmanager
def full_disk(house: ServedHouse) -> Iterator[None]:
    """Let no file of the server grow, so that writes fail as on a full disk."""
    soft, hard = resource.prlimit(house.server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(house.server.pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.prlimit(house.server.pid, resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(scope="module")
def house_with_full_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedHouse]:
    """A household whose disk is full at times."""
    with run_household(tmp_path_factory.mktemp("starved")) as house:
        yield house


def test_without_room_the_text_stays_and_a_sentence_says_so(
    house_with_full_disk: ServedHouse, new_diary: NewDiary, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("503")
    diary = new_diary(of=house_with_full_disk)
    with full_disk(house_with_full_disk):
        diary.box.fill("Words for a full disk.")
        expect(diary.state).to_contain_text("so nothing was saved")

        diary.save_button.click()
        expect(diary.complaint).to_contain_text("so nothing was saved")
        expect(diary.box).to_have_value("Words for a full disk.")

    diary.save_button.click()
    expect(diary.entries).to_have_count(1)
    diary.reload()
    expect(diary.entries).to_have_count(1)


@pytest.mark.slow
def test_an_edit_that_cannot_be_written_stays_in_its_form(
    house_with_full_disk: ServedHouse, new_diary: NewDiary, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("503")
    diary = new_diary(of=house_with_full_disk)
    diary.save_entry("As it was.")
    diary.button("Edit").click()
    box = diary.page.locator("form.edit textarea")
    box.fill("As it should be.")

    with full_disk(house_with_full_disk):
        diary.save_edit_button.click()
        expect(diary.page.locator("form.edit [data-error]")).to_contain_text("so nothing was saved")
        expect(box).to_have_value("As it should be.")
    diary.save_edit_button.click()

    expect(diary.entries).to_contain_text("As it should be.")


@pytest.mark.slow
def test_while_another_program_writes_for_long_the_text_waits_and_is_saved_once(
    house_with_full_disk: ServedHouse, new_diary: NewDiary, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("503", "ERR")
    diary: DiaryTab = new_diary(of=house_with_full_disk)
    with house_with_full_disk.write_lock():
        diary.box.fill("Words for a busy disk.")
        diary.save_button.click()
        expect(diary.state).to_have_text("Not saved, trying again", timeout=30_000)
        expect(diary.box).to_have_value("Words for a busy disk.")

    expect(diary.entries).to_have_count(1, timeout=40_000)
    diary.reload()
    expect(diary.entries).to_have_count(1)
