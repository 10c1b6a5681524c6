"""Tests of the search box: opened from any page, used by keyboard, closed without leaving its query."""

import re
from datetime import date, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.diary_page import DiaryTab
from tests.browser.fixture_classes import NewContext, NewDiary
from tests.browser.served_household import ServedHouse
from tests.browser.test_accessibility import list_axe_findings
from tests.browser_client import Visitor

FIRST = date(2019, 6, 1)
HERON = (
    "The heron stood in the weir.\n\n"
    + "Nothing happened for a long while.\n\n" * 40
    + "Then the heron flew."
)
_KEEP = """async ([rows, owner]) => {
    for (const [day, text] of rows) {
        const body = new FormData();
        const token = document.cookie.match(/llamora_csrf=([^;]+)/)[1];
        const fields = { text, owner, csrfmiddlewaretoken: token };
        for (const [name, value] of Object.entries(fields)) body.set(name, value);
        const answer = await fetch(`/d/${day}/`, { method: "POST", body, headers: { "HX-Request": "true" } });
        if (!answer.ok) throw new Error(`not kept: ${answer.status}`);
    }
}"""


def save_all(page: Page, member: Visitor, rows: list[tuple[date, str]]) -> None:
    """Save entries by HTTP, without waiting for the page to show them."""
    page.evaluate(_KEEP, [[[day.isoformat(), text] for day, text in rows], member.owner])


def write_searchable_diary(page: Page, member: Visitor) -> None:
    """Write a diary with herons in two entries and rooks in twenty-five."""
    rooks = [(FIRST + timedelta(days=number), f"Rooks in the elms, number {number}.") for number in range(25)]
    save_all(page, member, [*rooks, (date(2021, 3, 4), HERON), (date(2022, 3, 4), "A heron in the rain.")])


