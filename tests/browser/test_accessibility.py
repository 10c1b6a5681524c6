"""Tests of every page with axe in both themes, at 320 pixels, with touch targets, and in print."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser.conftest import PATIENCE
from tests.browser.diary_page import DiaryTab, choose_in_menu, set_session_cookie
from tests.browser.fixture_classes import BrowserErrors, NewContext, NewDiary
from tests.browser.served_household import ServedHouse
from tests.browser_client import Visitor
from tests.fakes.model_server import FakeModelServer
from tests.leaks.addresses import ADDRESSES

ROOM: ViewportSize = {"width": 1280, "height": 900}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPEN = ["/sign-in/", "/register/", "/recover/", "/nothing-here/"]
OWN = ["/", "/d/2021-03-04/", "/calendar/2021-03/", "/settings/", "/d/2021-03-05/?long"]
LONG = (
    "# A heading\n\nAverylongwordthatneverends"
    + "x" * 200
    + "\n\n- a list\n- https://example.org/"
    + "y" * 120
    + "\n\n```\ncode "
    + "z" * 150
    + "\n```\n\n> quoted\n\n| a | b | c |\n|---|---|---|\n| "
    + "w" * 60
    + " | 2 | 3 |"
)


@pytest.fixture(scope="module")
def filled_member(house: ServedHouse, chromium: Browser, model: FakeModelServer) -> Visitor:
    """A person with entries of all kinds, a reply and a draft."""
    member = house.new_member()
    context = chromium.new_context(reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    set_session_cookie(context, house, member)
    diary = DiaryTab(context.new_page(), house, member, "/d/2021-03-04/").open()
    diary.save_entry("A walk.\n\nThen **tea**.")
    diary.button("Reply").click()
    expect(diary.page.locator(".reply")).to_have_attribute("data-state", "done")
    diary.box.fill("Half a draft")
    diary.wait_for_draft()
    diary.open("/d/2021-03-05/").save_entry(LONG)
    context.close()
    return member


@pytest.fixture
def visitor(new_context: NewContext, house: ServedHouse, filled_member: Visitor) -> Page:
    """A tab of `filled_member`."""
    return new_context(filled_member, house).new_page()


def iter_pages(page: Page, house: ServedHouse, member: Visitor) -> Iterator[str]:
    """Load all pages one after another, those for signed-out visitors first; some in special states."""
    for path in OPEN:
        page.goto(house.url(path))
        yield path
    set_session_cookie(page.context, house, member)
    for path in OWN:
        page.goto(house.url(path))
        page.wait_for_load_state("networkidle")
        yield path
    page.goto(house.url("/d/2021-03-04/"))
    page.get_by_role("button", name="Edit", exact=True).click()
    expect(page.locator("form.edit textarea")).to_be_focused()
    yield "editing"
    page.locator("form.edit [data-cancel]").click()
    choose_in_menu(page.locator("article.entry"), "Delete")
    expect(page.get_by_role("button", name="Undo", exact=True)).to_be_visible()
    yield "deleted"
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.locator("article.entry")).to_have_count(1)


def list_axe_findings(page: Page, *rules: str) -> list[str]:
    """Return the findings of axe, one per line, except the order of headings in people's texts."""
    chosen = {"runOnly": list(rules or RULES), "rules": {"heading-order": {"enabled": False}}}
    found = Axe().run(page, options={"preload": False, **chosen})
    return [
        f"{rule['id']}: {node['target']} {node.get('failureSummary', '')[:200]}"
        for rule in found.response["violations"]
        for node in rule["nodes"]
    ]


# Links in running text are as large as their words, as WCAG 2.2 allows (2.5.8, inline).
TOO_SMALL = """() => [...document.querySelectorAll('a, button, input:not([type=hidden]), select, textarea')]
    .filter((thing) => thing.checkVisibility({ visibilityProperty: true }))
    .filter((thing) => !thing.closest('.visually-hidden'))
    .filter((thing) => getComputedStyle(thing).display !== 'inline'
        || thing.parentElement.textContent.trim() === thing.textContent.trim())
    .map((thing) => [thing, thing.getBoundingClientRect(), thing.labels?.[0]?.getBoundingClientRect()])
    .filter(([, own, label]) => Math.max(own.height, label?.height ?? 0) < 43.5
        || Math.max(own.width, label?.width ?? 0) < 43.5)
    .map(([thing, own]) => `${thing.outerHTML.slice(0, 90)} ${own.width}x${own.height}`)"""


