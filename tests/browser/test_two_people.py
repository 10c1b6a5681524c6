"""Tests of two people in one browser with stale tabs: no text gets into the other person's diary."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.diary_page import DiaryTab, set_session_cookie, sign_in_with_form
from tests.browser.fixture_classes import BrowserErrors, NewDiary
from tests.browser_client import Visitor

ANNAS = "annas plums are ripe"
BENS = "bens bicycle is mended"


def disconnect_tab(diary: DiaryTab) -> None:
    """Disconnect a tab: block its socket and its drafts."""
    diary.page.route_web_socket("**/live/", lambda socket: None)
    diary.page.route("**/draft/", lambda route: route.abort())


def stale_tab(new_diary: NewDiary, words: str, *, beside: DiaryTab | None = None) -> DiaryTab:
    """Return a disconnected tab with unsaved text."""
    diary = new_diary(beside=beside) if beside else new_diary()
    disconnect_tab(diary)
    diary.page.reload()
    expect(diary.box).to_be_visible()
    diary.box.fill(words)
    return diary


def switch_person(tab: DiaryTab, member: Visitor) -> DiaryTab:
    """Sign out in this tab, and sign in as another person."""
    tab.button("Sign out").click()
    tab.page.wait_for_url("**/sign-in/")
    sign_in_with_form(tab.page, tab.house, member)
    expect(tab.box).to_be_visible()
    return DiaryTab(tab.page, tab.house, member)


def sign_in_at_the_dialog(page: Page, member: Visitor) -> None:
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill(member.name)
    dialog.get_by_label("Password", exact=True).fill(member.password)
    dialog.get_by_role("button", name="Sign in", exact=True).click()


@pytest.mark.slow
def test_a_save_from_a_stale_tab_goes_into_nobody_elses_diary_and_is_not_lost(
    new_diary: NewDiary, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("ERR_FAILED", "409", "WebSocket")
    annas = stale_tab(new_diary, ANNAS)
    ben = annas.house.new_member()
    second = new_diary(beside=annas)
    bens = switch_person(second, ben)

    annas.save_button.click()
    expect(annas.complaint).to_contain_text("nothing was saved")
    expect(annas.box).to_have_value(ANNAS)
    bens.page.reload()
    expect(bens.entries).to_have_count(0)
    assert ANNAS not in bens.shown_words()

    switch_person(bens, annas.member)
    annas.save_button.click()
    expect(annas.entry(ANNAS)).to_be_visible()
    bens.page.reload()
    expect(bens.entry(ANNAS)).to_be_visible()


def test_a_stale_tab_of_each_a_lock_in_one_a_save_from_the_other_an_unlock_by_the_wrong_person(
    new_diary: NewDiary, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("ERR_FAILED", "409", "401", "422", "WebSocket")
    annas = stale_tab(new_diary, ANNAS)
    anna, ben = annas.member, annas.house.new_member()
    bens = switch_person(new_diary(beside=annas), ben)
    disconnect_tab(bens)
    bens.page.reload()
    bens.box.fill(BENS)

    annas.page.evaluate("document.activeElement.blur()")
    annas.lock()
    expect(annas.dialog).to_be_visible()
    bens.save_button.click()
    expect(bens.dialog).to_be_visible()
    assert BENS not in bens.shown_words()
    bens.unlock(anna.password + " of anna")
    expect(bens.dialog.get_by_role("alert")).to_contain_text("Wrong password.")
    assert BENS not in bens.shown_words()
    bens.unlock()
    expect(bens.box).to_have_value(BENS)
    bens.save_button.click()
    expect(bens.entry(BENS)).to_be_visible()

    expect(annas.dialog).to_be_visible()
    assert ANNAS not in annas.shown_words()
    switch_person(bens, anna)
    annas.unlock()
    expect(annas.box).to_have_value(ANNAS)
    annas.save_button.click()
    expect(annas.entry(ANNAS)).to_be_visible()
    assert BENS not in annas.shown_words()


@pytest.mark.slow
def test_another_person_at_the_dialog_gets_their_own_page_and_the_words_wait(
    new_diary: NewDiary, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("ERR_FAILED", "401")
    annas = new_diary()
    annas.page.route("**/draft/", lambda route: route.abort())
    annas.box.fill(ANNAS)
    ben = annas.house.new_member()
    other = new_diary(beside=annas)
    other.button("Sign out").click()
    expect(annas.dialog).to_be_visible()

    sign_in_at_the_dialog(annas.page, ben)

    expect(annas.dialog).to_be_hidden()
    expect(annas.page.get_by_text("This tab hides unsaved text of another person")).to_be_visible()
    expect(annas.box).to_have_value("")
    assert ANNAS not in annas.shown_words()
    other.open().button("Sign out").click()
    expect(annas.dialog).to_be_visible()
    sign_in_at_the_dialog(annas.page, annas.member)
    expect(annas.box).to_have_value(ANNAS)


def test_the_open_tab_of_one_is_covered_when_the_browser_becomes_anothers(new_diary: NewDiary) -> None:
    annas = new_diary()
    annas.save_entry(ANNAS)

    switch_person(new_diary(beside=annas), annas.house.new_member())

    expect(annas.dialog).to_be_visible()
    assert ANNAS not in annas.shown_words()


@pytest.mark.slow
def test_a_tab_that_comes_back_from_the_dead_finds_itself_anothers_and_shows_nothing(
    new_diary: NewDiary, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("WebSocket", "ERR_INTERNET_DISCONNECTED")
    annas = new_diary()
    annas.save_entry(ANNAS)
    ben = annas.house.sign_in(annas.house.new_member())
    context = annas.page.context

    context.clear_cookies()
    set_session_cookie(context, annas.house, ben)
    annas.page.evaluate("dispatchEvent(new Event('online'))")
    annas.page.evaluate("document.dispatchEvent(new CustomEvent('llamora:unlocked'))")

    expect(annas.dialog).to_be_visible()
    assert ANNAS not in annas.shown_words()
