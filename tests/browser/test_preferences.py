"""Tests of the settings for shortcuts and dates in a browser, and of a calendar that begins in 1660."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.diary_page import DiaryTab
from tests.browser.fixture_classes import NewContext, NewDiary
from tests.browser.served_household import ServedHouse


def choose(diary: DiaryTab, **choices: str) -> None:
    """Choose settings by their labels."""
    diary.page.goto(diary.house.url("/settings/"))
    for label, choice in choices.items():
        diary.page.get_by_label(label.replace("_", " "), exact=True).select_option(label=choice)
    diary.button("Save").click()
    expect(diary.page.get_by_text("Saved.")).to_be_visible()


def test_single_keys_are_switched_off_and_enter_keeps(new_diary: NewDiary) -> None:
    diary = new_diary()
    page = diary.page
    choose(
        diary,
        **{"Single-letter shortcuts": "Off", "Key that saves an entry": "Enter"},
    )
    diary.open()
    # The first page has the cursor in its box, where keys are text.
    diary.box.blur()

    for key in ("c", "l", "/", "?", "n", "b"):
        page.locator("body").press(key)
    page.wait_for_timeout(300)
    assert page.url == diary.house.url("/")
    assert page.get_by_role("dialog").count() == 0
    expect(diary.box).not_to_be_focused()
    expect(page.locator("[aria-keyshortcuts=T]")).to_have_count(0)
    expect(page.locator(".rail kbd").first).to_be_hidden()

    diary.box.press_sequentially("One")
    diary.box.press("Control+Enter")
    diary.box.press_sequentially("two")
    diary.box.press("Shift+Enter")
    diary.box.press_sequentially("three")
    expect(diary.box).to_have_value("One\ntwo\nthree")
    diary.box.press("Enter")
    expect(diary.entries).to_have_count(1)
    expect(diary.box).to_have_value("")

    diary.button("Edit").click()
    box = page.locator("form.edit textarea")
    box.press("End")
    box.press("Control+Enter")
    box.press_sequentially("four")
    box.press("Enter")
    expect(diary.entries).to_contain_text("four")
    expect(page.locator("form.edit")).to_have_count(0)


@pytest.mark.parametrize("has_script", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_the_page_of_openings_leads_to_their_choice(
    new_context: NewContext, house: ServedHouse, *, has_script: bool
) -> None:
    page = new_context(house.new_member(), house, java_script_enabled=has_script).new_page()

    page.goto(house.url("/openings/"))
    expect(page.get_by_role("heading", name="Replies and suggestions")).to_be_in_viewport()
    off = page.get_by_label("Off", exact=True).and_(page.get_by_role("radio"))
    expect(off).to_have_count(4)
    for choice in off.all():
        choice.check()
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Saved.")).to_be_visible()
    for choice in off.all():
        expect(choice).to_be_checked()


@pytest.mark.slow
def test_dates_are_in_the_language_of_the_person(new_diary: NewDiary) -> None:
    diary = new_diary(path="/d/2021-02-03/")
    diary.save_entry("Ici.")
    choose(diary, Language_of_dates="Français", Time_format="2:02 pm", First_day_of_the_week="Sunday")
    page = diary.open().page

    expect(page.get_by_role("heading", level=1)).to_have_text("Mercredi3 février 2021")
    expect(page.locator("#calendar-title")).to_have_text("Février 2021")
    expect(page.locator("#calendar thead th").first).to_contain_text("Di")
    expect(diary.entries.locator("time")).to_have_text(re.compile(r"^\d{1,2}:\d\d [ap]m$"))
    diary.box.fill("Half")
    expect(diary.state).to_have_text(re.compile(r"^Draft saved \d{1,2}:\d\d [ap]m$"))
    expect(diary.save_button).to_be_visible()


@pytest.mark.slow
def test_the_calendar_begins_where_the_diary_does(new_diary: NewDiary) -> None:
    diary = new_diary(path="/d/1660-01-11/")
    diary.save_entry("Blessed be God, at the end of the last year I was in very good health.")
    page = diary.page
    page.wait_for_load_state("networkidle")
    here = page.locator("#calendar a[aria-current=page]")
    expect(here).to_have_attribute("href", "/d/1660-01-11/")
    here.focus()

    for key in ("PageUp", "ArrowUp", "ArrowUp", "ArrowUp"):
        page.keyboard.press(key)

    expect(page.locator("#calendar-title")).to_have_text("January 1660")
    expect(page.locator("#calendar a[href='/d/1660-01-04/']")).to_be_focused()
    page.keyboard.press("PageDown")
    expect(page.locator("#calendar a[href='/d/1660-02-04/']")).to_be_focused()
    page.goto(diary.house.url("/years/1660/"))
    expect(page.locator("[data-earlier]")).to_have_count(0)


@pytest.mark.slow
def test_the_signs_of_markdown_are_looked_up_where_one_writes(new_diary: NewDiary) -> None:
    diary = new_diary()
    diary.page.get_by_text("Markdown", exact=True).click()
    expect(diary.page.get_by_role("cell", name="a quotation")).to_be_visible()

    entry = diary.save_entry("# Home\n\n> said she, *softly* :sunflower:")

    expect(entry.get_by_role("heading", name="Home")).to_be_visible()
    expect(entry.locator("blockquote")).to_have_text("said she, softly 🌻")
    diary.box.fill("y" * 99_990)
    expect(diary.page.locator("[data-character-count]")).to_have_text("10 characters left")
    diary.box.fill("y" * 100_002)
    expect(diary.page.locator("[data-character-count]")).to_have_text("2 characters too many")
