"""The browser's own memory: after signing out or locking, going back shows nothing of the diary."""

import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright, expect

from tests.browser.browsing import Complaints
from tests.browser.conftest import ARGUMENTS
from tests.browser.diary import DiaryTab, come_in
from tests.browser.house import ServedHouse

WORDS = "the old pear tree"


@pytest.fixture(scope="module")
def remembering(playwright: Playwright) -> Iterator[Browser]:
    """A browser that keeps pages in memory to go back to, which Playwright switches off."""
    browser = playwright.chromium.launch(
        executable_path=shutil.which("chromium"),
        args=list(ARGUMENTS),
        ignore_default_args=["--disable-back-forward-cache"],
    )
    yield browser
    browser.close()


@pytest.mark.parametrize(("button", "path"), [("Lock", "/unlock/"), ("Sign out", "/sign-in/")])
def test_going_back_shows_nothing(
    remembering: Browser, house: ServedHouse, complaints: Complaints, button: str, path: str
) -> None:
    member = house.new_member()
    context = remembering.new_context(reduced_motion="reduce")
    complaints.listen(context)
    come_in(context, house, member)
    diary = DiaryTab(context.new_page(), house, member).open()
    diary.keep(WORDS)
    diary.page.goto(house.url("/settings/"))
    diary.open()
    expect(diary.entries).to_contain_text(WORDS)

    diary.button(button).click()
    diary.page.wait_for_url(f"**{path}*")
    for _ in range(2):
        diary.page.go_back()
        expect(diary.page).to_have_url(re.compile(path))
        assert WORDS not in diary.shown_words()

    context.close()
