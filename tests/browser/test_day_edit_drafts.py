"""Tests of drafts of edits in a browser: typed text survives reloads, locks and closed tabs."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.diary_page import DiaryTab
from tests.browser.fixture_classes import BrowserErrors, NewDiary


def open_edit_form(diary: DiaryTab) -> Locator:
    """Open the edit form of the only entry; return its text box."""
    diary.button("Edit").click()
    box = diary.page.locator("form.edit textarea")
    expect(box).to_be_focused()
    return box


def wait_for_saved(diary: DiaryTab) -> None:
    expect(diary.page.locator("form.edit [data-save-state]")).to_have_text(
        re.compile(r"^Draft saved \d\d:\d\d$")
    )


def test_a_change_survives_a_reload_until_it_is_saved(diary: DiaryTab) -> None:
    diary.save_entry("Soup for supper.")
    open_edit_form(diary).fill("Soup and bread for sup")
    wait_for_saved(diary)

    diary.reload()
    expect(diary.entries).to_contain_text("unsaved changes")
    box = open_edit_form(diary)

    expect(box).to_have_value("Soup and bread for sup")
    box.fill("Soup and bread for supper.")
    diary.save_edit_button.click()
    expect(diary.entries).to_contain_text("Soup and bread for supper.")
    diary.reload()
    expect(diary.entries).not_to_contain_text("unfinished")


def test_leaving_the_page_at_once_saves_the_change(diary: DiaryTab) -> None:
    diary.save_entry("Before")
    open_edit_form(diary).fill("Typed and gone")
    diary.page.get_by_role("link", name="Settings", exact=True).click()
    expect(diary.page).to_have_title("Settings · Llamora")

    diary.open()

    expect(open_edit_form(diary)).to_have_value("Typed and gone")


def test_closing_keeps_a_change_and_discarding_lets_it_go(diary: DiaryTab) -> None:
    diary.save_entry("Before")
    open_edit_form(diary).fill("Not sure yet")
    diary.page.get_by_role("link", name="Close", exact=True).click()
    expect(diary.entries).to_contain_text("unsaved changes")

    expect(open_edit_form(diary)).to_have_value("Not sure yet")
    diary.button("Discard change").click()

    expect(diary.entries).to_contain_text("Before")
    expect(diary.entries).not_to_contain_text("unfinished")
    expect(open_edit_form(diary)).to_have_value("Before")


@pytest.mark.slow
def test_saving_straight_after_typing_leaves_no_draft_behind(diary: DiaryTab) -> None:
    diary.save_entry("Before")
    box = open_edit_form(diary)
    box.press_sequentially("Quick ")
    box.press("Control+Enter")

    expect(diary.entries).to_contain_text("Quick")
    diary.page.wait_for_timeout(1500)
    diary.reload()

    expect(diary.entries).not_to_contain_text("unfinished")


def test_a_change_whose_entry_was_changed_meanwhile_is_shown_beside_it(diary: DiaryTab) -> None:
    entry_id = str(diary.save_entry("Soup for supper.").get_attribute("id")).removeprefix("entry-")
    open_edit_form(diary).fill("Fish for sup")
    wait_for_saved(diary)
    # It is edited from another device.
    other = diary.member.post(f"/entries/{entry_id}/edit/", text="Soup for lunch.", revision="1")
    assert other.status == 302

    diary.reload()
    diary.button("Edit").click()

    expect(diary.page.get_by_label("Yours", exact=True)).to_have_value("Fish for sup")
    expect(diary.page.get_by_role("group", name="Saved version")).to_have_text("Soup for lunch.")


@pytest.mark.slow
def test_two_tabs_that_change_one_entry_say_so(
    diary: DiaryTab, new_diary: NewDiary, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("409")
    diary.save_entry("Soup for supper.")
    late = new_diary(beside=diary)
    late_box = open_edit_form(late)
    open_edit_form(diary).fill("Fish for supper.")
    wait_for_saved(diary)

    late_box.fill("Bread for supper.")

    form = late.page.locator("form.edit")
    expect(form.locator("[data-save-state]")).to_have_text("Not saved: two texts")
    form.get_by_role("button", name="Keep both").click()
    expect(late_box).to_have_value("Bread for supper.\n\nFish for supper.")
    late.save_edit_button.click()
    expect(late.entries).to_contain_text("Fish for supper.")


def test_an_edit_keeps_the_text_before_and_gives_it_back(diary: DiaryTab) -> None:
    diary.save_entry("The first words.")
    open_edit_form(diary).fill("Other words.")
    diary.save_edit_button.click()
    diary.page.get_by_role("link", name="edited").click()
    expect(diary.page.get_by_role("heading", name="Earlier versions")).to_be_focused()
    expect(diary.page.locator(".version")).to_contain_text("The first words.")

    diary.button("Restore this version").click()

    expect(diary.entries.locator(".prose").first).to_have_text("The first words.")
    diary.reload()
    expect(diary.entries.locator(".prose").first).to_have_text("The first words.")


def test_an_entry_is_moved_and_moved_back(diary: DiaryTab) -> None:
    diary.save_entry("Yesterday's words.")
    diary.choose("Move")
    picker = diary.page.get_by_label(re.compile("Move the entry of"))
    expect(picker).to_be_focused()
    picker.fill("2021-03-04")
    diary.button("Move").click()
    expect(diary.entries).to_have_count(0)
    expect(diary.button("Move back")).to_be_focused()

    diary.button("Move back").click()
    expect(diary.entries).to_contain_text("Yesterday's words.")

    diary.choose("Move")
    picker.fill("2021-03-04")
    diary.button("Move").click()
    diary.page.get_by_role("link", name="4 March 2021").click()
    expect(diary.entries).to_contain_text("moved here from")


def test_what_was_deleted_comes_back_from_the_bin(diary: DiaryTab) -> None:
    diary.save_entry("Gone and wanted again.")
    diary.choose("Delete")
    diary.page.get_by_role("link", name="bin", exact=True).click()
    expect(diary.page.locator(".deleted")).to_contain_text("Gone and wanted again.")

    diary.button("Restore").click()

    expect(diary.entries).to_contain_text("Gone and wanted again.")
