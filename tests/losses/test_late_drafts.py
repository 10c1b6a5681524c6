"""Tests that drafts from locked pages survive a kill of the server, since they need nothing in its memory."""

from pathlib import Path

from tests.browser.served_household import run_household
from tests.browser_client import Visitor
from tests.page import read


def read_composer(browser: Visitor, day: str) -> str:
    return read(browser.get(f"/d/{day}/")).one("#write").text


def test_a_draft_from_a_locked_page_survives_two_kills(tmp_path: Path) -> None:
    day = "2024-05-03"
    with run_household(tmp_path) as house:
        browser = house.new_member("Anna")
        browser.post("/lock/")
        house.kill()
        house.start_again()
        browser.move_to(house.server)

        first = browser.save_draft("Typed after the first kill.", day=day)
        assert first.status == 200
        house.kill()
        house.start_again()
        browser.move_to(house.server)

        assert browser.unlock().status == 302
        assert read_composer(browser, day) == "Typed after the first kill."
