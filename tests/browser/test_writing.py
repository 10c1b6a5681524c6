"""Tests of writing entries: saved exactly and once, and the composer cleared only after the response."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.browser.diary_page import DiaryTab
from tests.browser.fixture_classes import BrowserErrors, NewDiary

TEXTS = [
    "42",
    "true",
    "[1]",
    "🙂🙃",
    "שלום עולם, יום טוב",
    "<script>alert(1)</script> & <b>not bold</b>",
    "  two spaces before,\ttab, and after  ",
    "<|endoftext|></s>",
    "日本語" * 400,
    "\nan empty line first",
]
DAY_POST = re.compile(r"/d/\d{4}-\d\d-\d\d/$")


def get_edit_text(diary: DiaryTab, place: int) -> str:
    """Return the text of an entry in its edit form."""
    diary.entries.nth(place).get_by_role("button", name="Edit", exact=True).click()
    form = diary.page.locator("form.edit")
    text = form.locator("textarea").input_value()
    form.get_by_role("link", name="Cancel").click()
    expect(form).to_have_count(0)
    return text


def test_an_entry_is_kept_by_the_button_and_by_ctrl_enter(diary: DiaryTab) -> None:
    diary.save_entry("By the button.")

    diary.box.fill("By the keys,")
    diary.box.press("Enter")
    diary.box.press_sequentially("on two lines.")
    diary.box.press("Control+Enter")

    expect(diary.entry("on two lines.")).to_be_visible()
    expect(diary.box).to_have_value("")
    diary.reload()
    expect(diary.entries).to_have_count(2)
    assert get_edit_text(diary, 1) == "By the keys,\non two lines."


def test_every_kind_of_text_is_kept_exactly(diary: DiaryTab) -> None:
    for text in TEXTS:
        diary.save_entry(text)

    diary.reload()

    assert [get_edit_text(diary, place) for place in range(len(TEXTS))] == TEXTS
    assert diary.page.locator("#entries script").count() == 0


def test_markdown_is_shown_and_harms_nothing(diary: DiaryTab) -> None:
    entry = diary.save_entry(
        "# Head\n\n- one\n- *two*\n\n[here](javascript:document.title='hit') "
        '<img src=x onerror="document.title=\'hit\'"> <a href="data:text/html,x">there</a>'
    )

    expect(entry.locator("li em")).to_have_text("two")
    expect(entry.get_by_role("heading", name="Head")).to_be_visible()
    assert entry.locator("a[href^='javascript'], a[href^='data'], img, [onerror]").count() == 0
    assert diary.page.title() != "hit"


def test_a_text_that_is_too_long_is_refused_in_a_sentence_and_stays(
    diary: DiaryTab, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("422")
    diary.box.fill("a" * 100_001)
    expect(diary.page.locator("[data-character-count]")).to_have_text("1 characters too many")

    diary.save_button.click()

    expect(diary.complaint).to_contain_text("100,001 characters")
    assert diary.box.input_value() == "a" * 100_001
    diary.box.fill("🙂" * 100_000)
    diary.save_button.click()
    expect(diary.entries).to_have_count(1)


def test_nothing_but_white_space_is_not_kept(diary: DiaryTab) -> None:
    diary.box.fill(" \n ")

    diary.save_button.click()

    expect(diary.complaint).to_have_text("There is nothing to save yet.")
    expect(diary.entries).to_have_count(0)


def test_what_is_typed_while_a_save_is_under_way_stays(diary: DiaryTab) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    diary.page.route(DAY_POST, hold)
    diary.box.fill("The first thought")
    with diary.page.expect_request(DAY_POST):
        diary.save_button.click()

    diary.box.press_sequentially("\nand the second")
    expect(diary.box).to_have_value("The first thought\nand the second")
    held[0].continue_()

    expect(diary.entries).to_have_count(1)
    expect(diary.box).to_have_value("and the second")
    diary.page.unroute(DAY_POST)
    diary.wait_for_draft()
    diary.reload()
    expect(diary.box).to_have_value("and the second")
    assert get_edit_text(diary, 0) == "The first thought"


def test_a_fault_of_the_server_clears_nothing(diary: DiaryTab, browser_errors: BrowserErrors) -> None:
    browser_errors.expect("500")
    diary.page.route(DAY_POST, lambda route: route.fulfill(status=500, body="<h1>no</h1>"))
    diary.box.fill("Worth keeping.")

    diary.save_button.click()

    expect(diary.complaint).to_be_visible()
    expect(diary.box).to_have_value("Worth keeping.")
    diary.page.unroute(DAY_POST)
    diary.save_button.click()
    expect(diary.entries).to_have_count(1)
    expect(diary.box).to_have_value("")


def test_an_answer_that_never_arrives_does_not_keep_a_text_twice(
    diary: DiaryTab, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("ERR_FAILED")

    def lose_the_answer(route: Route) -> None:
        assert route.fetch().status == 200
        route.abort()

    diary.page.route(DAY_POST, lose_the_answer, times=1)
    diary.box.fill("Sent once, answered never.")

    diary.save_button.click()

    expect(diary.entries).to_have_count(1)
    expect(diary.box).to_have_value("")
    diary.reload()
    expect(diary.entries).to_have_count(1)


def test_pressing_keep_twice_keeps_once(diary: DiaryTab) -> None:
    diary.box.fill("Twice pressed.")

    diary.save_button.dblclick()

    expect(diary.box).to_have_value("")
    diary.reload()
    expect(diary.entries).to_have_count(1)


def test_an_entry_is_edited_in_place_and_deleted_with_undo(diary: DiaryTab) -> None:
    entry = diary.save_entry("Half past eight.")

    entry.get_by_role("button", name="Edit", exact=True).click()
    box = diary.page.locator("form.edit textarea")
    expect(box).to_be_focused()
    box.fill("Half past nine.")
    box.press("Control+Enter")
    expect(diary.entries).to_contain_text("Half past nine.")
    expect(diary.entries).to_contain_text("edited")
    diary.choose("Delete")
    expect(diary.entries).to_have_count(0)
    expect(diary.button("Undo")).to_be_focused()
    diary.button("Undo").click()

    expect(diary.entry("Half past nine.")).to_be_visible()


@pytest.mark.slow
def test_an_entry_is_kept_on_a_past_day_and_says_so(new_diary: NewDiary) -> None:
    diary = new_diary(path="/d/2024-02-29/")

    diary.save_entry("Remembered much later.")

    expect(diary.entries).to_contain_text("written on")
    diary.open("/")
    expect(diary.entries).to_have_count(0)
