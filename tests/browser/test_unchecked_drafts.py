"""Tests of the page of drafts from locked pages that could not be verified."""

import json
import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from playwright.sync_api import expect

from llamora.crypto import Context, seal_to
from tests.browser.diary_page import DiaryTab
from tests.browser.fixture_classes import NewDiary
from tests.browser.test_accessibility import PageFindings

PLANTED = "sauerkirschen, though nobody here typed them"
DAY = "2024-05-03"


def plant(diary: DiaryTab, text: str, *, day: str = DAY) -> None:
    """Insert a row as somebody can who knows the public key; on another day it opens under no key."""
    owner, row = UUID(diary.member.owner), uuid4()
    with closing(sqlite3.connect(diary.house.database, timeout=10)) as connection:
        query = "SELECT public_key FROM accounts_vault WHERE owner_id = ?"
        (public,) = connection.execute(query, [owner.hex]).fetchone()
    bound = (("diary.late_draft.day", DAY.encode()),)
    context = Context(purpose="late_draft", label="diary.late_draft.box", row=row, owner=owner, bound=bound)
    box = seal_to(public, json.dumps({"text": text, "based_on": None}).encode(), context=context)
    diary.house.execute(
        "INSERT INTO diary_latedraft (id, owner_id, day, box, made_at, revision, follows, is_of_note) "
        "VALUES (?, ?, ?, ?, ?, 0, 0, 0)",
        *(row.hex, owner.hex, day, box, datetime.now(UTC).replace(tzinfo=None).isoformat(" ")),
    )


def take_pictures(diary: DiaryTab, name: str) -> None:
    """Take a picture in both themes and on a phone, if somebody wants to look at them."""
    folder = os.environ.get("LLAMORA_TEST_PICTURES")
    if folder:
        for theme in ("light", "dark"):
            for width in (1200, 390):
                diary.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
                diary.page.set_viewport_size({"width": width, "height": 900})
                diary.page.screenshot(path=Path(folder) / f"{name}-{theme}-{width}.png", full_page=True)
        diary.page.emulate_media(color_scheme="light")
        diary.page.set_viewport_size({"width": 1200, "height": 900})


def test_a_draft_that_nobody_can_check_is_shown_apart_and_deleted_by_its_owner(new_diary: NewDiary) -> None:
    diary = new_diary()
    plant(diary, f"{PLANTED}\n\nA second line, and a much longer one, {'so that it wraps ' * 12}.")
    plant(diary, PLANTED, day="2024-05-04")
    plant(diary, PLANTED, day="someday")

    diary.reload()
    expect(diary.box).to_have_value("")
    take_pictures(diary, "day")
    diary.page.get_by_role("link", name="Look at it").click()

    expect(diary.page.get_by_role("heading", name="Could not be checked")).to_be_visible()
    drafts = diary.page.get_by_role("article")
    expect(drafts).to_have_count(3)
    expect(drafts.nth(0)).to_contain_text(PLANTED)
    expect(drafts.nth(1)).to_contain_text("This draft can't be opened.")
    expect(drafts.nth(2)).to_contain_text("One draft can't be read at all")
    expect(diary.page.locator("#main textarea")).to_have_count(0)
    findings = PageFindings()
    findings.check_page(diary.page, "/drafts/")
    assert findings.problems() == {}
    take_pictures(diary, "drafts")
    for left in (2, 1, 0):
        drafts.first.get_by_text("Delete", exact=True).click()
        if left == 2:
            take_pictures(diary, "confirm")
        drafts.first.get_by_role("button", name="Delete for good").click()
        expect(drafts).to_have_count(left)
    expect(diary.page.get_by_text("There is nothing here.")).to_be_visible()
    take_pictures(diary, "empty")
    diary.open()
    expect(diary.page.get_by_role("link", name="Look at it")).to_have_count(0)
