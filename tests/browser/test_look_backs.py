"""Tests of look-backs in a browser: by keyboard, streamed, with axe, in both themes and on a phone."""

from threading import Event

from playwright.sync_api import expect

from tests.browser.fixture_classes import NewDiary
from tests.browser.test_accessibility import PageFindings
from tests.browser.test_unchecked_drafts import take_pictures
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script


def test_a_look_back_is_written_on_request_and_deleted(new_diary: NewDiary, model: FakeModelServer) -> None:
    diary = new_diary()
    page, findings = diary.page, PageFindings()
    diary.save_entry("Began the boat with Anna.")
    page.goto(page.evaluate("location.origin") + "/look-back/")
    findings.check_page(page, "/look-back/, empty")
    take_pictures(diary, "look-backs-empty")
    page.get_by_role("link", name="This month").click()
    expect(page.get_by_role("button", name="Look back on this month")).to_be_visible()
    findings.check_page(page, "a month without a look-back")
    take_pictures(diary, "look-back-before")
    go_on = Event()
    model.add_scripts(Script(tokens=["You began ", "a boat with Anna [1].", " [7]"], rest_when=go_on))

    page.get_by_role("button", name="Look back on this month").focus()
    page.keyboard.press("Enter")
    section = page.locator(".reply")
    expect(section).to_contain_text("You began")
    expect(section.get_by_role("button", name="Stop")).to_be_visible()
    take_pictures(diary, "look-back-writing")
    go_on.set()
    expect(section).to_contain_text("a boat with Anna [1].")
    expect(section.locator(".answer-sources li")).to_have_count(1)
    expect(page.locator("#live-region")).to_have_text("Llamora has replied.")
    page.reload()
    expect(page.get_by_role("button", name="Write it again")).to_be_visible()
    findings.check_page(page, "a look-back")
    take_pictures(diary, "look-back-written")
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.set_viewport_size({"width": 1200, "height": 900})
    section.get_by_role("link", name="1", exact=True).click()
    section.locator(".answer-sources a").click()
    expect(page.locator(".entry")).to_contain_text("Began the boat with Anna.")

    page.go_back()
    page.get_by_text("Delete look-back", exact=True).first.click()
    take_pictures(diary, "look-back-delete")
    page.get_by_role("button", name="Delete look-back").click()
    expect(page.get_by_role("button", name="Look back on this month")).to_be_visible()
    assert findings.problems() == {}
