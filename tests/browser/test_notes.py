"""Tests of notes in a browser: by keyboard, with drafts and conflicts, locked, without script, with axe."""

import re
import zipfile
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.browser.diary_page import DiaryTab
from tests.browser.fixture_classes import BrowserErrors, NewContext, NewDiary
from tests.browser.served_household import ServedHouse
from tests.browser.test_accessibility import PageFindings
from tests.browser.test_unchecked_drafts import take_pictures
from tests.diary.notes.workspaces import build_workspace, write_files

PERSONA = "Speak calmly. Ask at most one question."


def open_notes(diary: DiaryTab) -> Page:
    page = diary.page
    page.goto(diary.house.url("/notes/"))
    return page


def wait_for_draft(page: Page) -> None:
    expect(page.locator("[data-save-state]")).to_have_text(re.compile(r"^Draft saved \d\d:\d\d$"))


def test_a_persona_is_begun_with_the_example_edited_restored_and_deleted(
    new_diary: NewDiary, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("422")
    diary = new_diary()
    page, findings = diary.page, PageFindings()
    page.locator("h1").click()
    page.keyboard.press("m")
    expect(page.get_by_role("heading", name="Notes", exact=True)).to_be_visible()
    findings.check_page(page, "/notes/, empty")
    take_pictures(diary, "notes-empty")

    page.get_by_role("link", name=re.compile("^Begin with this example ?: Persona$")).click()
    box = page.get_by_label("Text")
    expect(box).to_have_value(re.compile("Speak calmly"))
    findings.check_page(page, "/notes/new/persona/")
    take_pictures(diary, "notes-new")
    expect(box).to_be_focused()
    page.get_by_role("button", name="Save", exact=True).click()
    note = page.locator("article.note")
    expect(note).to_contain_text("Call me Jo.")
    findings.check_page(page, "a note")
    take_pictures(diary, "notes-note")

    page.get_by_role("button", name="Edit").click()
    edit = page.get_by_label("Edit the note")
    expect(edit).to_be_focused()
    take_pictures(diary, "notes-edit")
    # As whoever drags its corner: htmx would copy the style to the form that comes, which the policy refuses.
    edit.evaluate("box => (box.style.height = '20rem')")
    edit.fill("x" * 4097)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("The persona can have 4,096 characters")
    edit.fill(PERSONA)
    page.keyboard.press("Control+Enter")
    expect(note).to_contain_text(PERSONA)
    page.get_by_role("link", name="Earlier versions").click()
    expect(page.get_by_role("heading", name="Earlier versions")).to_be_focused()
    findings.check_page(page, "versions")
    take_pictures(diary, "notes-versions")
    page.get_by_role("button", name="Restore this version").first.click()
    expect(note).to_contain_text("Call me Jo.")

    page.get_by_text("Delete", exact=True).click()
    take_pictures(diary, "notes-delete")
    page.get_by_role("button", name="Delete this note").click()
    expect(page.get_by_role("status")).to_have_text("The note was deleted.")
    assert findings.problems() == {}


def test_what_is_typed_in_two_windows_and_behind_a_lock_stays(
    new_diary: NewDiary, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("409")
    browser_errors.expect("401")
    diary = new_diary()
    page = open_notes(diary)
    page.get_by_role("link", name="Add a reference note").click()
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("garden/roses")
    page.get_by_label("Text").fill("Pruned in March")
    wait_for_draft(page)
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.get_by_label("Name")).to_have_value("garden/roses")
    with other.expect_response(lambda answer: answer.url.endswith("/draft/") and answer.ok):
        other.get_by_label("Text").fill("Something else")
    page.get_by_label("Text").fill("Pruned in March, twice")
    expect(page.get_by_text("This text was also being written in another window.")).to_be_visible()
    take_pictures(diary, "notes-conflict")
    page.get_by_role("button", name="Keep both").click()
    wait_for_draft(page)

    diary.house.delete_unlocks(diary.member)
    page.get_by_label("Text").press_sequentially("!")
    expect(diary.dialog).to_be_visible()
    assert "Pruned" not in diary.shown_words()
    diary.unlock()
    both = re.compile("Pruned in March, twice.*Something else.*!", re.DOTALL)
    expect(page.get_by_label("Text")).to_have_value(both)
    expect(page.get_by_label("Name")).to_have_value("garden/roses")
    wait_for_draft(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("article.note")).to_contain_text("Something else")
    assert "roses" not in page.url
    page.get_by_role("link", name="Notes", exact=True).last.click()
    expect(page.locator(".note-folder")).to_have_text("garden")
    findings = PageFindings()
    findings.check_page(page, "/notes/, with a folder")
    assert findings.problems() == {}


def test_what_is_typed_into_a_note_after_a_lock_outlives_its_tab(new_diary: NewDiary) -> None:
    diary = new_diary()
    page = open_notes(diary)
    page.get_by_role("link", name="Add a reference note").click()
    page.get_by_label("Name").fill("garden")
    page.get_by_label("Text").fill("Roses")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Edit").click()
    edit_url = page.url
    type_after_lock(diary, page.get_by_label("Edit the note"), "Roses and tulips")
    page = open_notes(diary)
    page.get_by_role("link", name="Add a reference note").click()
    page.get_by_label("Name").fill("kitchen")
    type_after_lock(diary, page.get_by_label("Text"), "Knives")

    page = open_notes(diary)
    page.get_by_role("link", name="garden").click()
    expect(page.get_by_text("unsaved changes")).to_be_visible()
    page.get_by_role("button", name="Edit").click()
    expect(page.get_by_label("Edit the note")).to_have_value("Roses and tulips")
    assert page.url == edit_url
    page.goto(diary.house.url("/notes/new/reference/"))
    expect(page.get_by_label("Name")).to_have_value("kitchen")
    expect(page.get_by_label("Text")).to_have_value("Knives")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("article.note")).to_contain_text("Knives")


