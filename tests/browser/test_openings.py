"""Tests of openings, recaps and reply styles in a browser."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.browser.diary_page import DiaryTab
from tests.browser.fixture_classes import NewDiary
from tests.browser.reply_actions import LONG, get_reply_words, split_script, wait_for_end, wait_for_words
from tests.browser.served_household import ServedHouse
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script

# An opening ends with the sentence in which it has ninety words.
OPENING = Script(tokens=LONG.tokens[:80], rate=LONG.rate)


def open_day_after(
    new_diary: NewDiary, house: ServedHouse, model: FakeModelServer, script: Script
) -> DiaryTab:
    """Open today's page of a person with earlier entries, with a script for the opening."""
    who = house.new_member()
    new_diary(member=who, path="/d/2019-02-03/").save_entry("Varnish is out.")
    model.add_scripts(script)
    return new_diary(member=who)


def test_a_day_is_opened_as_one_looks_on_and_stays_so(
    new_diary: NewDiary, house: ServedHouse, model: FakeModelServer
) -> None:
    diary = open_day_after(new_diary, house, model, OPENING)
    opening = diary.page.locator("#opening > .reply")
    wait_for_words(opening)

    wait_for_end(opening)

    assert get_reply_words(opening) == split_script(OPENING)
    calls = len(model.calls)
    diary.reload()
    assert get_reply_words(opening) == split_script(OPENING)
    assert len(model.calls) == calls
    opening.get_by_role("link", name="Sources").click()
    expect(opening.locator(".sources a")).to_have_text(re.compile("3 February 2019"))


def test_an_opening_is_dismissed_for_good(
    new_diary: NewDiary, house: ServedHouse, model: FakeModelServer
) -> None:
    diary = open_day_after(new_diary, house, model, OPENING)
    opening = diary.page.locator("#opening > .reply")
    wait_for_words(opening)

    diary.button("Dismiss").click()

    expect(opening).to_have_count(0)
    diary.reload()
    expect(diary.page.locator("#opening")).to_have_count(0)


@pytest.mark.slow
def test_making_another_by_keys_leaves_nothing_under_the_finger_that_dismisses(
    new_diary: NewDiary, house: ServedHouse, model: FakeModelServer
) -> None:
    diary = open_day_after(new_diary, house, model, Script(tokens=["First."]))
    opening = diary.page.locator("#opening > .reply")
    wait_for_end(opening)
    model.add_scripts(OPENING)

    diary.button("Write again").focus()
    diary.page.keyboard.press("Enter")
    wait_for_words(opening)
    expect(opening).to_be_focused()
    diary.page.keyboard.press("Enter")

    wait_for_end(opening)
    expect(opening).to_be_focused()
    assert get_reply_words(opening) == split_script(OPENING)


@pytest.mark.slow
def test_an_opening_that_fails_before_it_is_on_the_page_does_not_wait_there(
    new_diary: NewDiary, house: ServedHouse, model: FakeModelServer
) -> None:
    who = house.new_member()
    diary = new_diary(member=who, path="/d/2019-02-03/")
    diary.save_entry("Varnish is out.")
    model.add_scripts(Script(status=500), Script(status=500))

    def late(route: Route) -> None:
        answer = route.fetch()
        diary.page.wait_for_timeout(1_500)
        route.fulfill(response=answer)

    diary.page.route("**/opening/", late)
    diary.open("/")
    expect(diary.page.locator("#opening > .reply[data-state=waiting]")).to_have_count(0, timeout=10_000)
    diary.page.wait_for_timeout(2_500)

    expect(diary.page.locator("#opening > .reply")).to_have_count(0)


