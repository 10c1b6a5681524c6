"""Tests of two tabs that edit the same text: both texts are shown, and neither is lost."""

import re

import pytest
from playwright.sync_api import FloatRect, Locator, expect

from tests.browser.diary_page import DiaryTab
from tests.browser.fixture_classes import BrowserErrors, NewDiary
from tests.browser.test_accessibility import TOO_SMALL, list_axe_findings

KITCHEN = "From the kitchen, <b>with</b> flour"
DESK = "From the desk"


@pytest.fixture(autouse=True)
def expect_conflict_errors(browser_errors: BrowserErrors) -> None:
    """Expect the error that the browser reports for each 409."""
    browser_errors.expect("409")


def conflicting_tab(diary: DiaryTab, new_diary: NewDiary) -> DiaryTab:
    """A second tab whose draft is in conflict, and shows it."""
    late = new_diary(beside=diary)
    diary.box.fill(KITCHEN)
    diary.wait_for_draft()
    late.box.fill(DESK)
    expect(get_other_text(late)).to_be_visible()
    return late


def get_own_text(diary: DiaryTab) -> Locator:
    return diary.page.get_by_role("textbox", name="This window, not saved", exact=True)


def get_other_text(diary: DiaryTab) -> Locator:
    return diary.page.get_by_role("group", name=re.compile(r"^The other window, saved \d\d:\d\d$"))


def get_both_texts(diary: DiaryTab) -> list[FloatRect]:
    boxes = [side.bounding_box() for side in (get_own_text(diary), get_other_text(diary))]
    return [box for box in boxes if box]


def test_two_drafts_stand_side_by_side_and_go_on_together(diary: DiaryTab, new_diary: NewDiary) -> None:
    late = conflicting_tab(diary, new_diary)
    expect(get_own_text(late)).to_have_value(DESK)
    expect(get_own_text(late)).to_be_focused()
    expect(get_other_text(late)).to_have_text(KITCHEN)
    expect(late.page.get_by_role("alert")).to_contain_text("Keep both, or one")
    left, right = get_both_texts(late)
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] < right["x"]

    late.button("Keep both").click()

    expect(late.box).to_have_value(f"{DESK}\n\n{KITCHEN}")
    expect(late.box).to_be_focused()
    expect(late.page.locator("#live-region")).to_have_text("Both texts are in the box, one below the other.")
    late.wait_for_draft()
    late.save_button.click()
    expect(late.entries).to_have_count(1)
    late.reload()
    expect(late.box).to_have_value("")


@pytest.mark.slow
def test_what_is_let_go_of_says_so_and_comes_back(diary: DiaryTab, new_diary: NewDiary) -> None:
    late = conflicting_tab(diary, new_diary)

    late.button("Keep this one").click()
    expect(late.page.locator("#live-region")).to_have_text("The text from the other window was discarded.")
    late.wait_for_draft()
    expect(late.box).to_have_value(DESK)
    expect(get_other_text(late)).to_be_hidden()
    with late.page.expect_response("**/draft/"):
        late.button("Undo").click()

    expect(late.box).to_have_value(f"{DESK}\n\n{KITCHEN}")
    expect(late.box).to_be_focused()
    expect(late.button("Undo")).to_be_hidden()
    late.reload()
    expect(late.box).to_have_value(f"{DESK}\n\n{KITCHEN}")


@pytest.mark.slow
def test_the_other_text_can_go_on_alone(diary: DiaryTab, new_diary: NewDiary) -> None:
    late = conflicting_tab(diary, new_diary)

    late.button("Keep the other one").click()
    expect(late.box).to_have_value(KITCHEN)
    expect(late.page.get_by_text("The text from this window was discarded.").first).to_be_visible()
    late.box.press("End")
    late.box.press_sequentially(", again")
    late.wait_for_draft()
    late.button("Undo").click()

    expect(late.box).to_have_value(f"{KITCHEN}, again\n\n{DESK}")


def test_keeping_one_text_goes_on_with_the_other(diary: DiaryTab, new_diary: NewDiary) -> None:
    late = conflicting_tab(diary, new_diary)

    late.save_button.click()

    expect(late.entry(DESK)).to_be_visible()
    expect(late.box).to_have_value(KITCHEN)
    expect(late.state).to_have_text("Saved. The text from the other window is here now")
    late.save_button.click()
    expect(late.entries).to_have_count(2)
    late.reload()
    expect(late.entries).to_have_count(2)
    expect(late.box).to_have_value("")


