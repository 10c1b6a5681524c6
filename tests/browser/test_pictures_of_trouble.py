"""What nobody meets on a good day, as pictures: a queue, a broken reply, a half-turned key, refusals, faults.

LLAMORA_TEST_PICTURES=/tmp/pictures pytest tests/browser/test_pictures_of_trouble.py -m slow
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.browsing import Complaints, NewContext, NewDiary
from tests.browser.house import ServedHouse, household
from tests.browser.replying import respond, wait_for_end, wait_for_words
from tests.browser.test_pictures import WIDTHS
from tests.browser.test_rotation import prove
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, words

THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
DAY = "/d/2021-03-04/"
WORDS = "Up early, and to the office by water.\n\nHome late; *tired*, but content."


@pytest.fixture(scope="module")
def slow_model() -> Iterator[FakeModelServer]:
    """A model that writes one reply at a time."""
    with FakeModelServer(slots=1) as server:
        yield server


@pytest.fixture
def troubled(tmp_path: Path, slow_model: FakeModelServer) -> Iterator[ServedHouse]:
    """A household to be broken, with that model."""
    slow_model.forget_scripts()
    with household(tmp_path, LLAMORA_MODEL_URL=slow_model.url) as own:
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
    """A database that has lost a table."""
    house.execute("ALTER TABLE diary_entry RENAME TO away")
    yield
    house.execute("ALTER TABLE away RENAME TO diary_entry")


def damage_an_entry(house: ServedHouse) -> None:
    with closing(sqlite3.connect(house.database, timeout=10)) as connection, connection:
        row, sealed = connection.execute("SELECT id, text FROM diary_entry").fetchone()
        damaged = sealed[:-1] + bytes([sealed[-1] ^ 1])
        connection.execute("UPDATE diary_entry SET text = ? WHERE id = ?", (damaged, row))


def plain(new_context: NewContext, house: ServedHouse) -> Page:
    """A tab without script, at a day with one entry."""
    page = new_context(house.new_member(), house, java_script_enabled=False).new_page()
    page.goto(house.url(DAY))
    page.get_by_role("textbox", name="Write", exact=True).fill("Anna's own words.")
    page.locator("#composer").get_by_role("button", name="Save").click()
    return page


@pytest.mark.slow
def test_a_queue_and_a_reply_that_broke_off(
    troubled: ServedHouse,
    slow_model: FakeModelServer,
    new_diary: NewDiary,
    complaints: Complaints,
    shoot: Callable[[Page, str], None],
) -> None:
    complaints.expect("WebSocket", "ERR_")
    diary = new_diary(of=troubled, path=DAY)
    first = respond(diary, slow_model, Script(tokens=words(600), rate=15), text=WORDS)
    wait_for_words(first)
    for place, text in (("You are next.", "And so to bed."), ("after one other", "Awake again.")):
        slow_model.next(Script(headers_after=60))
        diary.keep(text)
        diary.button("Reply").last.click()
        expect(diary.page.locator(".reply").last).to_contain_text(place)
    shoot(diary.page, "queue")

    diary.page.set_viewport_size({"width": 1280, "height": 900})
    troubled.kill()
    troubled.start_again()
    diary.reload()
    wait_for_end(diary.page.locator(".reply").first, "interrupted")
    shoot(diary.page, "interrupted")


@pytest.mark.slow
def test_a_key_half_rotated(
    troubled: ServedHouse, new_diary: NewDiary, shoot: Callable[[Page, str], None]
) -> None:
    diary = new_diary(of=troubled, path=DAY)
    diary.keep(WORDS)
    damage_an_entry(troubled)

    diary.page.goto(troubled.url("/settings/key/"))
    prove(diary.page, "Create a new key")

    expect(diary.page.get_by_text("1 row to go")).to_be_visible()
    shoot(diary.page, "key-half-turned")


@pytest.mark.slow
def test_refusals_and_faults(
    troubled: ServedHouse,
    slow_model: FakeModelServer,
    new_context: NewContext,
    complaints: Complaints,
    shoot: Callable[[Page, str], None],
) -> None:
    complaints.expect("429", "500")
    page = plain(new_context, troubled)
    slow_model.next(*([Script(headers_after=60)] * 8))
    for _ in range(9):
        page.get_by_role("button", name="Reply", exact=True).click()
    expect(page.get_by_role("heading", name="No reply was started")).to_be_visible()
    shoot(page, "429")

    page.get_by_role("link", name="Continue", exact=True).click()
    page.get_by_role("textbox", name="Write", exact=True).fill(WORDS)
    with without_entries(troubled):
        page.locator("#composer").get_by_role("button", name="Save").click()
        expect(page.get_by_label("What you typed", exact=True)).to_have_value(WORDS)
        shoot(page, "500-typed")
        page.goto(troubled.url(DAY))
        shoot(page, "500")
    page.get_by_role("link", name="Try again", exact=True).click()
    expect(page.locator("article.entry")).to_have_count(1)
