"""Tests of a full or read-only disk: a sentence, nothing half written, and recovery afterwards."""

import resource
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from tests.browser_client import Visitor
from tests.fakes.waiting import PATIENCE
from tests.losses.savers import Saver, make_text, run_savers
from tests.page import get_returned_text
from tests.server import Server, run_server

MIB = 1024 * 1024
LONG = "The well is dry & the bucket < empty. " * 600


@contextmanager
def limit_file_size(server: Server, size: int) -> Iterator[None]:
    """Limit the size of the server's files, so that larger writes fail in the middle."""
    soft, hard = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (soft, hard))


def get_largest_file_size(server: Server) -> int:
    return max(path.stat().st_size for path in server.data_dir.glob("*.sqlite3*"))


def check_file(server: Server) -> None:
    with closing(sqlite3.connect(server.data_dir / "llamora.sqlite3")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def wait_for_refusals(savers: list[Saver]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not all(saver.refused for saver in savers):
        assert time.monotonic() < deadline, "the disk was never full"
        time.sleep(0.02)


def test_a_disk_that_runs_full_while_people_save_loses_nothing_that_was_confirmed(
    tmp_path: Path, household_settings: dict[str, str]
) -> None:
    with run_server(tmp_path, extra=household_settings) as server:
        people = [Visitor.join(server, name) for name in ("Olive", "Humphrey")]
        savers = [Saver(who.copy(), tab=f"2001-01-0{tab}") for who in people for tab in (1, 2)]

        # Not a whole number of pages, so that a write ends in the middle of one.
        with limit_file_size(server, get_largest_file_size(server) + 150_001), run_savers(savers) as stop:
            wait_for_refusals(savers)
            stop.set()

        for saver in savers:
            assert not saver.unanswered
            for save, answer in saver.refused:
                assert answer.status == 503
                assert "nothing was saved" in answer.body
                for _ in range(2):
                    assert saver.who.save(save.text, key=save.key).status == 200
        for who in people:
            mine = [saver for saver in savers if saver.who.name == who.name]
            saves = [s for saver in mine for s in (*saver.confirmed, *(save for save, _ in saver.refused))]
            assert sorted(who.list_texts()) == sorted(save.text for save in saves)
        check_file(server)


@pytest.fixture
def closed_household(tmp_path: Path, household_settings: dict[str, str]) -> Visitor:
    """A person with an entry and a draft, in a stopped household."""
    with run_server(tmp_path, extra=household_settings) as server:
        olive = Visitor.join(server, "Olive")
        olive.write("Before")
        olive.save_draft("Begun", day="2001-01-01")
    return olive


def start_without_space(settings: dict[str, str], pragmas: str) -> dict[str, str]:
    return settings | {"DJANGO_SETTINGS_MODULE": "tests.losses.settings", "LLAMORA_TEST_PRAGMAS": pragmas}


@pytest.mark.parametrize(
    ("pragmas", "sentence"),
    [
        # The least there can be: SQLite then takes the pages there are as its limit.
        ("PRAGMA max_page_count=1", "The disk is full, so nothing was saved."),
        ("PRAGMA query_only=ON", "The data folder is read-only, so nothing was saved."),
    ],
)
def test_a_database_that_takes_nothing_says_so_and_takes_it_later(
    tmp_path: Path, household_settings: dict[str, str], closed_household: Visitor, pragmas: str, sentence: str
) -> None:
    key, olive = str(uuid4()), closed_household
    with run_server(tmp_path, extra=start_without_space(household_settings, pragmas)) as server:
        olive.move_to(server)

        by_script = olive.save(LONG, key=key)
        by_form = olive.post(f"/d/{olive.today}/", text=LONG, key=key, revision="0")
        draft = olive.save_draft("Begun" + LONG, day="2001-01-01")
        shown = olive.get("/")

        assert (by_script.status, by_form.status, draft.status) == (503, 503, 503)
        assert sentence in by_script.body
        assert sentence in by_form.body
        assert get_returned_text(by_form) == LONG
        assert sentence in draft.body
        assert "Before" in shown.body
        assert olive.list_texts() == ["Before"]
        assert get_returned_text(olive.get("/d/2001-01-01/")) == "Begun"

    with run_server(tmp_path, extra=household_settings) as server:
        olive.move_to(server)
        for _ in range(2):
            assert olive.save(LONG, key=key).status == 200
        assert olive.list_texts() == ["Before", LONG]
        check_file(server)


@pytest.mark.parametrize("path", ["/lock/", pytest.param("/sign-out/", marks=pytest.mark.slow)])
def test_a_key_is_taken_away_although_the_disk_takes_nothing(
    tmp_path: Path, household_settings: dict[str, str], closed_household: Visitor, path: str
) -> None:
    replayed = closed_household.copy()
    starving = start_without_space(household_settings, "PRAGMA query_only=ON")
    with run_server(tmp_path, extra=starving) as server:
        closed_household.move_to(server)
        replayed.move_to(server)
        assert "Before" in closed_household.get("/").body

        told = closed_household.post(path)

        assert told.status in (200, 302)
        assert "be written to now" in (told.body + closed_household.get("/unlock/").body)
        assert "Before" not in replayed.get("/").body
    with run_server(tmp_path, extra=starving) as server:
        replayed.move_to(server)
        assert "Before" not in replayed.get("/").body
    with run_server(tmp_path, extra=household_settings) as server:
        closed_household.move_to(server)
        replayed.move_to(server)
        assert "Before" not in replayed.get("/").body
        assert closed_household.sign_in().status in (204, 302)
        assert closed_household.list_texts() == ["Before"]


def test_signing_in_without_room_is_a_sentence(
    tmp_path: Path, household_settings: dict[str, str], closed_household: Visitor
) -> None:
    with run_server(
        tmp_path, extra=start_without_space(household_settings, "PRAGMA query_only=ON")
    ) as server:
        browser = closed_household.another()
        browser.move_to(server)

        signed_in, joined = browser.sign_in(), browser.post("/register/", **registration())

        assert (signed_in.status, joined.status) == (503, 503)
        assert "data folder is read-only" in signed_in.body
        assert "Traceback" not in server.log()


def registration() -> dict[str, str]:
    word = make_text("2001-01-01", 1)[:30]
    return {"name": "Tom", "password": word, "password_again": word, "time_zone": "UTC"}
