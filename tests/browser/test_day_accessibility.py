"""Tests of the day pages with axe in both themes, at 320 pixels, with touch targets and by keyboard."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import PATIENCE
from tests.browser.diary_page import DiaryTab, choose_in_menu, set_session_cookie
from tests.browser.fixture_classes import NewContext, NewDiary
from tests.browser.served_household import ServedHouse
from tests.browser.test_accessibility import ROOM, PageFindings, list_axe_findings
from tests.browser_client import Visitor

PATHS = ["/years/2021/", "/calendar/2021-03/", "/on-this-day/03-04/", "/bin/", "/keys/", "/d/2021-03-04/"]


@pytest.fixture(scope="module")
def filled_member(house: ServedHouse, chromium: Browser) -> Visitor:
    """A person with entries on one day of two years, some edited, moved or deleted."""
    member = house.new_member()
    context = chromium.new_context(viewport=ROOM)
    context.set_default_timeout(PATIENCE)
    set_session_cookie(context, house, member)
    diary = DiaryTab(context.new_page(), house, member, "/d/2020-03-04/").open()
    diary.save_entry("Snow on the *canal*, early. " * 12)
    diary.open("/d/2021-03-04/").save_entry("First words.")
    diary.save_entry("To be deleted.")
    choose_in_menu(diary.entry("To be deleted."), "Delete")
    expect(diary.button("Undo")).to_be_focused()
    diary.reload()
    diary.button("Edit").click()
    diary.page.locator("form.edit textarea").fill("Other words.")
    diary.save_edit_button.click()
    expect(diary.entries).to_contain_text("Other words.")
    context.close()
    return member


def iter_pages(page: Page, house: ServedHouse, member: Visitor) -> Iterator[str]:
    """Load all pages one after another, and the day in each of its states."""
    set_session_cookie(page.context, house, member)
    for path in PATHS:
        page.goto(house.url(path))
        page.wait_for_load_state("networkidle")
        yield path
    page.get_by_role("link", name="edited").click()
    expect(page.locator(".version")).to_have_count(1)
    yield "versions"
    choose_in_menu(page.locator(".entry"), "Move")
    expect(page.locator("form.move")).to_have_count(1)
    yield "moving"
    page.goto(house.url("/bin/"))
    page.get_by_text("Delete now").click()
    yield "destroying"
    page.goto(house.url("/d/2021-03-04/"))
    page.get_by_role("link", name="Keyboard shortcuts").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    yield "sheet"


@pytest.fixture(scope="module")
def findings(house: ServedHouse, filled_member: Visitor, chromium: Browser) -> PageFindings:
    context = chromium.new_context(viewport=ROOM, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    page, walk = context.new_page(), PageFindings()
    for path in iter_pages(page, house, filled_member):
        walk.check_page(page, path)
    context.close()
    return walk


@pytest.mark.slow
def test_everybody_can_read_and_use_the_pages_around_the_day(findings: PageFindings) -> None:
    assert len(findings.by_light) == len(PATHS) + 4
    assert findings.problems() == {}


def get_date_in_view(page: Page) -> str:
    return str(page.evaluate("document.activeElement.pathname?.split('/').at(-2) ?? ''"))


def test_a_year_is_walked_by_keys(
    new_context: NewContext, house: ServedHouse, filled_member: Visitor
) -> None:
    page = new_context(filled_member, house).new_page()
    page.goto(house.url("/years/2021/"))
    page.wait_for_load_state("networkidle")
    stops = page.locator("#year a.cell[tabindex='0']")
    expect(stops).to_have_count(1)
    stops.focus()
    assert get_date_in_view(page) == "2021-03-04"

    walked = []
    for key in (
        "PageUp",
        "ArrowLeft",
        "PageDown",
        "ArrowDown",
        "ArrowDown",
        "ArrowDown",
        "ArrowDown",
        "Home",
    ):
        page.keyboard.press(key)
        walked.append(get_date_in_view(page))

    assert walked[:3] == ["2021-02-04", "2021-02-03", "2021-03-03"]
    assert walked[3:] == ["2021-03-10", "2021-03-17", "2021-03-24", "2021-03-31", "2021-03-29"]
    page.keyboard.press("End")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Escape")
    expect(page.locator("#main")).to_be_focused()
    expect(stops).to_have_attribute("href", "/d/2021-03-24/")


@pytest.mark.slow
def test_a_year_is_walked_across_its_edges_by_keys(
    new_context: NewContext, house: ServedHouse, filled_member: Visitor
) -> None:
    page = new_context(filled_member, house).new_page()
    page.goto(house.url("/years/2023/"))
    page.wait_for_load_state("networkidle")
    page.locator("a[href='/d/2023-01-01/']").focus()

    # Nothing was written in 2022: an arrow leaves no year out for that.
    for key, day in (
        ("ArrowLeft", "2022-12-31"),
        ("ArrowRight", "2023-01-01"),
        ("ArrowUp", "2022-12-25"),
        ("ArrowDown", "2023-01-01"),
        ("PageUp", "2022-12-01"),
        ("PageDown", "2023-01-01"),
    ):
        page.keyboard.press(key)
        expect(page.locator(f"#year a[href='/d/{day}/']")).to_be_focused()
        expect(page.get_by_role("heading", level=1)).to_have_text(day[:4])
        expect(page.locator("#year a.cell[tabindex='0']")).to_have_attribute("href", f"/d/{day}/")

    page.goto(house.url("/years/2020/"))
    page.wait_for_load_state("networkidle")
    page.locator("a[href='/d/2020-01-01/']").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_load_state("networkidle")
    assert get_date_in_view(page) == "2020-01-01"


def test_keys_lead_about_and_their_map_lies_under_the_question_mark(diary: DiaryTab) -> None:
    page = diary.page
    page.wait_for_load_state("networkidle")
    diary.save_button.focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Previous day, next day")
    assert list_axe_findings(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)

    page.keyboard.press("n")
    expect(diary.box).to_be_focused()
    page.keyboard.type("?btoc")
    expect(diary.box).to_have_value("?btoc")
    diary.wait_for_draft()
    diary.save_button.focus()
    page.keyboard.press("o")
    expect(page).to_have_url(re.compile(r"/on-this-day/\d\d-\d\d/$"))
    page.wait_for_load_state("networkidle")
    page.keyboard.press("t")
    expect(page).to_have_url(diary.house.url("/"))


def test_keys_turn_the_days(diary: DiaryTab) -> None:
    page, here = diary.page, diary.page.url
    heading = page.get_by_role("heading", level=1)
    day = heading.inner_text()
    page.wait_for_load_state("networkidle")

    page.keyboard.press("b")
    expect(heading).not_to_have_text(day)
    page.wait_for_load_state("networkidle")
    page.keyboard.press("a")

    expect(page).to_have_url(here)


def is_uncovered(thing: Locator) -> bool:
    """Return whether no other element covers the middle of this element."""
    return bool(
        thing.evaluate("""(thing) => {
            const { x, y, width, height } = thing.getBoundingClientRect();
            return thing.contains(document.elementFromPoint(x + width / 2, y + height / 2));
        }""")
    )


def press_above_composer(thing: Locator) -> None:
    """Scroll until an element is just above the composer, and press it there."""
    x, y = thing.evaluate("""(thing) => {
        const below = document.getElementById("composer").getBoundingClientRect().top;
        scrollBy(0, thing.getBoundingClientRect().bottom + 4 - below);
        const now = thing.getBoundingClientRect();
        return [now.x + now.width / 2, now.y + now.height / 2];
    }""")
    thing.page.mouse.click(x, y)


@pytest.mark.slow
def test_the_reply_styles_open_in_sight_and_close_as_menus_do(new_diary: NewDiary) -> None:
    diary = new_diary(viewport={"width": 390, "height": 844})
    page, ways = diary.page, diary.page.locator("details.entry-menu").first
    diary.save_entry("A line.\n\n" * 24)
    diary.save_entry("A line.\n\n" * 24)

    press_above_composer(ways.locator("summary"))

    expect(ways).to_have_attribute("open", "")
    assert is_uncovered(page.get_by_role("link", name="Your own styles…"))
    page.keyboard.press("Escape")
    expect(ways).not_to_have_attribute("open", "")
    expect(ways.locator("summary")).to_be_focused()
    page.keyboard.press("Enter")
    expect(ways).to_have_attribute("open", "")
    page.locator(".page-head h1").click()
    expect(ways).not_to_have_attribute("open", "")


def test_an_answer_does_not_begin_behind_the_box(diary: DiaryTab) -> None:
    diary.save_entry("A line.\n\n" * 24)
    diary.save_entry("A line.\n\n" * 24)

    press_above_composer(diary.button("Reply").first)

    expect(diary.page.locator(".reply")).to_have_attribute("data-state", "done")
    assert is_uncovered(diary.page.locator(".reply .reply-who"))


@pytest.mark.parametrize("width", [pytest.param(1280, marks=pytest.mark.slow), 390])
def test_words_stay_where_they_were_read_while_they_are_changed(new_diary: NewDiary, width: int) -> None:
    diary = new_diary(viewport={"width": width, "height": 844})
    words = diary.save_entry("Words that stand still.").locator(".prose")
    at = words.bounding_box()

    diary.button("Edit").click()

    box = diary.page.locator("form.edit textarea")
    expect(box).to_be_focused()
    inside = box.evaluate("(box) => parseFloat(getComputedStyle(box).paddingLeft) + box.clientLeft")
    now = box.bounding_box()
    assert at
    assert now
    assert abs(now["x"] + inside - at["x"]) < 0.5
    expect(diary.page.locator("form.edit .entry-time")).to_have_text(re.compile(r"\d:\d\d"))


@pytest.mark.slow
def test_the_open_sheet_of_a_phone_closes_when_the_keyboard_goes_on(new_diary: NewDiary) -> None:
    diary = new_diary(viewport={"width": 390, "height": 844})
    diary.save_entry("Something beneath.")
    sheet = diary.page.locator("#composer")
    diary.box.click()
    expect(sheet).to_have_attribute("data-open", "")

    diary.page.keyboard.press("Shift+Tab")
    expect(diary.button("Done")).to_be_focused()
    expect(sheet).to_have_attribute("data-open", "")
    diary.page.keyboard.press("Shift+Tab")

    expect(sheet).not_to_have_attribute("data-open", "")
    assert is_uncovered(diary.page.locator(":focus"))


def test_one_skips_to_writing(diary: DiaryTab) -> None:
    diary.page.keyboard.press("Tab")
    diary.page.keyboard.press("Tab")
    expect(diary.page.get_by_role("link", name="Skip to writing")).to_be_focused()

    diary.page.keyboard.press("Enter")

    expect(diary.box).to_be_focused()


def test_earlier_years_stand_in_the_margin_or_behind_a_link(
    new_diary: NewDiary, filled_member: Visitor
) -> None:
    diary = new_diary(member=filled_member, path="/d/2021-03-04/", viewport={"width": 1440, "height": 900})
    margin, link = diary.page.locator("aside.on-this-day"), diary.page.locator(".on-this-day-link")
    expect(margin).to_contain_text("Snow on the canal, early.")
    expect(link).to_be_hidden()

    diary.page.set_viewport_size({"width": 390, "height": 844})

    expect(margin).to_be_hidden()
    link.get_by_role("link", name="On this day in 2020").click()
    expect(diary.page.locator(".on-this-day-year")).to_have_count(2)


@pytest.mark.slow
def test_everything_works_without_script(new_context: NewContext, house: ServedHouse) -> None:
    member = house.new_member()
    page = new_context(member, house, java_script_enabled=False).new_page()

    def press(name: str) -> None:
        page.get_by_role("button", name=name, exact=True).click()

    def open_menu() -> None:
        press("Edit")
        page.get_by_role("link", name="Reply as…, move or delete", exact=True).click()

    page.goto(house.url("/d/2021-03-04/"))
    page.get_by_label("Write").fill("First words.")
    press("Save")
    press("Edit")
    page.locator("form.edit textarea").fill("Other words.")
    press("Save")
    page.get_by_role("link", name="edited").click()
    press("Restore this version")
    expect(page.locator(".entry .prose")).to_have_text("First words.")

    open_menu()
    page.get_by_role("link", name="Move", exact=True).click()
    page.get_by_label(re.compile("Move the entry of")).fill("2020-02-29")
    press("Move")
    expect(page).to_have_url(re.compile("/d/2020-02-29/#entry-"))
    expect(page.locator(".entry")).to_contain_text("moved here from 4 March 2021")

    page.goto(house.url("/calendar/2021-03/"))
    page.get_by_label("Month").select_option("")
    page.get_by_label("Year").fill("2020")
    press("Go")
    expect(page).to_have_url(house.url("/years/2020/"))
    page.locator("a[href='/d/2020-02-29/'].has-entries").click()
    open_menu()
    press("Delete")
    page.get_by_role("link", name="bin", exact=True).click()
    page.get_by_text("Delete now").click()
    press("Delete for good")
    expect(page.locator(".empty")).to_contain_text("The bin is empty.")
