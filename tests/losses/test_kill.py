"""Tests of `kill -9` during saves: every confirmed save is there, once and exact."""

import random
import sqlite3
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.browser_client import Visitor
from tests.fakes.waiting import PATIENCE
from tests.losses.savers import Saver, run_savers
from tests.page import get_returned_text
from tests.server import Server, start

PEOPLE = ("Olive", "Humphrey")
TABS_EACH = 2


def open_tabs(people: Sequence[Visitor], round_number: int) -> list[Saver]:
    """Open two tabs for each person; each tab saves drafts on its own day."""
    first = round_number * TABS_EACH
    return [
        Saver(
            who.copy(),
            tab=f"20{(first + tab) // 300:02}-{(first + tab) // 25 % 12 + 1:02}-{(first + tab) % 25 + 1:02}",
        )
        for who in people
        for tab in range(TABS_EACH)
    ]


def kill_while_saving(server: Server, savers: Sequence[Saver]) -> None:
    with run_savers(savers):
        deadline = time.monotonic() + PATIENCE
        while sum(len(saver.confirmed) for saver in savers) < 4 and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(random.uniform(0.05, 0.6))
        server.kill()


def load_texts(who: Visitor, known: dict[str, str]) -> Counter[str]:
    """Return all texts of today; entries read in earlier rounds are cached."""
    shown = who.get(f"/d/{who.today}/").entry_ids
    for entry_id in shown:
        if entry_id not in known:
            known[entry_id] = who.get_text(entry_id)
    assert set(known) <= set(shown)
    return Counter(known[entry_id] for entry_id in shown)


def check_drafts(who: Visitor, saver: Saver) -> None:
    """Check that the last confirmed draft, or the draft in progress at the kill, is stored."""
    standing = get_returned_text(who.get(f"/d/{saver.tab}/"))
    assert standing in (saver.drafts[-1], saver.unanswered_draft)


def check_file(server: Server) -> None:
    with closing(sqlite3.connect(server.data_dir / "llamora.sqlite3")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def run_kills(folder: Path, settings: dict[str, str], *, rounds: int) -> int:
    """Kill the server this number of times; return the number of confirmed saves found."""
    server = start(folder, extra=settings)
    people = [Visitor.join(server, name) for name in PEOPLE]
    known: dict[str, dict[str, str]] = {who.name: {} for who in people}
    expected: dict[str, Counter[str]] = {who.name: Counter() for who in people}
    try:
        for number in range(rounds):
            savers = open_tabs(people, number)
            kill_while_saving(server, savers)
            server = start(folder, "--port", str(server.port), extra=settings)
            assert "may be missing" not in server.log()
            assert not (server.data_dir / "losses").exists()
            for who in people:
                who.move_to(server)
            for saver in savers:
                resend_unanswered(saver, expected[saver.who.name], server)
            for who in people:
                assert load_texts(who, known[who.name]) == expected[who.name]
        check_file(server)
    finally:
        server.kill()
    return sum(counter.total() for counter in expected.values())


def resend_unanswered(saver: Saver, expected: Counter[str], server: Server) -> None:
    """Repeat unconfirmed saves with the same key, as a page does after a restart."""
    who = saver.who
    who.move_to(server)
    assert not saver.refused
    check_drafts(who, saver)
    for save in (*saver.unanswered, *saver.confirmed[-2:]):
        for _ in range(2):
            assert who.save(save.text, key=save.key).status == 200
    expected.update(save.text for save in (*saver.confirmed, *saver.unanswered))


def test_what_was_confirmed_is_there_after_three_kills(
    tmp_path: Path, household_settings: dict[str, str]
) -> None:
    assert run_kills(tmp_path, household_settings, rounds=3) >= 3 * 4


@pytest.mark.slow
def test_what_was_confirmed_is_there_after_sixty_kills(
    tmp_path: Path, household_settings: dict[str, str]
) -> None:
    assert run_kills(tmp_path, household_settings, rounds=60) >= 60 * 4
