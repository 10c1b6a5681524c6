"""Tests of facts in a browser: under an entry and on their pages, by keyboard, on a phone, without script."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.diary_page import DiaryTab
from tests.browser.fixture_classes import BrowserErrors, NewContext, NewDiary
from tests.browser.reply_actions import respond, wait_for_end
from tests.browser.served_household import ServedHouse
from tests.browser.test_accessibility import TOO_SMALL, list_axe_findings
from tests.browser_client import Visitor
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script

PHONE = {"viewport": {"width": 390, "height": 844}}
TEXT = "My dog Biggie ate a shoe.\n\nFrom today we live in Graz."
DOG = {"fact": "You have a dog called Biggie", "quote": "My dog Biggie", "kind": "belongings"}
GRAZ = {"fact": "You live in Graz", "quote": "From today we live in Graz", "kind": "places"}


def claim(*facts: dict[str, str]) -> Script:
    return Script(tokens=[json.dumps({"facts": facts})])


def add_facts(member: Visitor, *texts: str) -> list[str]:
    """Add facts, and return the addresses of their pages."""
    answers = [member.post("/facts/add/", text=text) for text in texts]
    assert [answer.status for answer in answers] == [302] * len(texts)
    return [answer.headers["location"] for answer in answers]


def import_memories(page: Page, house: ServedHouse, *texts: str) -> None:
    """Import memories, which wait as suggestions then."""
    page.goto(house.url("/facts/import/"))
    content = json.dumps([{"content": text, "original_message": f"Said: {text}."} for text in texts])
    file: Any = {"name": "memories.json", "mimeType": "application/json", "buffer": content.encode()}
    page.set_input_files("input[type=file]", file)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator(".notice")).to_contain_text("for you.")


def suggest(diary: DiaryTab, model: FakeModelServer, *facts: dict[str, str]) -> None:
    """Write an entry, and ask for the facts in it."""
    diary.save_entry(TEXT)
    model.add_json_scripts(claim(*facts))
    menu = diary.entries.first.get_by_text("More", exact=True)
    menu.focus()
    diary.page.keyboard.press("Enter")
    button = diary.entries.first.get_by_role("button", name="Suggest facts", exact=True)
    button.focus()
    diary.page.keyboard.press("Enter")
    expect(diary.page.locator(".fact-proposal")).to_have_count(len(facts))


def test_by_keys_facts_are_suggested_accepted_corrected_and_declined(
    new_diary: NewDiary, house: ServedHouse, model: FakeModelServer
) -> None:
    member = house.new_member()
    (bonn,) = add_facts(member, "You live in Bonn")
    diary = new_diary(member=member)
    page = diary.page
    suggest(diary, model, DOG, GRAZ)
    dog, graz = page.locator(".fact-proposal").all()
    expect(dog.locator(".fact-quote")).to_contain_text("My dog Biggie")
    expect(graz.get_by_role("link", name="You live in Bonn")).to_have_attribute("href", bonn)

    dog.get_by_text("Accept, corrected").press("Enter")
    sentence = dog.get_by_label("The sentence")
    sentence.fill("You have a big dog called Biggie")
    dog.get_by_role("button", name="Accept this sentence", exact=True).press("Enter")
    expect(page.locator(".fact-saved")).to_contain_text("You have a big dog called Biggie")
    expect(page.locator(".fact-saved")).to_be_focused()

    (graz,) = page.locator(".fact-proposal").all()
    graz.get_by_text("Other choices").press("Enter")
    graz.get_by_role("button", name="This changed", exact=True).press("Enter")
    expect(page.locator(".fact-proposal")).to_have_count(0)
    page.goto(house.url("/facts/"))
    expect(page.locator(".fact-row-text")).to_have_text(
        ["You live in Graz", "You have a big dog called Biggie"]
    )
    page.get_by_role("link", name="No longer so").click()
    expect(page.locator(".fact-row-text")).to_have_text(["You live in Bonn"])


def test_after_a_reply_facts_are_suggested_if_that_was_chosen(
    new_diary: NewDiary, house: ServedHouse, model: FakeModelServer
) -> None:
    member = house.new_member()
    member.post("/facts/settings/", proposes_after_reply="on")
    diary = new_diary(member=member)
    model.add_json_scripts(claim(DOG), claim(DOG))

    wait_for_end(respond(diary, model, Script(tokens=["Poor shoe."]), text=TEXT))

    expect(diary.page.locator(".fact-text")).to_have_text(DOG["fact"])


def test_an_entry_without_facts_says_so(
    new_diary: NewDiary, house: ServedHouse, model: FakeModelServer
) -> None:
    diary = new_diary(member=house.new_member())

    suggest(diary, model)

    expect(diary.page.locator(".fact-saved")).to_contain_text("No new facts were found in this entry.")


def test_words_are_found_while_typed_and_are_in_no_address(
    new_context: NewContext, house: ServedHouse
) -> None:
    member = house.new_member()
    add_facts(member, "You like green tea", "Anna likes cake")
    page = new_context(member, house, **PHONE).new_page()
    page.goto(house.url("/"))
    page.get_by_role("button", name="More", exact=True).press("Enter")
    page.get_by_role("link", name="Facts", exact=True).click()

    page.get_by_role("searchbox", name="Find a fact by its words").focus()
    page.keyboard.type("tea")

    expect(page.locator(".fact-row-text")).to_have_text(["You like green tea"])
    assert page.url == house.url("/facts/")


def test_without_script_one_adds_accepts_changes_undoes_and_forgets(
    new_context: NewContext, house: ServedHouse, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("409")
    page = new_context(house.new_member(), house, java_script_enabled=False).new_page()
    page.goto(house.url("/facts/"))
    page.get_by_role("main").get_by_role("link", name="Add a fact", exact=True).last.click()
    page.get_by_label("The sentence").fill("You live in Bonn")
    page.get_by_label("Kind").select_option("Places")
    page.get_by_role("button", name="Add", exact=True).click()
    import_memories(page, house, "You live in Graz", "Anna likes tea", "You like rain")
    page.get_by_role("link", name="Look at them", exact=True).click()

    first = page.locator(".fact-proposal").filter(has_text="You live in Graz")
    first.get_by_role("button", name="This changed", exact=True).click()
    page.locator(".fact-proposal").filter(has_text="Anna").get_by_role(
        "button", name="Accept", exact=True
    ).click()
    page.locator(".fact-proposal").get_by_role("button", name="Not this", exact=True).click()
    expect(page.locator(".empty")).to_have_text("No suggestions wait for you.")

    page.get_by_role("link", name=re.compile("^Facts 2")).click()
    page.get_by_role("link", name="You live in Graz").click()
    page.get_by_role("button", name="Undo “This changed”", exact=True).click()
    expect(page.get_by_role("main")).to_contain_text("Suggested, not accepted yet")
    page.get_by_text("Forget this fact", exact=True).click()
    page.get_by_role("button", name="Forget it", exact=True).click()
    expect(page.locator(".fact-row-text")).to_have_text(["You live in Bonn", "Anna likes tea"])


@pytest.mark.slow
def test_axe_finds_nothing_and_all_can_be_hit(new_context: NewContext, house: ServedHouse) -> None:
    member = house.new_member()
    page = new_context(member, house, **PHONE).new_page()
    page.goto(house.url("/facts/"))
    assert list_axe_findings(page) == []
    bonn, tea = add_facts(member, "You live in Bonn", "Anna likes " + "verylongtea" * 30)
    member.post(f"{tea}correct/", text="Anna likes tea")
    import_memories(page, house, "You live in Graz", "You like rain")
    shown = ("/facts/", "/facts/?state=proposed", bonn, tea, "/facts/add/")
    others = ("/facts/settings/", "/facts/export/", "/facts/import/", "/facts/going-through/", "/facts/mine/")
    for path in (*shown, *others):
        page.goto(house.url(path))
        page.evaluate("for (const each of document.querySelectorAll('main details')) each.open = true")
        assert list_axe_findings(page) == [], path
        assert page.evaluate(TOO_SMALL) == [], path
        page.emulate_media(color_scheme="dark")
        assert list_axe_findings(page, "color-contrast", "link-in-text-block") == [], path
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 320, "height": 640})
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
        page.set_viewport_size({"width": 390, "height": 844})
