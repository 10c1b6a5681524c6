"""Screenshots of rare states: a queue, a failed reply, an unfinished rotation, refusals, errors.

LLAMORA_TEST_PICTURES=/tmp/pictures pytest tests/browser/test_screenshots_of_errors.py -m slow
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.fixture_classes import BrowserErrors, NewContext, NewDiary
from tests.browser.reply_actions import respond, wait_for_end, wait_for_words
from tests.browser.served_household import ServedHouse, run_household
from tests.browser.test_rotation import submit_password
from tests.browser.test_screenshots import WIDTHS
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, make_words

THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
DAY = "/d/2021-03-04/"
WORDS = "Up early, and to the office by water.\n\nHome late; *tired*, but content."


@pytest.fixture(scope="module")
def slow_model() -> Iterator[FakeModelServer]:
    """A model that writes one reply at a time."""
    with FakeModelServer(slots=1) as server:
        yield server


@pytest.fixture
def broken_house(tmp_path: Path, slow_model: FakeModelServer) -> Iterator[ServedHouse]:
    """A household with the slow model, for tests that break it."""
    slow_model.forget_scripts()
    with run_household(tmp_path, LLAMORA_MODEL_URL=slow_model.url) as own:
        yield own


@pytest.fixture
def shoot(tmp_path: Path) -> Callable[[Page, str], None]:
    """Take a picture of a page in every width and theme."""
    folder = Path(os.environ.get("LLAMORA_TEST_PICTURES", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)

    def take(page: Page, name: str) -> None:
        for width, height in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": height})
            for theme in THEMES:
                page.emulate_media(color_scheme=theme)
                page.screenshot(path=folder / f"{name}-{width}-{theme}.png")

    return take


@contextmanager
def without_entries(house: ServedHouse) -> Iterator[None]:
    """Rename the table of entries, so that queries fail."""
    house.execute("ALTER TABLE diary_entry RENAME TO away")
    yield
    house.execute("ALTER TABLE away RENAME TO diary_entry")


def damage_an_entry(house: ServedHouse) -> None:
    with closing(sqlite3.connect(house.database, timeout=10)) as connection, connection:
        row, sealed = connection.execute("SELECT id, text FROM diary_entry").fetchone()
        damaged = sealed[:-1] + bytes([sealed[-1] ^ 1])
        connection.execute("UPDATE diary_entry SET text = ? WHERE id = ?", (damaged, row))


def plain(new_context: NewContext, house: ServedHouse) -> Page:
    """A tab without script, on a day with one entry."""
    page = new_context(house.new_member(), house, java_script_enabled=False).new_page()
    page.goto(house.url(DAY))
    page.get_by_role("textbox", name="Write", exact=True).fill("Anna's own words.")
    page.locator("#composer").get_by_role("button", name="Save").click()
    return page


@pytest.mark.slow
def test_a_queue_and_a_reply_that_broke_off(
    broken_house: ServedHouse,
    slow_model: FakeModelServer,
    new_diary: NewDiary,
    browser_errors: BrowserErrors,
    shoot: Callable[[Page, str], None],
) -> None:
    browser_errors.expect("WebSocket", "ERR_")
    diary = new_diary(of=broken_house, path=DAY)
    first = respond(diary, slow_model, Script(tokens=make_words(600), rate=15), text=WORDS)
    wait_for_words(first)
    for place, text in (("You are next.", "And so to bed."), ("after one other", "Awake again.")):
        slow_model.add_scripts(Script(headers_after=60))
        diary.save_entry(text)
        diary.button("Reply").last.click()
        expect(diary.page.locator(".reply").last).to_contain_text(place)
    shoot(diary.page, "queue")

    diary.page.set_viewport_size({"width": 1280, "height": 900})
    broken_house.kill()
    broken_house.start_again()
    diary.reload()
    wait_for_end(diary.page.locator(".reply").first, "interrupted")
    shoot(diary.page, "interrupted")


@pytest.mark.slow
def test_a_key_half_rotated(
    broken_house: ServedHouse, new_diary: NewDiary, shoot: Callable[[Page, str], None]
) -> None:
    diary = new_diary(of=broken_house, path=DAY)
    diary.save_entry(WORDS)
    damage_an_entry(broken_house)

    diary.page.goto(broken_house.url("/settings/key/"))
    submit_password(diary.page, "Create a new key")

    expect(diary.page.get_by_text("1 item to go")).to_be_visible()
    shoot(diary.page, "key-half-turned")


@pytest.mark.slow
def test_refusals_and_faults(
    broken_house: ServedHouse,
    slow_model: FakeModelServer,
    new_context: NewContext,
    browser_errors: BrowserErrors,
    shoot: Callable[[Page, str], None],
) -> None:
    browser_errors.expect("429", "500")
    page = plain(new_context, broken_house)
    slow_model.add_scripts(*([Script(headers_after=60)] * 8))
    for _ in range(9):
        page.get_by_role("button", name="Reply", exact=True).click()
    expect(page.get_by_role("heading", name="No reply was started")).to_be_visible()
    shoot(page, "429")

    page.get_by_role("link", name="Continue", exact=True).click()
    page.get_by_role("textbox", name="Write", exact=True).fill(WORDS)
    with without_entries(broken_house):
        page.locator("#composer").get_by_role("button", name="Save").click()
        expect(page.get_by_label("What you typed", exact=True)).to_have_value(WORDS)
        shoot(page, "500-typed")
        page.goto(broken_house.url(DAY))
        shoot(page, "500")
    page.get_by_role("link", name="Try again", exact=True).click()
    expect(page.locator("article.entry")).to_have_count(1)
