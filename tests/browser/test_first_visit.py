"""Tests of the first visits of new people: password, recovery code, first page."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.fixture_classes import BrowserErrors, NewContext
from tests.browser.recovery_code_page import (
    confirm_code,
    get_shown_code,
    list_requested_fields,
    press_continue,
)
from tests.browser.served_household import ServedHouse
from tests.browser.test_accessibility import PageFindings
from tests.browser_client import PASSWORD


def register(page: Page, address: str, *, name: str) -> list[str]:
    """Register with the forms; return the groups of the recovery code."""
    page.goto(address)
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Repeat password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create my diary", exact=True).click()
    return get_shown_code(page)


def test_the_printed_link_leads_once_to_a_page_one_can_write_on(
    own_house: ServedHouse, page: Page, new_context: NewContext
) -> None:
    link = own_house.server.set_up_link
    assert link
    groups = register(page, link, name="Anna")
    assert [len(group) for group in groups] == [4] * 9

    confirm_code(page)

    expect(page).to_have_url(own_house.url("/"))
    expect(page.get_by_role("region", name="Welcome")).to_be_visible()
    page.get_by_role("textbox", name="Write", exact=True).fill("The first line of all.")
    page.locator("#composer").get_by_role("button", name="Save").click()
    expect(page.locator("article.entry")).to_contain_text("The first line of all.")
    page.reload()
    expect(page.get_by_role("region", name="Welcome")).to_have_count(0)
    for name in ("Reply", "Edit", "Lock", "Sign out"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_visible()
    stranger = new_context().new_page()
    stranger.goto(link)
    expect(stranger.get_by_text("Set up Llamora")).to_have_count(0)


# Every word that is drawn on the page, the rail and the words on buttons and in empty fields too; not what
# only a screen reader says, not what opens by a click, and not the recovery code, which is copied.
DRAWN_WORDS = """() => {
  const drawn = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (parent.closest(".visually-hidden, [data-recovery-code]") || !parent.checkVisibility()) continue;
    drawn.push(walker.currentNode.data);
  }
  const fields = document.querySelectorAll("[placeholder]:placeholder-shown");
  for (const field of fields) drawn.push(field.placeholder);
  return drawn.join(" ").split(/\\s+/).filter((word) => /\\p{Letter}/u.test(word));
}"""


class FirstWalk:
    """A new person who presses Tab from field to field; the presses are counted."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = self.fields = 0
        self.words: list[str] = []

    def click(self, target: Locator) -> None:
        target.click()
        self.clicks += 1

    def type(self, field: Locator, text: str) -> None:
        if not self.page.evaluate("document.activeElement.matches('input, textarea')"):
            self.click(field)
        expect(field).to_be_focused()
        self.page.keyboard.type(text)
        self.page.keyboard.press("Tab")
        self.fields += 1

    def read(self) -> None:
        self.words += self.page.evaluate(DRAWN_WORDS)


def test_the_walk_to_the_first_saved_entry_is_short(own_house: ServedHouse, page: Page) -> None:
    assert own_house.server.set_up_link
    walk = FirstWalk(page)
    page.goto(own_house.server.set_up_link)
    walk.clicks += 1  # on the link in the terminal
    expect(page.get_by_label("Name", exact=True)).to_be_focused()

    for label, text in (("Name", "Anna"), ("Password", PASSWORD), ("Repeat password", PASSWORD)):
        walk.type(page.get_by_label(label, exact=True), text)
    page.get_by_role("meter").wait_for()
    walk.read()
    walk.click(page.get_by_role("button", name="Create my diary", exact=True))
    get_shown_code(page)
    walk.read()
    for field, group in list_requested_fields(page):
        walk.type(field, group)
    walk.click(page.get_by_role("button", name="Continue", exact=True))
    box = page.get_by_role("textbox", name="Write", exact=True)
    expect(box).to_be_focused()
    walk.read()
    fields_before_the_entry = walk.fields
    walk.type(box, "The first line of all.")
    walk.click(page.locator("#composer").get_by_role("button", name="Save"))

    expect(page.locator("article.entry")).to_contain_text("The first line of all.")
    assert walk.clicks <= 5
    assert fields_before_the_entry <= 5
    assert len(walk.words) <= 120, walk.words


@pytest.mark.slow
def test_on_a_phone_the_first_page_is_not_covered_by_what_one_writes_on(
    own_house: ServedHouse, new_context: NewContext
) -> None:
    assert own_house.server.set_up_link
    page = new_context(viewport={"width": 390, "height": 844}).new_page()
    register(page, own_house.server.set_up_link, name="Anna")
    confirm_code(page)

    page.wait_for_function("() => document.querySelector('#composer')?.style.getPropertyValue('--visible')")

    expect(page.get_by_role("region", name="Welcome")).to_be_visible()
    expect(page.locator("#composer")).not_to_have_attribute("data-open", "")


