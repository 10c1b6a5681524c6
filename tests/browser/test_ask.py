"""Tests of Ask in a browser: by keyboard, during streaming, with axe, in both themes and on a phone."""

from pathlib import Path
from threading import Event
from urllib.parse import urljoin

from playwright.sync_api import expect

from tests.browser.diary_page import DiaryTab
from tests.browser.fixture_classes import NewContext, NewDiary
from tests.browser.served_household import run_household
from tests.browser.test_accessibility import PageFindings
from tests.browser.test_unchecked_drafts import take_pictures
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script

QUESTION = "Where did I meet Anna?"


def test_a_question_is_asked_answered_renamed_and_deleted(
    new_diary: NewDiary, model: FakeModelServer
) -> None:
    diary = new_diary()
    page, findings = diary.page, PageFindings()
    diary.save_entry("Met Anna at the weir, where the heron stands. She wore the green coat again.")
    diary.save_entry("Met Anna by the old mill.\n\n" + "It rained all afternoon and nobody came. " * 20)
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("q")
    expect(page.get_by_role("heading", name="Ask", exact=True)).to_be_visible()
    expect(page.locator("#ask-text")).to_be_focused()
    findings.check_page(page, "/ask/, empty")
    take_pictures(diary, "ask-empty")

    go_on = Event()
    model.add_scripts(
        Script(tokens=["You met Anna ", "at the weir [1]", ", and by the old mill [2]."], rest_when=go_on)
    )
    page.keyboard.type(QUESTION)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".question-text")).to_have_text(QUESTION)
    answer = page.locator(".reply")
    expect(answer).to_contain_text("You met Anna")
    expect(answer.get_by_role("button", name="Stop")).to_be_visible()
    take_pictures(diary, "ask-writing")
    go_on.set()
    expect(answer).to_contain_text("by the old mill [2].")
    expect(page.locator("#live-region")).to_have_text("Llamora has replied.")
    findings.check_page(page, "a conversation")
    take_pictures(diary, "ask-answered")
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.set_viewport_size({"width": 1200, "height": 900})

    answer.get_by_role("link", name="1", exact=True).click()
    expect(page.locator(".answer-sources li").first).to_be_in_viewport()
    page.locator(".answer-sources a").first.click()
    expect(page.locator("mark.found").first).to_be_in_viewport()
    assert "Anna" not in page.url
    take_pictures(diary, "ask-source")

    page.goto(page.url.partition("/d/")[0] + "/ask/")
    expect(page.locator(".conversations a")).to_have_text([QUESTION])
    findings.check_page(page, "/ask/")
    take_pictures(diary, "ask-list")
    page.locator(".conversations a").click()
    page.get_by_text("Rename", exact=True).click()
    page.get_by_label("Name").fill("About Anna")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="About Anna")).to_be_visible()
    page.get_by_text("Delete conversation", exact=True).first.click()
    take_pictures(diary, "ask-delete")
    page.get_by_role("button", name="Delete conversation").click()
    expect(page.locator(".empty")).to_be_visible()
    assert findings.problems() == {}


def test_the_other_ends_of_a_question_are_said_and_look_right(
    new_diary: NewDiary, model: FakeModelServer
) -> None:
    diary = new_diary()
    page, findings = diary.page, PageFindings()
    diary.save_entry("Met Anna at the weir, where the heron stands. She wore the green coat again.")
    model.add_scripts(Script(tokens=["At the weir."]), Script(status=500, error="broken"))
    ends = (
        ("When did Gwendolyn fly to New York?", "Nothing in your diary answers this."),
        (QUESTION, "The model named no source for what it wrote"),
        ("What did Anna wear at the weir?", "The model server"),
    )
    for number, (question, end) in enumerate(ends):
        page.goto(urljoin(page.url, "/ask/"))
        page.locator("#ask-text").fill(question)
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(page.locator(".reply")).to_contain_text(end)
        findings.check_page(page, question)
        take_pictures(diary, f"ask-end-{number}")
    assert findings.problems() == {}


BOAT = "The boat is called Dipper, and Gundersen sold it in Bergen."


def test_without_script_and_model_one_asks_reads_renames_and_deletes(
    tmp_path: Path, new_context: NewContext
) -> None:
    with run_household(tmp_path) as house:
        member = house.new_member()
        member.write("Gundersen came by and told of the boat.", day="2024-05-03")
        note = "\n\n".join([*["Another paragraph, about the garden and its roses."] * 60, BOAT])
        member.post("/notes/new/reference/", text=note, note_name="boats", revision=0)
        page = new_context(member, house, java_script_enabled=False).new_page()
        diary = DiaryTab(page=page, house=house, member=member)
        page.goto(house.url("/ask/"))
        expect(page.get_by_text("No model is set up, so the answer is the passages")).to_be_visible()
        take_pictures(diary, "ask-alone-empty")

        page.get_by_label("Ask your diary").fill("Who is Zebulon?")
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(page.locator(".reply")).to_contain_text("Nothing in your diary answers this.")
        take_pictures(diary, "ask-alone-nothing")
        page.get_by_label("Ask more about it").fill("When did Gundersen come and tell of the boats?")
        page.get_by_role("button", name="Ask", exact=True).click()
        answer = page.locator(".reply").last
        expect(answer).to_contain_text("Gundersen came by and told of the boat.")
        take_pictures(diary, "ask-alone-passages")

        answer.get_by_role("link", name="knowledge/boats.md").click()
        expect(page.locator("mark#passage")).to_be_in_viewport()
        expect(page.get_by_text("Gundersen sold it in Bergen")).to_be_in_viewport()
        assert "Gundersen" not in page.url
        take_pictures(diary, "ask-alone-note")
        page.go_back()
        page.locator(".reply").last.get_by_role("link", name="3 May 2024").click()
        expect(page.get_by_text("Gundersen came by")).to_be_visible()

        page.goto(house.url("/ask/"))
        expect(page.locator(".conversations a")).to_have_text(["Who is Zebulon?"])
        take_pictures(diary, "ask-alone-list")
        page.locator(".conversations a").click()
        page.get_by_text("Rename", exact=True).click()
        page.get_by_label("Name").fill("About the boat")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", name="About the boat")).to_be_visible()
        page.get_by_text("Delete conversation", exact=True).first.click()
        page.get_by_role("button", name="Delete conversation").click()
        expect(page.locator(".empty")).to_be_visible()