@dataclass
class PageFindings:
    """The findings on all pages, by path."""

    by_light: dict[str, list[str]] = field(default_factory=dict)
    in_the_dark: dict[str, list[str]] = field(default_factory=dict)
    too_wide: dict[str, int] = field(default_factory=dict)
    too_small: dict[str, list[str]] = field(default_factory=dict)

    def problems(self) -> dict[str, object]:
        """Return the findings by kind and page; empty if there are none."""
        found: dict[str, object] = {
            f"axe, by light: {path}": lines for path, lines in self.by_light.items() if lines
        }
        found |= {f"axe, in the dark: {path}": lines for path, lines in self.in_the_dark.items() if lines}
        found |= {f"too wide: {path}": width for path, width in self.too_wide.items() if width > 0}
        return found | {f"too small: {path}": things for path, things in self.too_small.items() if things}

    def check_page(self, page: Page, path: str) -> None:
        """Check a page in both themes, on a small screen and on a phone."""
        self.by_light[path] = list_axe_findings(page)
        page.emulate_media(color_scheme="dark")
        self.in_the_dark[path] = list_axe_findings(page, "color-contrast", "link-in-text-block")
        page.set_viewport_size({"width": 320, "height": 640})
        self.too_wide[path] = page.evaluate("document.documentElement.scrollWidth") - 320
        page.set_viewport_size({"width": 390, "height": 844})
        self.too_small[path] = page.evaluate(TOO_SMALL)
        page.set_viewport_size(ROOM)
        page.emulate_media(color_scheme="light")


@pytest.fixture(scope="module")
def findings(house: ServedHouse, filled_member: Visitor, chromium: Browser) -> PageFindings:
    """The findings of one walk through all pages, shared by the tests."""
    context = chromium.new_context(viewport=ROOM, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    page, walk = context.new_page(), PageFindings()
    for path in iter_pages(page, house, filled_member):
        walk.check_page(page, path)
    context.close()
    return walk


@pytest.mark.slow
def test_axe_finds_nothing_on_any_page_by_light(findings: PageFindings) -> None:
    assert len(findings.by_light) == len(OPEN) + len(OWN) + 2
    assert {path: lines for path, lines in findings.by_light.items() if lines} == {}


def test_axe_finds_nothing_on_any_page_in_the_dark(findings: PageFindings) -> None:
    assert {path: lines for path, lines in findings.in_the_dark.items() if lines} == {}


def test_nothing_scrolls_sideways_at_320_pixels(findings: PageFindings) -> None:
    assert {path: width for path, width in findings.too_wide.items() if width > 0} == {}


def test_everything_can_be_hit_with_a_thumb(findings: PageFindings) -> None:
    assert {path: things for path, things in findings.too_small.items() if things} == {}


@pytest.mark.slow
def test_axe_finds_nothing_on_the_pages_of_every_address_without_an_id(
    visitor: Page, house: ServedHouse
) -> None:
    walk = PageFindings()
    for address in ADDRESSES:
        path = address.path.replace("{day}", "2021-03-04").replace("{month}", "2021-03")
        if address.is_public or "GET" not in address.takes or "{" in path:
            continue
        answer = visitor.request.get(house.url(path))
        if answer.ok and answer.body().lower().startswith(b"<!doctype html>"):
            visitor.goto(house.url(path))
            walk.check_page(visitor, path)

    assert len(walk.by_light) > 40
    assert walk.problems() == {}


def test_axe_finds_what_is_wrong_on_a_page_that_is(visitor: Page, browser_errors: BrowserErrors) -> None:
    browser_errors.expect("Applying inline style")
    visitor.goto("about:blank")
    visitor.set_content(
        "<html><title>t</title><main><img src='data:,'><input><p style='color:#eee'>pale</p></main>"
    )

    found = " ".join(list_axe_findings(visitor))

    for rule in ("image-alt", "label", "color-contrast", "html-has-lang"):
        assert rule in found


def test_axe_finds_nothing_on_the_dialog_and_the_locked_page(
    new_diary: NewDiary, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("Applying inline style")
    diary = new_diary()
    other = new_diary(beside=diary)

    other.lock()

    expect(diary.dialog.get_by_label("Password", exact=True)).to_be_focused()
    assert list_axe_findings(diary.page) == []
    expect(other.button("Unlock")).to_be_visible()
    assert list_axe_findings(other.page) == []


def test_nothing_moves_for_those_who_asked_for_stillness(visitor: Page, house: ServedHouse) -> None:
    visitor.goto(house.url("/d/2021-03-04/"))

    moving = visitor.evaluate(
        """() => [...document.querySelectorAll('*')]
            .map((thing) => [thing.outerHTML.slice(0, 80), getComputedStyle(thing)])
            .filter(([name, style]) => style.animationName !== 'none'
                || style.transitionDuration.split(', ').some((time) => parseFloat(time) > 0))
            .map(([name]) => name)"""
    )

    assert moving == []


def test_paper_holds_the_day_and_nothing_else(visitor: Page, house: ServedHouse) -> None:
    visitor.goto(house.url("/d/2021-03-04/"))
    visitor.emulate_media(media="print", color_scheme="dark")

    printed = visitor.locator("body").inner_text()

    assert re.search(r"4 March 2021", printed)
    assert "A walk." in printed
    for chrome in (
        "Save",
        "Reply",
        "Edit",
        "More",
        "Sign out",
        "Lock",
        "Calendar",
        "Delete",
        "Add a trace",
        "On this day",
        "Half a draft",
    ):
        assert chrome not in printed
    assert visitor.evaluate("getComputedStyle(document.body).backgroundColor") in (
        "rgb(255, 255, 255)",
        "rgba(0, 0, 0, 0)",
    )
