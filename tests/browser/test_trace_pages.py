"""Tests of the trace pages in a browser: by keyboard, on a phone, without script."""

import re
from datetime import date, timedelta
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.fixture_classes import NewContext
from tests.browser.served_household import ServedHouse
from tests.browser.test_accessibility import TOO_SMALL, list_axe_findings
from tests.browser_client import Visitor

PHONE = {"viewport": {"width": 390, "height": 844}}
FIRST, APART, MANY = date(2020, 2, 1), timedelta(days=9), 24


def post(context: BrowserContext, house: ServedHouse, member: Visitor, path: str, **fields: str) -> str:
    """Submit a form as this person, and return the URL of the response."""
    token = next(cookie["value"] for cookie in context.cookies() if cookie["name"] == "llamora_csrf")
    form = {"owner": member.owner, "csrfmiddlewaretoken": token, **fields}
    answer = context.request.post(house.url(path), form=form, headers={"Referer": house.url("/")})
    assert answer.ok, answer.text()[:300]
    return answer.url


def write_traced_diary(context: BrowserContext, house: ServedHouse, member: Visitor) -> None:
    """Write 24 entries over two years with the trace garden; Größe on every third, ☕ on the last."""
    for number in range(MANY):
        day = FIRST + number * APART * 2
        url = post(context, house, member, f"/d/{day}/", text=f"Entry {number}.", key=str(uuid4()))
        entry = url.split("#entry-")[1]
        names = ["Garden", *(["Größe"] if number % 3 == 0 else []), *(["☕"] if number == MANY - 1 else [])]
        for name in names:
            post(context, house, member, f"/entries/{entry}/traces/keep/", name=name)


@pytest.fixture(scope="module")
def gardener(house: ServedHouse) -> Visitor:
    return house.new_member()


@pytest.fixture
def page(
    new_context: NewContext, house: ServedHouse, gardener: Visitor, request: pytest.FixtureRequest
) -> Page:
    context = new_context(gardener, house, **getattr(request, "param", PHONE))
    page = context.new_page()
    page.goto(house.url("/traces/"))
    if not page.locator(".trace-row").count():
        write_traced_diary(context, house, gardener)
        page.reload()
    return page