@pytest.mark.slow
def test_an_opening_that_fails_leaves_the_page_as_it_was(
    new_diary: NewDiary, house: ServedHouse, model: FakeModelServer
) -> None:
    diary = open_day_after(new_diary, house, model, Script(tokens=OPENING.tokens, rate=4, drop_after=10))
    wait_for_words(diary.page.locator("#opening > .reply"))

    expect(diary.page.locator("#opening > .reply")).to_have_count(0)

    expect(diary.page.locator(".error:visible")).to_have_count(0)
    diary.save_entry("Written all the same.")


@pytest.mark.slow
def test_a_day_is_put_in_short_for_who_rests_on_it_with_the_keyboard(
    new_diary: NewDiary, house: ServedHouse, model: FakeModelServer
) -> None:
    who = house.new_member()
    new_diary(member=who, path="/d/2019-02-03/").save_entry("Varnish is out.")
    diary = new_diary(member=who, path="/d/2019-02-05/")
    calls = len(model.calls)
    day, recap = diary.page.locator('#calendar a[href="/d/2019-02-03/"]'), diary.page.locator("#recap")
    day.hover()
    diary.page.wait_for_timeout(900)
    assert len(model.calls) == calls
    model.add_scripts(Script(tokens=["The varnish ", "ran out."]))

    diary.page.locator('#calendar a[href="/d/2019-02-04/"]').focus()
    diary.page.keyboard.press("ArrowLeft")

    expect(day).to_be_focused()
    expect(recap).to_contain_text("The varnish ran out.")
    assert len(model.calls) == calls + 1


@pytest.mark.slow
def test_a_day_is_put_in_short_at_a_touch(
    new_diary: NewDiary, house: ServedHouse, model: FakeModelServer
) -> None:
    who = house.new_member()
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
    diary = new_diary(member=who, path="/d/2019-02-03/", **phone)
    diary.save_entry("Varnish is out.")
    diary.reload()
    page, act = diary.page, diary.button("Summarize this day")
    model.add_scripts(Script(status=500), Script(tokens=["The varnish ", "ran out."]))

    act.tap()
    expect(page.locator("#day-recap")).to_contain_text("No recap was written this time.")
    act.tap()

    expect(page.locator("#day-recap")).to_contain_text("The varnish ran out.")
    expect(act).to_be_focused()


def test_an_entry_is_answered_in_another_way_and_in_ones_own(diary: DiaryTab, model: FakeModelServer) -> None:
    page = diary.page
    entry = diary.save_entry("The weir again.")
    entry.get_by_text("More", exact=True).click()
    model.add_scripts(Script(tokens=["Which weir?"]))
    entry.get_by_role("button", name="Ask me a question").click()
    wait_for_end(entry.locator(".reply"))
    expect(entry.locator(".reply-who")).to_contain_text("asks")

    entry.get_by_text("More", exact=True).click()
    entry.get_by_role("link", name="Your own styles…").click()
    page.get_by_label("Name").fill("As a sailor")
    page.get_by_label("How the model should reply").fill("As a sailor would.")
    page.get_by_role("button", name="Save this style").click()
    model.add_scripts(Script(tokens=["Ahoy."]))
    page.get_by_role("button", name="Reply as").click()

    expect(entry.locator(".reply")).to_have_count(2)
    wait_for_end(entry.locator(".reply").last)
    expect(entry.locator(".reply").last).to_contain_text("As a sailor")


@pytest.mark.slow
def test_thinking_can_be_opened_while_it_lasts(diary: DiaryTab, model: FakeModelServer) -> None:
    entry = diary.save_entry("The weir again.")
    thoughts = [f"Hm {number}. " for number in range(80)]
    model.add_scripts(Script(thoughts=thoughts, tokens=["A walk."], rate=20))
    entry.get_by_role("button", name="Reply").click()
    thinking = entry.locator(".thinking")

    thinking.get_by_text("Thoughts", exact=True).click()

    expect(thinking.locator("[data-thoughts]")).to_contain_text("Hm 30.")
    wait_for_end(entry.locator(".reply"))
    expect(thinking).to_have_count(0)
    expect(entry.locator(".reply")).not_to_contain_text("Hm")