@pytest.mark.slow
def test_the_meter_says_how_strong_a_password_is(house: ServedHouse, page: Page) -> None:
    page.goto(house.url("/register/"))
    field = page.get_by_label("Password", exact=True)
    meter = page.get_by_role("meter", name="Password strength")

    field.press_sequentially("password12")
    expect(meter).to_have_attribute("value", re.compile("[01]"))
    weak = page.locator("#strength").inner_text()
    field.fill(PASSWORD)

    expect(meter).to_have_attribute("value", "4")
    assert page.locator("#strength").inner_text() != weak


@pytest.mark.parametrize(
    ("password", "repeated", "said"),
    [("short", "short", "at least 10"), (PASSWORD, "something else", "don't match")],
)
def test_what_is_wrong_with_a_registration_is_said_beside_it(
    house: ServedHouse, page: Page, password: str, repeated: str, said: str, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("422")
    page.goto(house.url("/register/"))
    page.get_by_label("Name", exact=True).fill("Karl")
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_label("Repeat password", exact=True).fill(repeated)

    page.get_by_role("button", name="Create my diary", exact=True).click()

    expect(page.locator(".field-error")).to_contain_text(said)
    expect(page.get_by_label("Name", exact=True)).to_have_value("Karl")


def test_right_groups_of_the_code_lead_on_and_a_wrong_one_asks_again(
    house: ServedHouse, page: Page, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("422")
    groups = register(page, house.url("/register/"), name="Berta of the groups")
    (first, right), (second, _) = list_requested_fields(page)
    address = page.url

    first.fill(f" {right.lower()} ")
    second.fill("WRNG")
    press_continue(page)

    expect(second).to_be_focused()
    expect(second).to_have_accessible_description(re.compile("This is not the .* group"))
    expect(first).to_have_value(f" {right.lower()} ")
    assert get_shown_code(page) == groups
    # The page was never left, so no form with the code or its groups is in the browser's history.
    assert page.url == address
    confirm_code(page)
    expect(page).to_have_url(house.url("/"))


@pytest.mark.slow
def test_nobody_goes_on_with_an_empty_field_or_past_the_form(house: ServedHouse, page: Page) -> None:
    groups = register(page, house.url("/register/"), name="Emma of the empty field")
    first, second = (each for each, _ in list_requested_fields(page))

    press_continue(page)

    expect(first).to_be_focused()
    second.press("Enter")
    expect(first).to_be_focused()
    assert get_shown_code(page) == groups
    expect(page.get_by_role("link").locator("visible=true")).to_have_count(0)


@pytest.mark.slow
def test_everybody_can_read_the_page_of_a_code_and_what_is_wrong_on_it(
    house: ServedHouse, page: Page, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("422", "Applying inline style")
    register(page, house.url("/register/"), name="Hedwig of the small screen")
    seen = PageFindings()

    seen.check_page(page, "as it comes")
    for each, _ in list_requested_fields(page):
        each.fill("WRNG")
    press_continue(page)
    expect(page.locator(".field-error")).to_have_count(2)
    seen.check_page(page, "with two wrong groups")

    assert len(seen.too_wide) == 2
    assert seen.problems() == {}


@pytest.mark.slow
def test_a_server_that_does_not_answer_costs_no_code(
    house: ServedHouse, page: Page, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("ERR_INTERNET_DISCONNECTED", "401")
    groups = register(page, house.url("/register/"), name="Flora of the lost network")
    page.wait_for_load_state("networkidle")

    page.context.set_offline(True)
    confirm_code(page)
    expect(page.get_by_role("alert")).to_contain_text("The code is still here")
    page.context.set_offline(False)
    page.context.clear_cookies(name="llamora_session")
    confirm_code(page)

    expect(page.get_by_role("alert")).to_contain_text("Write the code down, then sign in")
    assert get_shown_code(page) == groups
    page.get_by_role("link", name="Leave this page").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.slow
def test_the_code_is_copied_downloaded_and_not_shown_again(
    house: ServedHouse, new_context: NewContext
) -> None:
    page = new_context(permissions=["clipboard-read", "clipboard-write"]).new_page()
    groups = register(page, house.url("/register/"), name="Clara of the copies")

    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()").split() == groups
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    assert " ".join(groups) in download.value.path().read_text()

    page.goto(house.url("/register/"))

    expect(page).to_have_url(house.url("/"))
    assert groups[0] not in page.content()
