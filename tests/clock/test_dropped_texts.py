"""Tests that texts of a token that can only send arrive after a year of locks, restarts and rotations."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection

from accounts.rotation import services as rotation_services
from accounts.rotation.epoch_change import begin_rotation
from accounts.sessions.registry import session_registry
from accounts.tokens.services import create_token
from diary.errors import InboxFull
from diary.inbox import boxes, services
from diary.inbox.boxes import store_box
from diary.inbox.inbox_text import InboxText
from diary.models import Entry, InboxBox, InboxItem
from llamora.clock import services as clock_services
from llamora.crypto import TokenKind, in_force
from llamora.ops.pruning import prune
from tests import tokens
from tests.clock.test_services import DAY, NOW, Clocks, clocks, olive
from tests.page import read
from tests.people import Resident, register_resident
from tests.tokens import use_token

__all__ = ["clocks", "olive"]

TEXTS = 100
YEAR = 366


@pytest.fixture(autouse=True)
def forget_tokens() -> Iterator[None]:
    with tokens.forgotten_afterwards():
        yield


@pytest.fixture
def anna(olive: Resident) -> Resident:
    """A person with a password in the household of the clock's tests, signed in."""
    del olive
    return register_resident("Anna", signed_in=True)


def make_drop(who: Resident) -> str:
    return create_token(who.open_keyring(), tokens.build_request(TokenKind.DROP))


def send(who: Resident, text: str, number: int) -> None:
    opened = use_token(text)
    assert opened.drop is not None
    store_box(
        owner_id=opened.owner,
        day=who.today,
        text=InboxText.create(f"Text {number}, öß."),
        sender_id=opened.id,
        key=opened.drop,
    )


def restart(clocks: Clocks, *, seconds: float) -> None:
    """Start the machine again, and forget what a process has in memory."""
    clocks.restart_machine(seconds)
    session_registry.clear()
    tokens.forget_process()
    clock_services.observe()


def read_inbox(who: Resident) -> list[str]:
    with in_force(who.open_keyring()):
        waiting = InboxItem.objects.filter(owner_id=who.id, deleted_at=None).order_by("created_at", "id")
        return [item.body["text"] for item in waiting]


def name_texts(numbers: range) -> list[str]:
    return [f"Text {number}, öß." for number in numbers]


def test_a_hundred_texts_of_a_locked_year_arrive_in_their_order(anna: Resident, clocks: Clocks) -> None:
    text = make_drop(anna)
    anna.post("/sign-out/")
    first_sent = NOW

    for number in range(TEXTS):
        clocks.wait(YEAR * DAY / TEXTS)
        if number % 7 == 0:
            restart(clocks, seconds=300)
            prune(now=clocks.wall)
        first_sent = clocks.wall if number == 0 else first_sent
        send(anna, text, number)

    assert InboxBox.objects.filter(owner_id=anna.id).count() == TEXTS
    with connection.cursor() as cursor:
        rows = repr(cursor.execute("SELECT * FROM diary_inboxbox").fetchall())
    assert "Text" not in rows
    assert not InboxItem.objects.exists()
    anna.sign_in()
    assert read_inbox(anna) == name_texts(range(TEXTS))
    assert not InboxBox.objects.exists()
    # The moment is that of the sending, not that of the unlock a year later.
    item = InboxItem.objects.earliest("id")
    anna.post(f"/inbox/{item.id}/accept/")
    entry = Entry.objects.get(id=item.id)
    assert abs(entry.created_at - first_sent) < timedelta(minutes=1)


def test_a_hundred_texts_arrive_through_three_key_changes(anna: Resident, clocks: Clocks) -> None:
    text = make_drop(anna)
    del clocks
    for number in range(TEXTS):
        if number and number % 25 == 0:
            # What was sent before waits, sealed to the pair of before.
            begun = begin_rotation(anna.open_slot(), current_cookie=anna.get_cookie())
            rotation_services.resume_rotation(begun.keyring)
        send(anna, text, number)
    assert anna.get_vault().epoch == 4

    anna.post("/sign-out/")
    anna.sign_in()

    assert read_inbox(anna) == name_texts(range(TEXTS))


def test_a_text_that_was_on_its_way_during_a_key_change_arrives(anna: Resident, clocks: Clocks) -> None:
    del clocks
    opened = use_token(make_drop(anna))
    assert opened.drop is not None
    begun = begin_rotation(anna.open_slot(), current_cookie=anna.get_cookie())
    rotation_services.resume_rotation(begun.keyring)

    store_box(
        owner_id=anna.id,
        day=anna.today,
        text=InboxText.create("Text 0, öß."),
        sender_id=opened.id,
        key=opened.drop,
    )
    anna.post("/sign-out/")
    anna.sign_in()

    assert read_inbox(anna) == name_texts(range(1))


def send_until_full(who: Resident, text: str, clocks: Clocks) -> int:
    """Send a text a day until one is refused, and return the number of those that were not."""
    for number in range(TEXTS):
        clocks.wait(DAY)
        try:
            send(who, text, number)
        except InboxFull:
            return number
    raise AssertionError("None was refused.")


@pytest.mark.parametrize("bounds", [{"MAX_ITEMS": 10}, {"MAX_CHARACTERS": 1200}], ids=["number", "size"])
def test_a_full_box_tells_the_program_and_loses_nothing(
    anna: Resident, clocks: Clocks, monkeypatch: pytest.MonkeyPatch, bounds: dict[str, int]
) -> None:
    text = make_drop(anna)
    anna.post("/sign-out/")
    for name, value in bounds.items():
        monkeypatch.setattr(boxes, name, value)
        monkeypatch.setattr(services, name, value)

    sent = send_until_full(anna, text, clocks)

    assert sent >= 5
    anna.sign_in()
    assert read_inbox(anna) == name_texts(range(sent))


def test_what_waits_for_room_is_said_and_comes_when_there_is_some(
    anna: Resident, clocks: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = make_drop(anna)
    monkeypatch.setattr(services, "MAX_ITEMS", 10)
    for number in range(12):
        clocks.wait(DAY)
        send(anna, text, number)

    anna.sign_in()

    assert read_inbox(anna) == name_texts(range(10))
    page = read(anna.get("/inbox/")).one("#main")
    assert "2 more texts arrived. They are shown as soon as you have accepted or deleted" in page.text
    for number, item in enumerate(list(InboxItem.objects.order_by("id")[:2])):
        anna.post(f"/inbox/{item.id}/accept/")
        page = read(anna.get("/inbox/")).one("#main")
        assert ("One more text arrived. It is shown" in page.text) == (number == 0)
    assert "more text" not in page.text
    assert read_inbox(anna) == name_texts(range(2, 12))
