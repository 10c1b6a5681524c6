"""Tests of check-ins in a browser: their settings, a start by hand, and their proposals by keyboard."""

import json

from playwright.sync_api import expect

from tests.browser.diary_page import wait_until
from tests.browser.fixture_classes import NewDiary
from tests.browser.test_accessibility import PageFindings
from tests.browser.test_unchecked_drafts import take_pictures
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script

TEXT = "You wrote on Monday that the beans would be ripe by now. Are they?"


def test_a_person_writes_requests_checks_in_and_deals_with_the_proposal(
    new_diary: NewDiary, model: FakeModelServer
) -> None:
    diary = new_diary()
    page = diary.page
    diary.save_entry("The beans would be ripe by the end of the week, and I promised some to Jane.")
    page.goto(diary.house.url("/check-ins/"))
    take_pictures(diary, "check-ins-empty")
    page.get_by_role("link", name="Write standing requests").click()
    page.locator("#main textarea").fill(
        "- [ ] Ask me about what should be ripe\n"
        "- [ ] Count my walks (when: 2001-01-01)\n"
        "- [x] Jane's letter\n"
    )
    page.get_by_role("button", name="Save").click()
    expect(page.locator("article.note")).to_contain_text("should be ripe")
    page.goto(diary.house.url("/check-ins/"))
    page.get_by_label("Make check-ins automatically").check()
    page.get_by_label("How often").select_option(label="every 4 hours")
    page.get_by_label("Until").fill("23:30")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Check-ins are made while your diary is unlocked")
    answer = {"nothing": False, "proposals": [{"request": 1, "text": TEXT, "quotes": ["ripe by the end"]}]}
    model.add_json_scripts(Script(tokens=[json.dumps(answer)]))

    page.get_by_role("button", name="Check in now").press("Enter")

    expect(page.get_by_role("status")).to_contain_text("A check-in is being made")
    # The proposal is there at a later look.
    wait_until(page, lambda: page.reload() is not None and page.locator(".check-in-proposal").count() == 1)
    findings = PageFindings()
    findings.check_page(page, "/check-ins/")
    take_pictures(diary, "check-ins")
    page.goto(diary.house.url("/"))
    proposal = page.get_by_role("article", name="Proposal 1")
    expect(proposal).to_contain_text(TEXT)
    expect(proposal).to_contain_text("ripe by the end")
    findings.check_page(page, "/")
    print(findings.problems())
    assert findings.problems() == {}
    take_pictures(diary, "check-ins-today")
    proposal.get_by_role("button", name="Request is done").press("Enter")
    expect(page.get_by_role("article", name="Proposal 1")).to_have_count(0)
    page.goto(diary.house.url("/check-ins/"))
    expect(page.locator(".check-in-requests .is-done")).to_have_count(2)
