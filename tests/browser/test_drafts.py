"""What is being written, saved sealed on the server while it is typed."""

import pytest
from playwright.sync_api import expect

from tests.browser.browsing import NewDiary
from tests.browser.diary import Diary


def test_a_draft_survives_a_reload_and_is_there_in_another_tab(diary: Diary, new_diary: NewDiary) -> None:
    diary.box.fill("Half a thought")
    diary.wait_for_draft()

    diary.reload()

    expect(diary.box).to_have_value("Half a thought")
    other = new_diary(beside=diary)
    expect(other.box).to_have_value("Half a thought")


def test_leaving_the_page_at_once_saves_the_draft(diary: Diary) -> None:
    diary.box.fill("Typed and gone")
    diary.page.get_by_role("link", name="You", exact=True).click()
    expect(diary.page).to_have_title("You · Llamora")

    diary.open()

    expect(diary.box).to_have_value("Typed and gone")


def test_an_entry_that_was_kept_leaves_no_draft(diary: Diary) -> None:
    diary.box.fill("First as a draft, then kept.")
    diary.wait_for_draft()

    diary.button("Keep").click()

    expect(diary.entries).to_have_count(1)
    diary.reload()
    expect(diary.box).to_have_value("")


@pytest.mark.slow
def test_each_day_has_a_draft_of_its_own(new_diary: NewDiary) -> None:
    diary = new_diary()
    diary.box.fill("For today")
    diary.wait_for_draft()

    diary.open("/d/2023-05-01/")
    expect(diary.box).to_have_value("")
    diary.box.fill("For that day")
    diary.wait_for_draft()
    diary.open("/")

    expect(diary.box).to_have_value("For today")


def test_a_draft_that_was_emptied_stays_empty(diary: Diary) -> None:
    diary.box.fill("Not after all")
    diary.wait_for_draft()

    diary.box.fill("")
    expect(diary.state).to_have_text("")
    diary.reload()

    expect(diary.box).to_have_value("")
