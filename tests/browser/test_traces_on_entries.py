"""Tests of traces on entries in a browser: by keyboard on a narrow screen, and without script."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.diary_page import DiaryTab
from tests.browser.fixture_classes import BrowserErrors, NewContext, NewDiary
from tests.browser.reply_actions import wait_for_end
from tests.browser.served_household import ServedHouse
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script

PHONE = {"viewport": {"width": 390, "height": 844}}
PICTURES = os.environ.get("LLAMORA_TEST_PICTURES")


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the control with this name has the focus."""
    for _ in range(60):
        said = page.evaluate("document.activeElement.textContent.trim().replace(/\\s+/g, ' ')")
        if said == name:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no way to {name} by keyboard; last at {said}")


def add_by_keyboard(diary: DiaryTab, *names: str) -> None:
    page = diary.page
    tab_to(page, "Add a trace")
    page.keyboard.press("Enter")
    for name in names:
        expect(page.get_by_label("Name of the trace")).to_be_focused()
        page.keyboard.type(name)
        page.keyboard.press("Enter")
        expect(page.locator(".traces-accepted").last).to_contain_text(name)
    page.keyboard.press("Escape")


def test_by_keyboard_alone_on_a_phone(new_diary: NewDiary, model: FakeModelServer) -> None:
    diary = new_diary(**PHONE)
    page = diary.page
    diary.save_entry("Down to the weir with Iris, in a high wind.")
    diary.entries.last.get_by_role("button", name="Reply", exact=True).focus()

    add_by_keyboard(diary, "Größe", "weir", "子供")
    expect(page.locator(".traces-accepted .trace")).to_have_count(3)
    picture(page, "traces-kept-phone")

    # Completed from the first letter on, chosen with an arrow.
    diary.save_entry("To the weir again with Iris, in a high wind.")
    diary.entries.last.get_by_role("button", name="Reply", exact=True).focus()
    tab_to(page, "Add a trace")
    page.keyboard.press("Enter")
    expect(diary.entries.last.get_by_label("Name of the trace")).to_be_focused()
    page.keyboard.type("g")
    expect(page.locator(".trace-names .trace-chip")).to_have_text(["Größe"])
    picture(page, "traces-adding-phone")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    second = diary.entries.last
    expect(second.locator(".traces-accepted .trace > summary")).to_have_text(["Größe"])
    page.keyboard.press("Escape")

    # Named in the text, so proposed; dismissed with a key, and it does not come back.
    chip = second.locator("[data-proposal] > .trace-chip")
    expect(chip).to_have_text(["Add weir"])
    chip.focus()
    page.keyboard.press("Delete")
    expect(chip).to_have_count(0)

    # A glance at a trace.
    second.locator(".trace > summary").focus()
    page.keyboard.press("Enter")
    expect(second.locator(".trace-panel")).to_contain_text("On 2 entries")
    picture(page, "traces-glance-phone")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.keyboard.press("Escape")
    expect(second.locator(".trace-panel")).to_be_hidden()
    expect(second.locator(".trace > summary")).to_be_focused()

    # After an answer the page has traces proposed; Enter keeps one.
    model.add_json_scripts(Script(tokens=['{"emoji": "🌬️", "traces": ["high wind", "Iris"]}']))
    second.get_by_role("button", name="Reply", exact=True).focus()
    page.keyboard.press("Enter")
    wait_for_end(second.locator(".reply").last)
    expect(chip).to_have_text(["Add 🌬️", "Add high wind", "Add Iris"])
    picture(page, "traces-proposed-phone")
    chip.nth(1).focus()
    page.keyboard.press("Enter")
    expect(second.locator(".traces-accepted .trace > summary")).to_have_text(["Größe", "high wind"])
    diary.reload()
    expect(diary.entries.last.locator(".traces-accepted .trace > summary")).to_have_text(
        ["Größe", "high wind"]
    )
    expect(diary.entries.last.locator("[data-proposal] > .trace-chip")).to_have_text(["Add 🌬️", "Add Iris"])


def hold_form(diary: DiaryTab) -> list[Route]:
    """Let the form of a new trace wait for its answer; return where the requests arrive."""
    held: list[Route] = []
    diary.page.route(
        "**/traces/keep/", lambda r: held.append(r) if r.request.method == "GET" else r.continue_()
    )
    return held


def test_what_is_typed_before_the_form_has_arrived_is_in_it(new_diary: NewDiary) -> None:
    diary = new_diary()
    page, field = diary.page, diary.page.get_by_label("Name of the trace")
    diary.save_entry("Down to the weir.")
    held = hold_form(diary)

    diary.button("Add a trace").click()
    expect(field).to_be_focused()
    page.keyboard.type("wer")
    page.keyboard.press("ArrowLeft")
    held.pop().continue_()
    expect(page.locator(".trace-form")).to_be_visible()

    expect(field).to_have_count(1)
    expect(field).to_be_focused()
    page.keyboard.type("i")
    page.keyboard.press("Enter")
    expect(page.locator(".traces-accepted .trace > summary")).to_have_text(["weir"])


@pytest.mark.slow
def test_a_trace_that_is_ended_before_the_form_has_arrived_is_added(new_diary: NewDiary) -> None:
    diary = new_diary()
    diary.save_entry("Down to the weir.")
    held = hold_form(diary)

    diary.button("Add a trace").click()
    diary.page.keyboard.type("weir")
    diary.page.keyboard.press("Enter")
    held.pop().continue_()

    expect(diary.page.locator(".traces-accepted .trace > summary")).to_have_text(["weir"])


@pytest.mark.slow
def test_what_is_typed_stays_where_the_form_does_not_come(
    new_diary: NewDiary, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("ERR_FAILED", "htmx:")
    diary = new_diary()
    page, field = diary.page, diary.page.get_by_label("Name of the trace")
    diary.save_entry("Down to the weir.")
    held = hold_form(diary)

    diary.button("Add a trace").click()
    page.keyboard.type("weir")
    held.pop().abort()
    expect(page.get_by_text("Your text is still here.")).to_be_visible()
    expect(field).to_have_value("weir")
    diary.button("Add a trace").click()
    held.pop().continue_()

    expect(page.locator(".trace-form")).to_be_visible()
    expect(field).to_have_value("weir")


@pytest.mark.slow
def test_with_script_off_one_sees_adds_follows_and_takes_away(
    new_context: NewContext, house: ServedHouse
) -> None:
    page = new_context(house.new_member(), house, java_script_enabled=False, **PHONE).new_page()
    page.goto(house.url("/"))
    page.get_by_role("textbox", name="Write", exact=True).fill("Down to the weir.")
    page.locator("#composer").get_by_role("button", name="Save").click()

    page.get_by_text("Add a trace").click()
    page.get_by_label("Name of the trace").fill("weir")
    page.get_by_role("button", name="Add", exact=True).click()
    chip = page.locator(".traces-accepted .trace > summary")
    expect(chip).to_have_text("weir")
    chip.click()
    page.get_by_role("link", name="All entries with this trace").click()
    expect(page.locator("body")).to_contain_text("Down to the weir.")
    assert "weir" not in page.url
    assert "weir" not in page.title()
    page.go_back()
    chip.click()
    page.get_by_role("button", name="Remove from this entry").click()

    expect(page.locator("article.entry")).to_have_count(1)
    expect(chip).to_have_count(0)
