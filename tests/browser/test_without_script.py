"""Tests of a diary without script."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.diary_page import sign_in_with_form
from tests.browser.fixture_classes import BrowserErrors, NewContext
from tests.browser.recovery_code_page import confirm_code, list_requested_fields, press_continue
from tests.browser.served_household import ServedHouse
from tests.browser_client import PASSWORD
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script


@pytest.fixture
def tab_without_script(new_context: NewContext, house: ServedHouse) -> Page:
    """A tab without script of a new person."""
    page = new_context(house.new_member(), house, java_script_enabled=False).new_page()
    page.goto(house.url("/"))
    return page


def save_entry(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Write", exact=True).fill(text)
    page.locator("#composer").get_by_role("button", name="Save").click()


def test_one_registers_recovers_signs_out_and_in(
    house: ServedHouse, new_context: NewContext, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("422")
    page = new_context(java_script_enabled=False).new_page()
    page.goto(house.url("/register/"))
    page.get_by_label("Name", exact=True).fill("Dora without script")
    for label in ("Password", "Repeat password"):
        page.get_by_label(label, exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create my diary", exact=True).click()
    (first, _), (second, right) = list_requested_fields(page)
    first.fill("WRNG")
    second.fill(right)
    press_continue(page)
    expect(first).to_be_focused()
    expect(page.locator(".field-error")).to_contain_text("This is not the")
    expect(second).to_have_value(right)
    code = " ".join(confirm_code(page))
    save_entry(page, "Before I forgot the password.")
    page.get_by_role("button", name="Sign out", exact=True).click()

    page.goto(house.url("/recover/"))
    page.get_by_label("Name", exact=True).fill("Dora without script")
    page.get_by_label("Recovery code", exact=True).fill(code.lower().replace(" ", "-"))
    for label in ("New password", "Repeat password"):
        page.get_by_label(label, exact=True).fill("another long walk by the weir")
    page.get_by_role("button", name="Set new password", exact=True).click()
    assert " ".join(confirm_code(page)) != code

    expect(page.locator("article.entry")).to_contain_text("Before I forgot the password.")
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.get_by_label("Name", exact=True).fill("dora WITHOUT script")
    page.get_by_label("Password", exact=True).fill("another long walk by the weir")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator("article.entry")).to_contain_text("Before I forgot the password.")


def test_one_writes_edits_deletes_and_takes_it_back(tab_without_script: Page) -> None:
    save_entry(tab_without_script, "Rain until noon.")
    expect(tab_without_script.locator("article.entry")).to_contain_text("Rain until noon.")
    expect(tab_without_script).to_have_url(re.compile(r"/d/[\d-]+/#entry-"))

    tab_without_script.get_by_role("button", name="Edit", exact=True).click()
    tab_without_script.locator("textarea[name=text]").fill("Rain until one.")
    tab_without_script.get_by_role("button", name="Save", exact=True).click()
    expect(tab_without_script.locator("article.entry")).to_contain_text("Rain until one.")
    tab_without_script.get_by_role("button", name="Edit", exact=True).click()
    tab_without_script.get_by_role("link", name="Reply as…, move or delete").click()
    tab_without_script.get_by_role("button", name="Delete", exact=True).click()
    expect(tab_without_script.locator("article.entry")).to_have_count(0)
    tab_without_script.get_by_role("button", name="Undo", exact=True).click()

    expect(tab_without_script.locator("article.entry")).to_contain_text("Rain until one.")


def test_beside_a_refusal_a_phone_shows_more_of_the_text_than_a_line(
    tab_without_script: Page, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("422")
    tab_without_script.set_viewport_size({"width": 390, "height": 844})
    box = tab_without_script.get_by_role("textbox", name="Write", exact=True)
    line = box.evaluate("(box) => parseFloat(getComputedStyle(box).fontSize)")

    save_entry(tab_without_script, "Rain until noon, and then a long evening by the water. " * 4 + "\0")

    expect(tab_without_script.get_by_role("alert")).to_contain_text("save again")
    assert box.evaluate("(box) => box.clientHeight") > 3 * line


def test_one_is_answered_and_sees_it_by_loading_the_page_again(
    tab_without_script: Page, model: FakeModelServer
) -> None:
    save_entry(tab_without_script, "A question for the evening.")
    model.add_scripts(Script(tokens=["An answer ", "in the margin."]))

    tab_without_script.get_by_role("button", name="Reply", exact=True).click()

    reply = tab_without_script.locator(".reply")
    expect(reply).to_be_visible()
    for _ in range(100):
        if reply.get_attribute("data-state") == "done":
            break
        tab_without_script.reload()
    expect(reply).to_contain_text("An answer in the margin.")


def test_one_locks_and_unlocks(tab_without_script: Page, house: ServedHouse) -> None:
    save_entry(tab_without_script, "Behind the door.")

    tab_without_script.get_by_role("button", name="Lock", exact=True).click()
    assert "Behind the door." not in tab_without_script.content()
    tab_without_script.get_by_label("Password", exact=True).fill(PASSWORD)
    tab_without_script.get_by_role("button", name="Unlock", exact=True).click()

    expect(tab_without_script.locator("article.entry")).to_contain_text("Behind the door.")


@pytest.mark.slow
def test_a_text_sent_from_a_page_locked_meanwhile_is_given_back(
    new_context: NewContext, house: ServedHouse, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("401")
    context = new_context(java_script_enabled=False)
    page, other = context.new_page(), context.new_page()
    sign_in_with_form(page, house, house.new_member())
    other.goto(house.url("/"))
    other.get_by_role("button", name="Lock", exact=True).click()

    save_entry(page, "Written while another tab locked.")

    expect(page.get_by_label("What you typed")).to_have_value("Written while another tab locked.")


@pytest.mark.slow
def test_leafing_and_the_calendar_work(tab_without_script: Page) -> None:
    save_entry(tab_without_script, "Today.")

    tab_without_script.get_by_role("link", name=re.compile("Previous day")).click()
    save_entry(tab_without_script, "Written later, on the day before.")
    expect(tab_without_script.locator("article.entry")).to_contain_text("Written later")
    tab_without_script.get_by_role("link", name="Calendar", exact=True).click()
    expect(tab_without_script.get_by_role("link", name=re.compile(", written"))).not_to_have_count(0)
    tab_without_script.get_by_role("link", name=re.compile(", written")).last.click()

    expect(tab_without_script.locator("article.entry")).to_contain_text("Today.")
