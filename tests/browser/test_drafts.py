"""Tests of drafts in a browser: sealed on the server while their text is typed."""

import pytest
from playwright.sync_api import Dialog, expect

from tests.browser.diary_page import DiaryTab, wait_until
from tests.browser.fixture_classes import NewDiary

# What a page is told of when another tab comes to the front.
HIDDEN = """() => {
  Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
  delete document.visibilityState;
}"""


def test_a_draft_survives_a_reload_and_is_there_in_another_tab(diary: DiaryTab, new_diary: NewDiary) -> None:
    diary.box.fill("Half a thought")
    diary.wait_for_draft()

    diary.reload()

    expect(diary.box).to_have_value("Half a thought")
    other = new_diary(beside=diary)
    expect(other.box).to_have_value("Half a thought")


def test_leaving_the_page_at_once_saves_the_draft(diary: DiaryTab) -> None:
    diary.box.fill("Typed and gone")
    diary.page.get_by_role("link", name="Settings", exact=True).click()
    expect(diary.page).to_have_title("Settings · Llamora")

    # What a page sends while it goes arrives when it can.
    wait_until(diary.page, lambda: diary.open().box.input_value() == "Typed and gone")


def test_leaving_while_a_save_takes_long_is_asked_about_and_loses_nothing(diary: DiaryTab) -> None:
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    diary.page.on("dialog", leave)
    with diary.house.write_lock():
        diary.box.press_sequentially("Alpha ")
        diary.page.wait_for_timeout(2_000)
        diary.box.press_sequentially("and Beta")
        diary.page.evaluate("() => { location.href = '/keys/' }")
        diary.page.wait_for_timeout(500)
    assert asked == ["beforeunload"]

    diary.page.wait_for_url("**/keys/")
    wait_until(diary.page, lambda: diary.open().box.input_value() == "Alpha and Beta")


def test_what_was_changed_further_up_is_saved_too_when_the_page_goes_during_a_save(diary: DiaryTab) -> None:
    with diary.house.write_lock():
        diary.page.on("dialog", lambda dialog: dialog.accept())
        diary.box.press_sequentially("Alpha Beta")
        diary.page.wait_for_timeout(900)
        diary.box.press("Home")
        diary.box.press_sequentially("First ")
        diary.page.evaluate("() => { location.href = '/keys/' }")
        diary.page.wait_for_timeout(300)

    wait_until(diary.page, lambda: diary.open().box.input_value() == "First Alpha Beta")


def test_a_page_that_was_hidden_during_a_save_is_in_no_conflict_with_itself(diary: DiaryTab) -> None:
    with diary.house.write_lock():
        diary.box.press_sequentially("Alpha ")
        diary.page.wait_for_timeout(900)
        diary.box.press_sequentially("and Beta")
        diary.page.evaluate(HIDDEN)
        diary.page.wait_for_timeout(300)
    with diary.page.expect_response(lambda answer: "Gamma" in (answer.request.post_data or "")):
        diary.box.press_sequentially(", and Gamma")

    expect(diary.page.locator("#composer [data-conflict]")).to_be_hidden()
    diary.reload()
    expect(diary.box).to_have_value("Alpha and Beta, and Gamma")


def test_who_never_pauses_is_saved_all_the_same(diary: DiaryTab) -> None:
    saved: list[str] = []
    diary.page.on("request", lambda request: saved.append(request.url) if "/draft/" in request.url else None)

    diary.box.press_sequentially("Words that go on and on without any rest, and on.", delay=120)

    assert 1 <= len(saved) <= 3


def test_an_entry_that_was_kept_leaves_no_draft(diary: DiaryTab) -> None:
    diary.box.fill("First as a draft, then kept.")
    diary.wait_for_draft()

    diary.save_button.click()

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


def test_a_draft_that_was_emptied_stays_empty(diary: DiaryTab) -> None:
    diary.box.fill("Not after all")
    diary.wait_for_draft()

    diary.box.fill("")
    expect(diary.state).to_have_text("")
    diary.reload()

    expect(diary.box).to_have_value("")
