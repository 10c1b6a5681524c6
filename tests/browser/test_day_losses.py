"""Tests that no text is lost by events during editing and saving."""

import re

import pytest
from playwright.sync_api import Dialog, Locator, Page, expect

from tests.browser.diary_page import DiaryTab
from tests.browser.fixture_classes import BrowserErrors, NewDiary
from tests.browser.served_household import ServedHouse
from tests.browser.test_midnight import advance_to_tomorrow, before_midnight

AWAY = "ERR_INTERNET_DISCONNECTED", "ERR_CONNECTION_", "ERR_EMPTY_RESPONSE", "ERR_FAILED"


def save_and_open_edit_form(diary: DiaryTab, text: str) -> Locator:
    """Save an entry and open its edit form; return its text box."""
    diary.save_entry(text)
    diary.button("Edit").click()
    box = diary.page.locator("form.edit textarea")
    expect(box).to_be_focused()
    return box


def state(diary: DiaryTab) -> Locator:
    return diary.page.locator("form.edit [data-save-state]")


def test_closing_a_change_that_cannot_be_saved_leaves_it_on_the_page(
    diary: DiaryTab, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect(*AWAY)
    box = save_and_open_edit_form(diary, "Soup for supper.")
    diary.page.context.set_offline(True)
    box.fill("Soup and bread for supper.")
    expect(state(diary)).to_contain_text("Not saved: The server can't be reached.")

    diary.page.get_by_role("link", name="Close", exact=True).click()
    box.press("Escape")

    expect(box).to_have_value("Soup and bread for supper.")
    expect(state(diary)).to_contain_text("Not saved: The server can't be reached.")
    diary.page.context.set_offline(False)
    expect(state(diary)).to_have_text(re.compile(r"^Draft saved"))
    diary.page.get_by_role("link", name="Close", exact=True).click()
    expect(diary.entries).to_contain_text("unsaved changes")


def stay_on_page(page: Page) -> list[str]:
    """Cancel every dialog about leaving the page; return the list of their messages."""
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    return asked


def test_leaving_while_a_text_is_still_being_kept_is_asked_about(
    diary: DiaryTab, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect(*AWAY)
    asked = stay_on_page(diary.page)
    diary.box.press_sequentially("Written in a tunnel.")
    diary.page.context.set_offline(True)
    diary.save_button.click()
    expect(diary.state).to_have_text("Not saved, trying again")

    diary.page.evaluate("() => { location.href = '/settings/' }")
    diary.page.wait_for_timeout(500)

    assert asked == ["beforeunload"]
    expect(diary.box).to_have_value("Written in a tunnel.")
    diary.page.context.set_offline(False)
    expect(diary.entries).to_contain_text("Written in a tunnel.")


def test_a_change_outlives_a_killed_server_a_midnight_and_a_lock(
    own_house: ServedHouse, new_diary: NewDiary, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect(*AWAY, "htmx:", "401")
    diary = before_midnight(lambda **options: new_diary(of=own_house, **options))
    box = save_and_open_edit_form(diary, "Soup for supper.")
    own_house.kill()
    box.fill("Soup and bread for supper.")
    diary.save_edit_button.click()
    expect(diary.page.locator("form.edit [data-error]")).to_contain_text("The server can't be reached.")

    own_house.start_again()
    advance_to_tomorrow(diary)
    expect(diary.page.get_by_text("A new day has begun.")).to_be_visible()
    expect(box).to_have_value("Soup and bread for supper.")
    # A draft that is still under way when the key goes would hear of it before the button is pressed.
    expect(diary.page.locator("form.edit [data-save-state]")).to_contain_text("Draft saved")
    own_house.delete_unlocks(diary.member)
    diary.save_edit_button.click()
    diary.unlock()

    expect(box).to_have_value("Soup and bread for supper.")
    diary.save_edit_button.click()
    expect(diary.entries).to_contain_text("Soup and bread for supper.")
    diary.reload()
    expect(diary.entries).to_have_count(1)


def test_words_outlive_the_end_of_the_visit(new_diary: NewDiary, browser_errors: BrowserErrors) -> None:
    browser_errors.expect("401", "403", "4401", "ERR_FAILED")
    diary = new_diary()
    diary.save_entry("Kept before.")
    diary.page.route("**/draft/", lambda route: route.abort())
    diary.box.fill("Half a thought")
    diary.house.delete_unlocks(diary.member)
    diary.house.execute(
        "DELETE FROM accounts_signin WHERE person_id = ?", diary.member.owner.replace("-", "")
    )

    diary.save_button.click()
    expect(diary.dialog.get_by_role("heading", name="Signed out")).to_be_visible()
    diary.dialog.get_by_label("Name", exact=True).fill(diary.member.name)
    diary.dialog.get_by_label("Password", exact=True).fill(diary.member.password)
    diary.dialog.get_by_role("button", name="Sign in", exact=True).click()

    expect(diary.box).to_have_value("Half a thought")
    diary.save_button.click()
    expect(diary.entries).to_have_count(2)


def test_a_change_of_what_another_tab_has_deleted_stays_in_the_stale_one(
    diary: DiaryTab, new_diary: NewDiary, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("404")
    diary.save_entry("Soup for supper.")
    stale = new_diary(beside=diary)
    stale.button("Edit").click()
    box = stale.page.locator("form.edit textarea")
    expect(box).to_be_focused()
    diary.choose("Delete")
    expect(diary.button("Undo")).to_be_visible()

    box.fill("Fish for supper.")
    stale.save_edit_button.click()

    expect(stale.page.locator("form.edit [data-error]")).to_contain_text("This entry was deleted")
    expect(box).to_have_value("Fish for supper.")
    diary.button("Undo").click()
    expect(diary.entries).to_contain_text("Soup for supper.")
    stale.save_edit_button.click()
    expect(stale.entries).to_contain_text("Fish for supper.")


@pytest.mark.slow
def test_a_reply_style_outlives_a_lock_and_is_not_left_unasked(new_diary: NewDiary) -> None:
    mine = new_diary()
    mine.save_entry("The weir again.")
    page = mine.page
    mine.entries.get_by_text("More", exact=True).click()
    page.get_by_role("link", name="Your own styles…").click()
    page.get_by_label("Name").fill("As a sailor")
    page.get_by_label("How the model should reply").fill("As a sailor would.")
    page.get_by_role("heading", name="Reply styles").click()

    page.keyboard.press("l")
    mine.unlock()

    expect(page.get_by_label("Name")).to_have_value("As a sailor")
    expect(page.get_by_label("How the model should reply")).to_have_value("As a sailor would.")
    asked = stay_on_page(page)
    page.evaluate("() => { location.href = '/' }")
    page.wait_for_timeout(500)
    assert asked == ["beforeunload"]
    page.get_by_role("button", name="Save this style").click()
    expect(page.get_by_role("button", name="Reply as")).to_be_visible()
    assert asked == ["beforeunload"]
