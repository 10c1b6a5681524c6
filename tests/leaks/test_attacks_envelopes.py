"""Attacks on envelopes, which are moved, swapped, cut or flipped: refused, without harm to other rows."""

import itertools
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from tests.browser_client import Visitor
from tests.leaks.household import AttackedHouse, get_reply
from tests.leaks.rows import change_rows, open_database, select_value, to_hex_id

DAMAGED = "be opened: its data was changed"
_days = (f"2025-{number // 28 + 1:02}-{number % 28 + 1:02}" for number in itertools.count())


@dataclass
class Day:
    """A day with two entries, a reply and a draft; one row is damaged by each test."""

    house: AttackedHouse
    who: Visitor
    day: str
    victim: str
    neighbour: str
    reply: str
    replaced: list[tuple[str, str, bytes]] = field(default_factory=list)

    @property
    def page(self) -> str:
        answer = self.who.get(f"/d/{self.day}/")
        assert answer.status == 200
        return answer.body

    def sealed(self, table: str, row: str) -> bytes:
        return bytes(select_value(self.house.server, f"SELECT text FROM {table} WHERE id=?", to_hex_id(row)))

    def put(self, table: str, row: str, envelope: bytes) -> None:
        """Put bytes in place of a row's envelope, until the end of the test."""
        self.replaced.append((table, row, self.sealed(table, row)))
        changed = change_rows(
            self.house.server, f"UPDATE {table} SET text=? WHERE id=?", envelope, to_hex_id(row)
        )
        assert changed == 1


@pytest.fixture
def day(house: AttackedHouse) -> Iterator[Day]:
    who, day = house.owner, next(_days)
    victim = who.write("The victim.", day=day)
    neighbour = who.write("The neighbour.", day=day)
    reply = get_reply(who, neighbour)
    who.save_draft("The draft.", day=day)
    made = Day(house, who, day, victim, neighbour, reply)
    yield made
    # The household goes on: too many rows that do not open would keep their owner out.
    for table, row, envelope in reversed(made.replaced):
        statement = f"UPDATE {table} SET text=? WHERE id=?"
        change_rows(house.server, statement, envelope, to_hex_id(row))


def take_from_neighbour(day: Day) -> bytes:
    return day.sealed("diary_entry", day.neighbour)


def take_from_housemate(day: Day) -> bytes:
    other = day.house.housemate.write("Of somebody else.", day=day.day)
    return day.sealed("diary_entry", other)


def take_from_another_day(day: Day) -> bytes:
    return day.sealed("diary_entry", day.who.write("Of another day.", day="2024-01-01"))


def take_from_reply(day: Day) -> bytes:
    return day.sealed("diary_reply", day.reply)


def take_from_draft(day: Day) -> bytes:
    found = select_value(
        day.house.server,
        "SELECT text FROM diary_draft WHERE day=? AND owner_id=?",
        day.day,
        to_hex_id(day.who.owner),
    )
    return bytes(found)


def take_own(day: Day) -> bytes:
    return day.sealed("diary_entry", day.victim)


