"""Tests that text in fields without drafts survives a lock and an unreachable server."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.diary_page import DiaryTab
from tests.browser.fixture_classes import BrowserErrors, NewDiary
from tests.browser.test_facts import DOG, add_facts, suggest
from tests.browser.test_network import AWAY
from tests.fakes.model_server import FakeModelServer

SENTENCE = "You have a much longer sentence about it now"
Open = Callable[[DiaryTab, FakeModelServer], Locator]


def open_ask(diary: DiaryTab, model: FakeModelServer) -> Locator:
    del model
    diary.page.goto(diary.house.url("/ask/"))
    return diary.page.get_by_label("Ask your diary")


def open_new_fact(diary: DiaryTab, model: FakeModelServer) -> Locator:
    del model
    diary.page.goto(diary.house.url("/facts/add/"))
    return diary.page.get_by_label("The sentence")


def open_correction(diary: DiaryTab, model: FakeModelServer) -> Locator:
    del model
    (url,) = add_facts(diary.member, "You have a dog")
    diary.page.goto(diary.house.url(url))
    diary.page.get_by_text("Correct", exact=True).first.click()
    return diary.page.get_by_label("The sentence")


def open_change(diary: DiaryTab, model: FakeModelServer) -> Locator:
    del model
    (url,) = add_facts(diary.member, "You have a cat")
    diary.page.goto(diary.house.url(url))
    diary.page.get_by_text("This changed", exact=True).click()
    return diary.page.get_by_label("What is so now")


def open_suggestion(diary: DiaryTab, model: FakeModelServer) -> Locator:
    suggest(diary, model, DOG)
    diary.page.get_by_text("Accept, corrected").click()
    return diary.page.get_by_label("The sentence")


@pytest.mark.parametrize(
    "open_form", [open_ask, open_new_fact, open_correction, open_change, open_suggestion]
)
def test_a_typed_sentence_stays_behind_a_lock_and_while_the_server_is_away(
    new_diary: NewDiary, model: FakeModelServer, browser_errors: BrowserErrors, open_form: Open
) -> None:
    browser_errors.expect(*AWAY, "htmx:sendError", "htmx:afterRequest")
    diary = new_diary()
    box = open_form(diary, model)
    box.fill(SENTENCE)
    assert warns_before_leaving(diary.page)

    diary.lock()
    expect(diary.dialog.get_by_label("Password", exact=True)).to_be_visible()
    assert SENTENCE not in diary.shown_words()
    diary.unlock()
    expect(box).to_have_value(SENTENCE)
    expect(box).to_be_focused()

    diary.page.context.set_offline(True)
    form = box.locator("xpath=ancestor::form")
    form.locator("button:visible").last.click()
    expect(form.get_by_role("alert")).to_have_text("The server can't be reached. Your text is still here.")
    expect(box).to_have_value(SENTENCE)
    diary.page.context.set_offline(False)
    form.locator("button:visible").last.click()
    expect(box.and_(diary.page.locator(":focus"))).to_have_count(0)
    expect(diary.page.locator("#main").get_by_text(SENTENCE).first).to_be_visible()


def warns_before_leaving(page: Page) -> bool:
    """Return whether the browser would ask before it leaves the page."""
    leaving = "() => !window.dispatchEvent(new Event('beforeunload', {cancelable: true}))"
    return bool(page.evaluate(leaving))
