"""Tests of using a diary with the keyboard alone."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.diary_page import DiaryTab, wait_until
from tests.browser.fixture_classes import NewDiary
from tests.browser.reply_actions import wait_for_end, wait_for_words
from tests.browser.served_household import ServedHouse
from tests.browser_client import Visitor
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import make_unending

FOCUSED = """() => {
    const at = document.activeElement;
    const label = at.labels?.[0]?.innerText ?? at.getAttribute('aria-label') ?? at.innerText;
    return label.trim().replace(/\\s+/g, ' ');
}"""


def get_focused(page: Page) -> str:
    return str(page.evaluate(FOCUSED))


def tab_to(page: Page, name: str, *, most: int = 80) -> None:
    """Press Tab until the control with this name has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if get_focused(page) == name:
            return
    raise AssertionError(f"Tab never came to {name!r}; the last was {get_focused(page)!r}")


def test_one_signs_in_writes_edits_deletes_and_signs_out_by_keys_alone(
    house: ServedHouse, page: Page
) -> None:
    member = house.new_member()
    page.goto(house.url("/sign-in/"))
    tab_to(page, "Name")
    page.keyboard.type(member.name)
    tab_to(page, "Password")
    page.keyboard.type(member.password)
    page.keyboard.press("Enter")
    page.wait_for_url(house.url("/"))

    diary = DiaryTab(page, house, member).reload()
    tab_to(page, "Write")
    page.keyboard.type("By keys alone.")
    tab_to(page, "Save")
    page.keyboard.press("Enter")
    expect(diary.entries).to_have_count(1)
    page.keyboard.press("Shift+Tab")
    tab_to(page, "Save")
    page.reload()
    tab_to(page, "Edit")
    page.keyboard.press("Enter")
    expect(page.locator("form.edit textarea")).to_be_focused()
    page.keyboard.type("Written ")

    def saved_by_keys() -> bool:
        # The form's script may still be on its way when the form is already there.
        page.keyboard.press("Control+Enter")
        return diary.entries.count() == 1

    wait_until(page, saved_by_keys)
    expect(diary.entries).to_contain_text("Written")
    expect(diary.entries.locator(":focus")).to_have_count(1)
    page.reload()
    tab_to(page, "More")
    page.keyboard.press("Enter")
    expect(diary.button("Delete")).to_be_visible()
    tab_to(page, "Delete")
    page.keyboard.press("Enter")
    expect(diary.button("Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(diary.entries).to_have_count(1)
    page.reload()
    tab_to(page, "Sign out")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/sign-in/"))


def test_the_first_tab_skips_to_the_page(diary: DiaryTab) -> None:
    diary.page.keyboard.press("Tab")
    assert get_focused(diary.page) == "Skip to content"
    expect(diary.page.get_by_role("link", name="Skip to content")).to_be_in_viewport()

    diary.page.keyboard.press("Enter")

    expect(diary.page.locator("#main")).to_be_focused()


def test_the_tab_order_is_the_order_of_the_page(diary: DiaryTab) -> None:
    diary.save_entry("One entry.")
    diary.reload()
    seen = []
    for _ in range(80):
        diary.page.keyboard.press("Tab")
        seen.append(get_focused(diary.page))
        if seen[-1] == "Save":
            break

    places = [seen.index(name) for name in ("Today", "Lock L", "Sign out", "Reply", "Edit", "More", "Write")]
    assert places == sorted(places)


def test_keeping_leaves_the_caret_in_the_box(diary: DiaryTab) -> None:
    diary.box.press_sequentially("One, ")
    diary.box.press("Control+Enter")
    expect(diary.entries).to_have_count(1)

    expect(diary.box).to_be_focused()
    diary.page.keyboard.type("two")

    expect(diary.box).to_have_value("two")


def test_leaving_an_edit_by_escape_gives_the_focus_back_to_the_entry(diary: DiaryTab) -> None:
    diary.save_entry("Not to be changed.")
    diary.button("Edit").click()
    expect(diary.page.locator("form.edit textarea")).to_be_focused()

    def left_by_escape() -> bool:
        # The form's script may still be on its way when the form is already there.
        diary.page.keyboard.press("Escape")
        return diary.entries.count() == 1

    wait_until(diary.page, left_by_escape)

    expect(diary.entries.locator(":focus")).to_have_count(1)


def test_the_focus_stays_in_the_dialog(new_diary: NewDiary) -> None:
    diary = new_diary()
    new_diary(beside=diary).lock()
    expect(diary.dialog.get_by_label("Password", exact=True)).to_be_focused()

    for _ in range(6):
        diary.page.keyboard.press("Tab")
        assert (
            diary.page.evaluate("document.querySelectorAll('main a:focus, main :focus, nav :focus').length")
            == 0
        )


def test_asking_stopping_and_removing_keep_the_place_of_the_keyboard(
    diary: DiaryTab, model: FakeModelServer
) -> None:
    page = diary.page
    model.add_scripts(make_unending(rate=40))
    entry = diary.save_entry("Asked by keys.")
    entry.get_by_role("button", name="Reply", exact=True).press("Enter")
    wait_for_words(page.locator(".reply"))
    expect(entry.locator(":focus")).to_have_count(1)

    diary.button("Stop").press("Enter")
    wait_for_end(page.locator(".reply"), "stopped")
    expect(page.locator(".reply :focus")).to_have_count(1)
    page.get_by_role("button", name="Delete this reply").press("Enter")
    expect(page.locator(".reply")).to_have_count(0)

    expect(entry.locator(":focus")).to_have_count(1)


@pytest.mark.slow
def test_leafing_with_motion_ends_on_the_day(new_diary: NewDiary, experienced_member: Visitor) -> None:
    diary = new_diary(member=experienced_member, path="/d/2017-08-10/", reduced_motion="no-preference")

    for day in ("2017-08-09", "2017-08-08"):
        diary.page.get_by_role("link", name=re.compile("Previous day")).press("Enter")
        diary.page.wait_for_url(f"**/d/{day}/")
        diary.ready()

    expect(diary.page.get_by_role("heading", level=1)).to_contain_text("8 August 2017")


def calendar_day(diary: DiaryTab) -> str:
    return str(diary.page.evaluate("document.activeElement.pathname?.split('/').at(-2) ?? ''"))


@pytest.mark.slow
def test_the_calendar_is_walked_by_keys(new_diary: NewDiary) -> None:
    diary = new_diary(path="/d/2018-01-05/")
    diary.save_entry("The first entry, where the calendar begins.")
    page = diary.open("/d/2018-05-16/").page
    page.locator("#calendar a[aria-current=page]").focus()
    assert calendar_day(diary) == "2018-05-16"

    walked: list[str] = []
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "Home", "End"):
        page.keyboard.press(key)
        walked.append(calendar_day(diary))
    assert walked == ["2018-05-17", "2018-05-24", "2018-05-23", "2018-05-16", "2018-05-14", "2018-05-20"]

    def lands_on(key: str, day: str) -> None:
        page.keyboard.press(key)
        expect(page.locator(f"#calendar a[href='/d/{day}/']")).to_be_focused()

    lands_on("PageUp", "2018-04-20")
    lands_on("PageDown", "2018-05-20")
    lands_on("ArrowDown", "2018-05-27")
    lands_on("ArrowDown", "2018-06-03")
    lands_on("ArrowUp", "2018-05-27")
    lands_on("PageDown", "2018-06-27")
    page.keyboard.press("Enter")
    expect(page).to_have_url(diary.house.url("/d/2018-06-27/"))