FORGERIES: dict[str, Callable[[Day], bytes]] = {
    "of the entry beside it": take_from_neighbour,
    "of a housemate": take_from_housemate,
    "of another day": take_from_another_day,
    "of a reply": take_from_reply,
    "of a draft": take_from_draft,
    "a bit flipped": lambda day: take_own(day)[:-1] + bytes([take_own(day)[-1] ^ 1]),
    "the nonce changed": lambda day: take_own(day)[:5] + bytes(24) + take_own(day)[29:],
    "another format": lambda day: b"\x09" + take_own(day)[1:],
    "another epoch": lambda day: take_own(day)[:1] + (0).to_bytes(4, "big") + take_own(day)[5:],
    "cut short": lambda day: take_own(day)[:-20],
    "only its header": lambda day: take_own(day)[:29],
    "longer": lambda day: take_own(day) + b"\0",
    "empty": lambda day: b"",
    "words in clear": lambda day: b"Words that nobody sealed.",
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_entry_is_refused_and_hides_nothing_else(day: Day, forgery: str) -> None:
    day.put("diary_entry", day.victim, FORGERIES[forgery](day))

    page = day.page

    assert page.count(DAMAGED) == 1
    assert "The victim." not in page
    assert page.count("The neighbour.") == 1
    assert "The draft." in page
    assert f'id="reply-{day.reply}" data-reply data-state="done"' in page
    for alien in ("Of somebody else.", "Of another day.", "Words that nobody sealed."):
        assert alien not in page


@pytest.mark.parametrize("forgery", ["of the entry beside it", "of a housemate", "a bit flipped", "empty"])
def test_a_forged_reply_or_draft_is_refused_and_hides_nothing_else(day: Day, forgery: str) -> None:
    day.put("diary_reply", day.reply, FORGERIES[forgery](day))
    draft = select_value(
        day.house.server,
        "SELECT id FROM diary_draft WHERE day=? AND owner_id=?",
        day.day,
        to_hex_id(day.who.owner),
    )
    day.put("diary_draft", draft, FORGERIES[forgery](day))

    page = day.page

    assert page.count("The victim.") == page.count("The neighbour.") == 1
    assert "The draft." not in page
    # A job that has just ended is still in memory, whole; the row is read once that is let go.
    assert DAMAGED in page or 'data-state="done"' in page


WAYS = {
    "its fragment": lambda who, at: who.fetch(f"{at}/"),
    "its form": lambda who, at: who.fetch(f"{at}/edit/"),
    "its form without script": lambda who, at: who.get(f"{at}/edit/"),
    "edited": lambda who, at: who.post(f"{at}/edit/", script=True, text="Mended.", revision="1"),
    "edited on nothing": lambda who, at: who.post(f"{at}/edit/", text="Mended.", revision="9"),
    "answered": lambda who, at: who.post(f"{at}/respond/", script=True),
    "answered without script": lambda who, at: who.post(f"{at}/respond/"),
    "deleted": lambda who, at: who.post(f"{at}/delete/", script=True),
    "deleted and restored": lambda who, at: (
        who.post(f"{at}/delete/"),
        who.post(f"{at}/restore/", script=True),
    )[1],
}


@pytest.mark.parametrize("way", WAYS)
def test_a_forged_entry_is_never_a_fault_of_the_server(day: Day, way: str) -> None:
    day.put("diary_entry", day.victim, FORGERIES["a bit flipped"](day))
    forged = take_own(day)

    answer = WAYS[way](day.who, f"/entries/{day.victim}")

    assert answer.status < 500
    assert take_own(day) == forged
    assert "The neighbour." in day.page


def test_a_day_with_a_forged_entry_goes_on(day: Day) -> None:
    day.put("diary_entry", day.victim, FORGERIES["a bit flipped"](day))

    get_reply(day.who, day.neighbour)
    saved = day.who.save_draft("Typed beside it.", day=day.day, revision=1)
    kept = day.who.save("Kept beside it.", day=day.day)

    # Another draft stands there already; what matters is that neither is a fault.
    assert (saved.status, kept.status) == (409, 200)
    assert "Kept beside it." in day.page


def test_a_reply_can_be_removed_and_asked_for_again_where_it_was_forged(day: Day) -> None:
    day.put("diary_reply", day.reply, FORGERIES["a bit flipped"](day))

    again = day.who.post(f"/replies/{day.reply}/again/", script=True)
    removed = day.who.post(f"/replies/{day.reply}/delete/", script=True)

    assert (again.status, removed.status) == (200, 200)


@pytest.mark.parametrize("revision", [0, 1, 5])
def test_writing_goes_on_where_the_draft_was_forged(day: Day, revision: int) -> None:
    who, server = day.who, day.house.server
    draft = select_value(
        server, "SELECT id FROM diary_draft WHERE day=? AND owner_id=?", day.day, to_hex_id(who.owner)
    )
    day.put("diary_draft", draft, FORGERIES["of the entry beside it"](day))

    saved = who.save_draft("Typed on.", day=day.day, revision=revision)
    kept = who.post(f"/d/{day.day}/", script=True, text="Typed to the end.", revision=str(revision))

    assert saved.status in (200, 422)
    assert saved.status == 200 or "can't be opened" in saved.body
    assert kept.status == 200
    assert "Typed to the end." in day.page


def test_a_forged_late_draft_stops_nobody_from_unlocking(day: Day) -> None:
    # The housemate: so many of the owner's rows are forged by now that her key may be refused.
    who = day.house.housemate
    browser = who.another()
    assert browser.sign_in().status == 302
    browser.post("/lock/")
    assert browser.save_draft("Late.", day="2024-02-02").status == 200
    assert change_rows(
        day.house.server,
        "UPDATE diary_latedraft SET box=? WHERE owner_id=?",
        b"\1" * 200,
        to_hex_id(who.owner),
    )

    assert browser.unlock().status == 302
    assert "could not be checked" in browser.get("/d/2024-02-02/").body
    assert "This draft can't be opened." in browser.get("/drafts/").body


def test_the_fence_of_the_database_refuses_an_old_envelope_from_anybody(day: Day) -> None:
    """The other tests bypass the trigger on purpose."""
    envelope = FORGERIES["another epoch"](day)
    with pytest.raises(sqlite3.IntegrityError, match="fence"), open_database(day.house.server) as connection:
        connection.execute("UPDATE diary_entry SET text=? WHERE id=?", (envelope, to_hex_id(day.victim)))
