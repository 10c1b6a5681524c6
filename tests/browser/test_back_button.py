"""Tests of the back button after signing out or locking: no diary text appears."""

import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright, expect

from tests.browser.conftest import ARGUMENTS
from tests.browser.diary_page import DiaryTab, set_session_cookie
from tests.browser.fixture_classes import BrowserErrors
from tests.browser.served_household import ServedHouse

WORDS = "the old pear tree"


@pytest.fixture(scope="module")
def remembering(playwright: Playwright) -> Iterator[Browser]:
    """A browser with the back/forward cache, which Playwright disables by default."""
    browser = playwright.chromium.launch(
        executable_path=shutil.which("chromium"),
        args=list(ARGUMENTS),
        ignore_default_args=["--disable-back-forward-cache"],
    )
    yield browser
    browser.close()


@pytest.mark.parametrize(
    ("button", "path"), [("Lock", "/unlock/"), pytest.param("Sign out", "/sign-in/", marks=pytest.mark.slow)]
)
def test_going_back_shows_nothing(
    remembering: Browser, house: ServedHouse, browser_errors: BrowserErrors, button: str, path: str
) -> None:
    member = house.new_member()
    context = remembering.new_context(reduced_motion="reduce")
    browser_errors.listen(context)
    set_session_cookie(context, house, member)
    diary = DiaryTab(context.new_page(), house, member).open()
    diary.save_entry(WORDS)
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
