"""Tests of the Inbox and of "This is mine" in a browser: with axe, by keyboard, and their undo."""

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from tests.browser.diary_page import DiaryTab, choose_in_menu
from tests.browser.fixture_classes import NewDiary
from tests.browser.test_accessibility import PageFindings
from tests.browser.test_unchecked_drafts import take_pictures
from tests.server import run_command

DAY = "2024-05-03"
LONG = "A second line, and a much longer one, " + "so that it wraps " * 12


def import_rows(diary: DiaryTab, folder: Path, **rows: Any) -> None:
    """Import an export with these rows into the diary, as whoever runs the server does."""
    folder.mkdir()
    (folder / "password").write_text(diary.member.password)
    export = {"format": "llamora.diary", "version": 1, "entries": rows.pop("entries", []), "others": rows}
    (folder / "Day One.json").write_text(json.dumps(export))
    done = run_command(
        diary.house.folder,
        *("import_diary", str(folder / "Day One.json"), "--user", diary.member.name),
        *("--password-file", str(folder / "password")),
        extra=diary.house.extra,
    )
    assert done.returncode == 0, done.stderr


def build_item(number: int, text: str) -> dict[str, Any]:
    return {
        "id": f"01930000-0000-7000-8000-{number:012}",
        "day": DAY,
        "body": {"text": text, "from": "Kitchen tablet"},
    }


def test_what_waits_is_read_accepted_and_deleted(new_diary: NewDiary, tmp_path: Path) -> None:
    diary = new_diary()
    items = [build_item(number, f"Text {number}.\n\n{LONG}") for number in range(1, 4)]
    entry = {"day": DAY, "text": "Imported from elsewhere.", "created_at": "2024-05-03T07:30:00+00:00"}
    import_rows(diary, tmp_path / "import", entries=[entry], inbox_items=items)
    page, findings = diary.page, PageFindings()

    diary.reload()
    page.set_viewport_size({"width": 390, "height": 844})
    more = page.get_by_role("button", name="More 3 waiting in the Inbox", exact=True)
    expect(more.locator(".nav-count")).to_be_in_viewport(ratio=1)
    findings.check_page(page, "a day on a phone")
    take_pictures(diary, "waiting")
    page.set_viewport_size({"width": 390, "height": 844})
    more.click()
    page.get_by_role("link", name="Inbox 3 waiting").click()
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    page.set_viewport_size({"width": 1200, "height": 900})
    expect(page.locator(".nav-more")).to_be_hidden()
    page.go_back()
    page.locator("body").press("i")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    articles = page.get_by_role("article")
    expect(articles).to_have_count(3)
    findings.check_page(page, "/inbox/")
    take_pictures(diary, "inbox")

    articles.first.get_by_role("button", name="Delete").press("Enter")
    expect(articles).to_have_count(2)
    take_pictures(diary, "inbox-undo")
    page.get_by_role("button", name="Undo").click()
    expect(articles).to_have_count(3)
    articles.first.get_by_role("button", name="Accept").press("Enter")
    expect(page.get_by_text("The text is an entry of")).to_be_visible()
    findings.check_page(page, "accepted")
    page.get_by_text("Accept all on this page").click()
    take_pictures(diary, "inbox-all")
    page.get_by_role("button", name="Accept 2 texts").click()
    expect(page.get_by_text("2 texts are entries of their days now.")).to_be_visible()
    expect(page.get_by_text("The Inbox is empty.")).to_be_visible()
    expect(page.locator(".rail a[href='/inbox/']")).to_have_count(0)
    take_pictures(diary, "inbox-empty")

    diary.open(f"/d/{DAY}/")
    entry_shown = diary.entry("Imported from elsewhere.")
    expect(entry_shown.locator(".origin")).to_have_text("imported from Day One.json")
    findings.check_page(page, "day")
    entry_shown.locator("summary", has_text="More").click()
    expect(entry_shown.get_by_role("button", name="This is mine")).to_be_visible()
    take_pictures(diary, "day")
    entry_shown.get_by_role("button", name="This is mine").click()
    expect(entry_shown.locator(".origin")).to_have_count(0)
    choose_in_menu(diary.entry("Imported from elsewhere."), "Undo “This is mine”")
    expect(entry_shown.locator(".origin")).to_have_count(1)

    page.goto(diary.house.url("/imports/"))
    findings.check_page(page, "/imports/")
    take_pictures(diary, "imports")
    page.get_by_role("link", name="Day One.json").click()
    findings.check_page(page, "import")
    take_pictures(diary, "import")
    page.get_by_label("Password").fill(diary.member.password)
    page.get_by_role("button", name="This is mine").click()
    expect(page.get_by_text("4 entries, all yours.")).to_be_visible()
    take_pictures(diary, "imports-claimed")
    page.get_by_role("button", name="Undo “This is mine”").click()
    expect(page.get_by_text("4 entries, none marked as yours.")).to_be_visible()
    assert findings.problems() == {}