def type_after_lock(diary: DiaryTab, box: Locator, text: str) -> None:
    """Lock the diary elsewhere, type, close the tab as soon as the page hides it, and unlock in another."""
    diary.house.delete_unlocks(diary.member)
    with diary.page.expect_response(lambda answer: answer.url.endswith("/draft/") and answer.ok):
        box.fill(text)
    expect(diary.dialog).to_be_visible()
    context = diary.page.context
    diary.page.close()
    diary.page = context.new_page()
    diary.page.goto(diary.house.url("/notes/"))
    diary.page.get_by_label("Password").fill(diary.member.password)
    diary.page.get_by_role("button", name="Unlock").click()
    expect(diary.page.get_by_role("heading", name="Notes", exact=True)).to_be_visible()


def test_a_folder_of_forty_files_goes_in_is_used_and_comes_out_equal(
    new_diary: NewDiary, tmp_path: Path
) -> None:
    diary = new_diary()
    files, findings, page = build_workspace(), PageFindings(), open_notes(diary)
    folder = write_files(tmp_path / "clawd", {**files, ".git/config": b"[core]"})
    page.get_by_role("link", name="Import a folder of notes").click()
    take_pictures(diary, "notes-import")
    findings.check_page(page, "/notes/import/")
    page.get_by_label("Folder", exact=True).set_input_files(folder)
    page.get_by_role("button", name="Show what is in it").click()
    expect(page.get_by_role("heading", name="New (40)")).to_be_visible()
    take_pictures(diary, "notes-preview")
    findings.check_page(page, "/notes/import/, a preview")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("40 notes imported.")
    take_pictures(diary, "notes-imported")
    page.goto(diary.house.url("/notes/"))
    take_pictures(diary, "notes-elsewhere")
    findings.check_page(page, "/notes/, with an import")
    page.get_by_role("link", name="letters").click()
    expect(page.get_by_role("button", name="Approve this text")).to_be_visible()
    take_pictures(diary, "notes-skill")
    findings.check_page(page, "a skill that waits")

    page.get_by_role("link", name="Notes", exact=True).last.click()
    page.get_by_role("link", name="clawd.zip", exact=True).click()
    expect(page.locator(".note-review")).to_have_count(40)
    take_pictures(diary, "notes-group")
    findings.check_page(page, "an import")
    page.get_by_label("password").fill(diary.member.password)
    page.get_by_role("button", name="These are mine").click()
    expect(page.get_by_role("status")).to_have_text("40 notes are yours now.")
    take_pictures(diary, "notes-group-own")
    diary.open()
    entry = diary.save_entry("Tea.")
    entry.get_by_text("More", exact=True).click()
    expect(entry.get_by_role("button", name="letters")).to_be_visible()
    take_pictures(diary, "notes-reply-menu")
    findings.check_page(page, "the menu of an entry with a skill")

    page.goto(diary.house.url("/export/"))
    page.get_by_label("password").fill(diary.member.password)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export my diary").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        names = [name for name in archive.namelist() if "workspace/" in name]
        exported = {name.partition("workspace/")[2]: archive.read(name) for name in names}
    assert exported == files
    assert findings.problems() == {}


def test_a_note_is_written_edited_renamed_and_deleted_without_script(
    new_context: NewContext, house: ServedHouse
) -> None:
    page = new_context(house.new_member(), house, java_script_enabled=False).new_page()
    page.goto(house.url("/notes/"))
    page.get_by_role("link", name="Add a reference note").click()
    page.get_by_label("Name").fill("boiler")
    page.get_by_label("Text").fill("1.5 bar")
    page.get_by_role("button", name="Save", exact=True).click()
    note = page.locator("article.note")
    expect(note).to_contain_text("1.5 bar")

    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Edit the note").fill("1.6 bar")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Rename or move").click()
    page.get_by_label("Path").fill("knowledge/house/boiler.md")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(note).to_contain_text("knowledge/house/boiler.md")
    page.get_by_role("link", name="Earlier versions").click()
    page.get_by_role("button", name="Restore this version").click()
    expect(note).to_contain_text("1.5 bar")
    page.get_by_text("Delete", exact=True).click()
    page.get_by_role("button", name="Delete this note").click()

    expect(page.get_by_role("heading", name="Notes", exact=True)).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("The note was deleted.")