@pytest.mark.slow
def test_keeping_in_one_tab_loses_nothing_of_the_other(diary: DiaryTab, new_diary: NewDiary) -> None:
    late = conflicting_tab(diary, new_diary)

    diary.save_button.click()
    expect(diary.entry("From the kitchen")).to_be_visible()
    late.button("Keep this one").click()
    late.save_button.click()

    expect(late.entry(DESK)).to_be_visible()
    late.reload()
    expect(late.entries).to_have_count(2)


def test_by_keys_the_other_text_and_the_choices_come_after_the_box(
    diary: DiaryTab, new_diary: NewDiary
) -> None:
    late = conflicting_tab(diary, new_diary)
    page = late.page

    page.keyboard.press("Tab")
    expect(get_other_text(late)).to_be_focused()
    for name in ("Keep both", "Keep this one", "Keep the other one"):
        page.keyboard.press("Tab")
        expect(late.button(name)).to_be_focused()
    page.keyboard.press("Enter")

    expect(late.box).to_be_focused()
    expect(late.box).to_have_value(KITCHEN)


@pytest.mark.parametrize("theme", [pytest.param("light", marks=pytest.mark.slow), "dark"])
def test_both_texts_can_be_read_in_either_theme_and_on_a_phone(
    diary: DiaryTab, new_diary: NewDiary, theme: str
) -> None:
    late = conflicting_tab(diary, new_diary)
    page = late.page
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    assert list_axe_findings(page) == []

    page.set_viewport_size({"width": 390, "height": 844})
    get_own_text(late).focus()
    for state in ("open", "closed"):
        above, below = get_both_texts(late)
        assert above["y"] + above["height"] < below["y"]
        assert above["x"] == below["x"]
        for name in ("Keep both", "Keep this one", "Keep the other one", "Save"):
            expect(late.button(name)).to_be_in_viewport(ratio=1)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.evaluate(TOO_SMALL) == []
        if state == "open":
            get_own_text(late).press("Escape")


@pytest.mark.slow
def test_two_texts_outlast_a_lock(new_diary: NewDiary, browser_errors: BrowserErrors) -> None:
    browser_errors.expect("401", "WebSocket")
    diary = new_diary()
    late = conflicting_tab(diary, new_diary)

    diary.lock()
    late.unlock()

    expect(get_own_text(late)).to_have_value(DESK)
    expect(get_other_text(late)).to_have_text(KITCHEN)
    late.button("Keep both").click()
    expect(late.box).to_have_value(f"{DESK}\n\n{KITCHEN}")


@pytest.mark.slow
def test_what_was_let_go_of_outlasts_a_lock(new_diary: NewDiary, browser_errors: BrowserErrors) -> None:
    browser_errors.expect("401", "WebSocket")
    diary = new_diary()
    late = conflicting_tab(diary, new_diary)
    late.button("Keep the other one").click()
    expect(late.box).to_have_value(KITCHEN)

    diary.lock()
    late.unlock()

    late.button("Undo").click()
    expect(late.box).to_have_value(f"{KITCHEN}\n\n{DESK}")


def test_an_entry_changed_in_two_tabs_shows_both_texts(diary: DiaryTab, new_diary: NewDiary) -> None:
    diary.save_entry("Soup for supper.")
    late = new_diary(beside=diary)
    late.button("Edit").click()
    late.page.locator("form.edit textarea").fill("Fish for supper.")
    diary.button("Edit").click()
    diary.page.locator("form.edit textarea").fill("Bread for supper.")
    diary.save_edit_button.click()
    expect(diary.entries).to_contain_text("Bread for supper.")

    late.save_edit_button.click()

    expect(late.page.get_by_label("Yours", exact=True)).to_have_value("Fish for supper.")
    expect(late.page.get_by_role("group", name="Saved version")).to_have_text("Bread for supper.")
    late.button("Add the saved version below").click()
    late.button("Save mine").click()
    expect(late.entries).to_contain_text("Fish for supper.")
    expect(late.entries).to_contain_text("Bread for supper.")