def get_focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.innerText.trim().replace(/\\s+/g, ' ')"))


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the control with this name has the focus."""
    for _ in range(80):
        if get_focused(page) == name:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no way to {name} by keyboard; last at {get_focused(page)}")


def get_marked(page: Page) -> str:
    return str(page.evaluate("document.activeElement.dataset.date ?? ''"))


@pytest.mark.slow
def test_by_keys_alone_on_a_phone_one_filters_opens_walks_narrows_and_comes_back(page: Page) -> None:
    page.get_by_role("searchbox", name="Find a trace by its name").focus()
    page.keyboard.type("grö")
    expect(page.locator(".trace-row-name")).to_have_text(["Größe"])
    assert "grö" not in page.url
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.press("Delete")
    expect(page.locator(".trace-row-name")).to_have_count(3)

    tab_to(page, "Name")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"\?sort=name$"))
    expect(page.locator(".trace-row-name")).to_have_text(["Garden", "Größe", "☕"])
    page.locator(".trace-row").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".trace-entries")).to_be_visible()
    address = page.url
    expect(page).to_have_title("Trace · Llamora")

    # The last year, one stop for Tab, walked by weeks and days, and over its edge into the year before.
    page.locator('a.heat[tabindex="0"]').focus()
    assert get_marked(page) == "2021-03-21"
    page.keyboard.press("ArrowLeft")
    assert get_marked(page) == "2021-03-03"
    page.keyboard.press("Home")
    assert get_marked(page) == "2021-01-08"
    page.keyboard.press("ArrowUp")
    page.wait_for_url("**/in/2020/#year")
    expect(page.get_by_role("heading", name=re.compile("^2020"))).to_be_visible()
    page.locator('a.heat[tabindex="0"]').focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/d/2020-12-21/")
    page.go_back()
    expect(page.get_by_role("heading", name=re.compile("^2020"))).to_be_visible()

    # Narrowed to both, by an address that outlives a reload.
    page.goto(address)
    page.locator(".related-trace").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/with/**")
    page.reload()
    expect(page.locator(".trace-intro")).to_contain_text("8 entries")
    expect(page.locator("h1")).to_contain_text("Garden and Größe")


def test_changes_are_taken_back_by_keys(page: Page) -> None:
    page.locator(".trace-row", has_text="Größe").click()
    page.get_by_text("Rename, merge or delete").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Name", exact=True).fill("Tallness")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("Tallness")
    expect(page.get_by_role("button", name="Undo", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("Größe")

    page.get_by_text("Rename, merge or delete").click()
    page.get_by_role("button", name="Delete everywhere", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".trace-row-name")).to_have_count(2)
    expect(page.get_by_role("button", name="Undo", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("Größe")


def test_the_history_goes_on_as_one_scrolls_and_the_bar_has_more(page: Page, house: ServedHouse) -> None:
    page.locator(".trace-row", has_text="Garden").click()
    expect(page.locator(".trace-entry")).to_have_count(8)
    for count in (16, 24):
        page.keyboard.press("End")
        expect(page.locator(".trace-entry")).to_have_count(count)
    words = page.locator(".trace-entry .prose").all_inner_texts()
    assert words == [f"Entry {number}." for number in reversed(range(MANY))]

    expect(page.get_by_role("button", name="Lock", exact=True)).to_be_hidden()
    page.get_by_role("button", name="More", exact=True).press("Enter")
    expect(page.get_by_role("button", name="Lock", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Lock", exact=True)).to_be_hidden()
    page.get_by_role("button", name="More", exact=True).press("Enter")
    page.get_by_role("link", name="Settings", exact=True).click()
    expect(page).to_have_url(house.url("/settings/"))


@pytest.mark.slow
def test_axe_finds_nothing_and_all_can_be_hit(page: Page, house: ServedHouse) -> None:
    garden = str(page.locator(".trace-row", has_text="Garden").get_attribute("href"))
    page.goto(house.url(garden))
    both = str(page.locator(".related-trace").first.get_attribute("href"))

    for path in ("/traces/", garden, both, "/traces/picture/"):
        page.goto(house.url(path))
        assert list_axe_findings(page) == [], path
        # The days of the year are squares; the table beneath has a link for each.
        small = [thing for thing in page.evaluate(TOO_SMALL) if 'class="heat ' not in thing]
        assert small == [], path
        page.emulate_media(color_scheme="dark")
        assert list_axe_findings(page, "color-contrast", "link-in-text-block") == [], path
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 320, "height": 640})
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
        page.set_viewport_size({"width": 390, "height": 844})


@pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True)
def test_without_script_one_finds_sorts_follows_and_reads_on(page: Page) -> None:
    page.get_by_role("searchbox", name="Find a trace by its name").fill("gar")
    page.get_by_role("button", name="Find", exact=True).click()
    expect(page.locator(".trace-row-name")).to_have_text(["Garden"])
    page.get_by_role("button", name="Name", exact=True).click()
    expect(page.locator(".trace-row-name")).to_have_text(["Garden"])
    page.locator(".trace-row").click()
    page.get_by_role("link", name=re.compile("Previous year")).click()
    expect(page.get_by_role("heading", name=re.compile("^2020"))).to_be_visible()
    page.get_by_role("link", name="Earlier entries", exact=True).click()
    expect(page.locator(".trace-entry .prose").first).to_have_text("Entry 15.")
    page.get_by_role("link", name="Earlier entries", exact=True).click()
    expect(page.get_by_role("link", name="Earlier entries", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Read for every reply", exact=True).click()
    expect(page.locator("#context")).to_contain_text("for every reply, as many as it can")
    page.get_by_role("button", name="Stop reading for every reply", exact=True).click()
