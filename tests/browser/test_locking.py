"""Tests of locking and unlocking: a locked page shows nothing of the diary, and unsaved text is not lost."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.diary_page import DiaryTab
from tests.browser.fixture_classes import BrowserErrors, NewDiary

KEPT = "zanderbraten in the oven"
UNSAVED = "quittengelee on the shelf"


def block_drafts(page: Page) -> None:
    """Block the drafts of this tab, so that typed text is in the page only."""
    page.route("**/draft/", lambda route: route.abort())


def tab_with_unsaved_text(diary: DiaryTab) -> None:
    """A tab with a saved entry, and unsaved text that is in the composer only."""
    diary.save_entry(KEPT)
    block_drafts(diary.page)
    diary.box.fill(UNSAVED)


def lock_elsewhere(diary: DiaryTab, new_diary: NewDiary) -> DiaryTab:
    """Lock in another tab of the same browser."""
    other = new_diary(beside=diary)
    other.lock()
    expect(other.page).to_have_url(re.compile("/unlock/"))
    return other


def assert_nothing_can_be_read(diary: DiaryTab) -> None:
    expect(diary.dialog).to_be_visible()
    shown = diary.shown_words()
    for words in (KEPT, UNSAVED):
        assert words not in shown
    assert diary.page.title() == "Locked · Llamora"
    assert diary.page.locator("textarea").count() == 0


def test_the_key_l_locks_and_the_password_opens_the_same_page(new_diary: NewDiary) -> None:
    diary = new_diary(path="/d/2022-03-01/")
    diary.save_entry(KEPT)

    diary.page.locator("body").press("l")
    expect(diary.page).to_have_url(re.compile("/unlock/"))
    assert KEPT not in diary.shown_words()
    diary.page.get_by_label("Password", exact=True).fill(diary.member.password)
    diary.button("Unlock").click()

    expect(diary.page).to_have_url(diary.house.url("/d/2022-03-01/"))
    expect(diary.entries).to_contain_text(KEPT)


def test_the_letter_l_in_a_text_is_a_letter(diary: DiaryTab) -> None:
    diary.box.press_sequentially("all lilies")

    expect(diary.box).to_have_value("all lilies")
    expect(diary.dialog).to_be_hidden()


@pytest.mark.slow
def test_the_button_saves_what_is_being_written_first(new_diary: NewDiary) -> None:
    diary = new_diary()
    diary.box.fill(UNSAVED)

    diary.lock()
    expect(diary.page).to_have_url(re.compile("/unlock/"))
    diary.page.get_by_label("Password", exact=True).fill(diary.member.password)
    diary.button("Unlock").click()

    expect(diary.box).to_have_value(UNSAVED)


def test_a_lock_in_another_tab_covers_this_one_in_mid_sentence(
    new_diary: NewDiary, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("ERR_FAILED")
    diary = new_diary()
    tab_with_unsaved_text(diary)

    lock_elsewhere(diary, new_diary)

    assert_nothing_can_be_read(diary)
    expect(diary.dialog.get_by_label("Password", exact=True)).to_be_focused()
    diary.page.keyboard.press("Escape")
    assert_nothing_can_be_read(diary)


def test_the_same_person_gets_the_page_and_the_half_sentence_back(
    new_diary: NewDiary, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("ERR_FAILED")
    diary = new_diary()
    tab_with_unsaved_text(diary)
    lock_elsewhere(diary, new_diary)

    diary.unlock()

    expect(diary.dialog).to_be_hidden()
    expect(diary.box).to_have_value(UNSAVED)
    expect(diary.entries).to_contain_text(KEPT)
    diary.page.unroute("**/draft/")
    diary.save_button.click()
    expect(diary.entries).to_have_count(2)
    diary.reload()
    expect(diary.entries).to_have_count(2)


@pytest.mark.slow
def test_a_wrong_password_is_said_and_opens_nothing(
    new_diary: NewDiary, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("ERR_FAILED", "422")
    diary = new_diary()
    tab_with_unsaved_text(diary)
    lock_elsewhere(diary, new_diary)

    diary.unlock("not my password at all")

    expect(diary.dialog.get_by_role("alert")).to_have_text("Wrong password.")
    assert_nothing_can_be_read(diary)
    diary.unlock()
    expect(diary.box).to_have_value(UNSAVED)


def test_locking_with_words_that_could_not_be_saved_keeps_them_behind_the_dialog(
    new_diary: NewDiary, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("ERR_FAILED")
    diary = new_diary()
    tab_with_unsaved_text(diary)

    diary.lock()

    assert_nothing_can_be_read(diary)
    diary.unlock()
    expect(diary.box).to_have_value(UNSAVED)


@pytest.mark.slow
def test_past_the_idle_limit_the_next_save_opens_the_dialog_and_loses_nothing(new_diary: NewDiary) -> None:
    diary = new_diary()
    diary.save_entry(KEPT)
    diary.house.make_inactive(diary.member)

    with diary.page.expect_request(re.compile("/draft/$")):
        diary.box.fill(UNSAVED)

    assert_nothing_can_be_read(diary)
    diary.unlock()
    expect(diary.box).to_have_value(UNSAVED)
    diary.wait_for_draft()


@pytest.mark.slow
def test_a_kept_text_meets_the_lock_and_is_kept_after_it(
    new_diary: NewDiary, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("ERR_FAILED", "401")
    diary = new_diary()
    tab_with_unsaved_text(diary)
    diary.house.delete_unlocks(diary.member)

    diary.save_button.click()
    assert_nothing_can_be_read(diary)
    diary.unlock()
    expect(diary.box).to_have_value(UNSAVED)
    diary.save_button.click()

    expect(diary.entries).to_have_count(2)
    expect(diary.box).to_have_value("")


@pytest.mark.slow
def test_an_edit_in_the_middle_of_a_lock_comes_back(new_diary: NewDiary) -> None:
    diary = new_diary()
    diary.save_entry(KEPT)
    diary.button("Edit").click()
    diary.page.locator("form.edit textarea").fill(UNSAVED)
    lock_elsewhere(diary, new_diary)
    assert_nothing_can_be_read(diary)

    diary.unlock()

    expect(diary.page.locator("form.edit textarea")).to_have_value(UNSAVED)
    diary.save_edit_button.click()
    expect(diary.entries).to_have_text(re.compile(UNSAVED))


@pytest.mark.slow
def test_the_dialog_says_so_when_the_server_is_away_and_asks_again(
    new_diary: NewDiary, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("ERR_FAILED")
    diary = new_diary()
    tab_with_unsaved_text(diary)
    diary.page.route("**/unlock/", lambda route: route.abort())
    lock_elsewhere(diary, new_diary)
    expect(diary.dialog).to_contain_text("The server can't be reached. Trying again.")

    diary.page.unroute("**/unlock/")

    expect(diary.dialog.get_by_label("Password", exact=True)).to_be_visible()
    diary.unlock()
    expect(diary.box).to_have_value(UNSAVED)


@pytest.mark.slow
def test_past_the_idle_limit_a_page_left_alone_covers_itself(new_diary: NewDiary) -> None:
    diary = new_diary()
    diary.save_entry(KEPT)

    diary.house.make_inactive(diary.member)

    expect(diary.dialog).to_be_visible(timeout=45_000)
    assert KEPT not in diary.shown_words()