class SearchBox:
    """The page object of the search box, in its dialog or on its page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.form = page.locator("#search-box")
        self.field = page.get_by_role("searchbox", name="Search your diary")
        self.hits = self.form.locator("#search-hits > .hit > a")
        self.chips = self.form.locator(".chip:not(.suggested)")
        self.recent = self.form.locator(".recent-search")
        self.count = self.form.locator(".search-count")

    def opened(self) -> "SearchBox":
        self.page.keyboard.press("/")
        expect(self.field).to_be_focused()
        return self

    def search_for(self, typed: str, count: str) -> None:
        """Replace the query, and wait until the results show this count."""
        self.field.fill(typed)
        expect(self.count).to_have_text(count)

    def press_key(self, key: str, focused: Locator) -> None:
        self.page.keyboard.press(key)
        expect(focused).to_be_focused()


def test_one_finds_while_typing_walks_by_keys_and_opens_the_place(new_diary: NewDiary) -> None:
    diary = new_diary()
    page = diary.page
    write_searchable_diary(page, diary.member)
    diary.reload()
    box = SearchBox(page).opened()
    expect(box.form).to_contain_text("Find anything that you or the model wrote")

    box.field.press_sequentially("hero")
    expect(box.count).to_have_text("2 matches")
    expect(box.hits.locator("mark").first).to_have_text("hero")
    box.press_key("ArrowDown", box.hits.first)
    box.press_key("ArrowDown", box.hits.nth(1))
    box.press_key("ArrowDown", box.hits.nth(1))
    box.press_key("Home", box.hits.first)
    box.press_key("End", box.hits.nth(1))
    box.press_key("ArrowUp", box.hits.first)
    box.press_key("ArrowUp", box.field)
    box.press_key("ArrowDown", box.hits.first)
    box.press_key("n", box.field)
    expect(box.field).to_have_value("heron")
    page.keyboard.press("Escape")
    expect(box.form).to_have_count(0)
    box.opened()
    expect(box.field).to_have_value("")
    box.field.fill("flamingo")
    expect(box.form.get_by_role("status")).to_contain_text("Nothing found. Try fewer or different words")

    box.search_for("heron flew", "1 match")
    page.keyboard.press("Enter")
    expect(box.hits.first).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/d/2021-03-04/**")
    found = page.locator("article.entry mark.found")
    expect(found).to_have_text(["heron", "heron", "flew"])
    expect(found.first).to_be_in_viewport()
    assert "found=" not in page.url
    assert page.url.split("#")[1].startswith("entry-")
    assert page.title().count("heron") == 0


@pytest.mark.slow
def test_limits_are_chips_more_come_on_scrolling_and_searches_are_remembered_as_wished(
    new_diary: NewDiary,
) -> None:
    diary = new_diary()
    page = diary.page
    write_searchable_diary(page, diary.member)
    diary.open("/d/2022-03-04/")
    box = SearchBox(page).opened()

    box.search_for("rooks from:2019 in:entries -crows ", "25 matches")
    expect(box.chips).to_have_text(
        [re.compile("from 2019"), re.compile("in entries"), re.compile("without crows")]
    )
    expect(box.hits).to_have_count(20)
    box.hits.nth(19).scroll_into_view_if_needed()
    expect(box.hits).to_have_count(25)
    assert len(set(box.hits.evaluate_all("all => all.map((one) => one.href)"))) == 25
    box.chips.nth(0).click()
    expect(box.field).to_have_value("rooks in:entries -crows")
    expect(box.chips).to_have_count(2)
    expect(box.field).to_be_focused()
    box.field.fill("heron to:2018")
    expect(box.form.get_by_role("status")).to_contain_text("Remove one to search further")

    for typed in ("heron", "rooks"):
        box.field.fill(typed)
        page.keyboard.press("Enter")
        expect(box.hits.first).to_be_focused()
        box.field.focus()
    box.field.fill("only typed")
    expect(box.form.get_by_role("status")).to_contain_text("Nothing found")
    box.field.fill("")
    expect(box.recent).to_have_text(["rooks", "heron"])
    box.recent.nth(1).click()
    expect(box.count).to_have_text("2 matches")
    expect(box.field).to_have_value("heron")
    box.field.fill("")
    box.form.get_by_role("button", name="Clear these").click()
    expect(box.form).to_contain_text("Find anything that you or the model wrote")
    box.form.get_by_role("button", name="Stop saving searches").click()
    expect(box.form.get_by_role("button", name="Save recent searches")).to_be_visible()
    box.search_for("heron", "2 matches")
    page.keyboard.press("Enter")
    expect(box.hits.first).to_be_focused()
    box.field.fill("")
    expect(box.form.get_by_role("button", name="Save recent searches")).to_be_visible()
    expect(box.recent).to_have_count(0)
    box.form.get_by_role("link", name="How to search").click()
    page.wait_for_url("**/search/")
    expect(page.get_by_text("exactly this phrase")).to_be_visible()


def test_a_lock_in_another_tab_takes_the_box_and_its_results_away(new_diary: NewDiary) -> None:
    diary = new_diary()
    diary.save_entry("The heron stood in the weir.")
    box = SearchBox(diary.page).opened()
    box.search_for("heron", "1 match")

    new_diary(beside=diary).lock()

    expect(diary.dialog.get_by_label("Password", exact=True)).to_be_focused()
    expect(box.form).to_have_count(0)
    assert "heron" not in diary.shown_words()
    diary.page.keyboard.press("/")
    expect(box.form).to_have_count(0)


@pytest.mark.parametrize("width", [320, pytest.param(390, marks=pytest.mark.slow)])
def test_on_a_phone_the_box_fills_the_screen_and_can_be_read_in_both_themes(
    new_diary: NewDiary, width: int
) -> None:
    diary = new_diary(viewport={"width": width, "height": 700}, has_touch=True)
    page = diary.page
    write_searchable_diary(page, diary.member)
    page.get_by_role("link", name="Search", exact=True).click()
    box = SearchBox(page)
    box.search_for(f'rooks -crows from:2019-06-01 -{"x" * 60} "rooks in the elms"', "25 matches")

    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        assert list_axe_findings(page) == []
    assert page.evaluate("document.querySelector('.search-dialog').getBoundingClientRect().width") == width
    assert page.evaluate(
        "[...document.querySelectorAll('.search-dialog, body')].every((e) => e.scrollWidth <= e.clientWidth)"
    )
    small = (
        "all => all.filter((one) => one.getBoundingClientRect().height < 44).map((one) => one.textContent)"
    )
    assert page.locator(".search-dialog :is(button, .hit a)").evaluate_all(small) == []
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.locator(".search-dialog")).to_have_count(0)


def test_folded_hits_are_walked_by_keys_and_filters_are_clicked(new_diary: NewDiary) -> None:
    diary = new_diary(viewport={"width": 390, "height": 700})
    page = diary.page
    sleet = [(FIRST + timedelta(days=400 * number), "Sleet all day.") for number in range(3)]
    save_all(page, diary.member, [*sleet, (FIRST, "Sleet at noon, and a heron."), (FIRST, "Sleet, a heron.")])
    diary.reload()
    box = SearchBox(page).opened()
    folds = box.form.locator(".hit-more > summary")

    box.search_for("sleet", "5 matches")
    expect(folds).to_have_text(["and on 2 other days", "1 more on this day"])
    box.press_key("ArrowDown", box.hits.first)
    box.press_key("ArrowDown", folds.first)
    page.keyboard.press("Enter")
    days = box.form.locator(".hit-days a")
    expect(days).to_have_text(["5 July 2020", "1 June 2019"])
    box.press_key("ArrowDown", days.first)
    box.press_key("End", folds.nth(1))
    page.keyboard.press("Enter")
    box.press_key("End", box.form.locator(".hit .hit > a"))
    small = "all => all.filter((one) => one.getBoundingClientRect().height < 44).length"
    assert page.locator(".search-dialog :is(button, summary, .hit a)").evaluate_all(small) == 0
    assert page.evaluate("document.querySelector('.search-dialog').scrollWidth") <= 390
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        assert list_axe_findings(page) == []

    box.form.get_by_role("group", name="Show only").get_by_role("button", name="2019").click()
    expect(box.field).to_have_value("sleet on:2019")
    expect(box.chips).to_have_text([re.compile("on 2019")])
    expect(box.count).to_have_text("3 matches")
    box.hits.first.click()
    page.wait_for_url("**/d/2019-06-01/**")
    expect(page.locator(".search-dialog")).to_have_count(0)


@pytest.mark.slow
def test_without_script_the_page_of_its_own_does_all_of_it(
    new_context: NewContext, house: ServedHouse
) -> None:
    member = house.new_member()
    scripted = DiaryTab(new_context(member, house).new_page(), house, member).open()
    write_searchable_diary(scripted.page, member)
    scripted.page.context.close()
    page = new_context(member, house, java_script_enabled=False).new_page()
    page.goto(house.url("/"))
    page.get_by_role("link", name="Search", exact=True).click()
    box = SearchBox(page)

    def looks_for(typed: str) -> None:
        box.field.fill(typed)
        page.get_by_role("button", name="Search", exact=True).click()

    looks_for("rooks from:2019")
    expect(box.hits).to_have_count(20)
    page.get_by_role("button", name="More results").click()
    expect(box.hits).to_have_count(5)
    looks_for("rooks heron from:2022")
    box.chips.first.click()
    looks_for("heron stood")
    expect(box.count).to_have_text("1 match")
    assert page.url == house.url("/search/")
    looks_for("")
    expect(box.recent.first).to_have_text("heron stood")
    page.get_by_role("button", name="Clear these").click()
    expect(box.recent).to_have_count(0)
    looks_for("heron stood")
    box.hits.first.click()
    page.wait_for_url("**/d/2021-03-04/**")
    expect(page.locator("article.entry:target")).to_contain_text("The heron stood")
