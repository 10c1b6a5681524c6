"""Tests of texts that arrive while a diary is locked: each is added once, and none from an unknown sender."""

import sqlite3
from typing import Any

import pytest
from django.db import connection

from accounts.keys.browser_keys import add_merged_id
from accounts.models import Vault
from diary.errors import InboxFull, ObjectNotFound
from diary.inbox import boxes, services
from diary.inbox.boxes import list_closed_boxes, open_boxes
from diary.inbox.inbox_text import InboxText
from diary.models import InboxBox, InboxItem, Origin
from llamora.database.sqlite.base import LARGEST_VALUE
from llamora.fields import new_id
from llamora.ops.doctor.household import check_inbox
from tests.diary.inbox_senders import Program, create_program, registered
from tests.diary.late_drafts import send_unlocked
from tests.people import Resident


def read_inbox(who: Resident) -> list[str]:
    with who.unlocked():
        return [item.body["text"] for item in InboxItem.objects.filter(owner_id=who.id)]


def read_unchecked(who: Resident) -> list[str | None]:
    with who.unlocked():
        return [box.text for box in list_closed_boxes(who.keyring).unchecked]


def change(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_what_was_sent_is_in_the_inbox_after_the_next_unlock(owner: Resident) -> None:
    program = create_program(owner)
    for number in range(3):
        program.send(f"Text {number}.")
    assert not any(b"Text" in bytes(box.box) for box in InboxBox.objects.all())
    assert read_inbox(owner) == []

    with registered(program):
        send_unlocked(owner)

    assert read_inbox(owner) == ["Text 0.", "Text 1.", "Text 2."]
    assert not InboxBox.objects.exists()
    with owner.unlocked():
        item = InboxItem.objects.first()
        assert item
        found = InboxText.from_json(item.body)
        assert found
    # Its owner named the program; what it calls itself is not asked.
    assert (item.origin, item.day) == (Origin.PROGRAM, owner.today)
    assert (found.source, found.sender_id) == ("Kitchen tablet", program.id)


def test_what_a_stranger_sent_is_shown_apart(owner: Resident, housemate: Resident) -> None:
    program, stranger = create_program(owner), create_program(owner)
    theirs = create_program(housemate)
    theirs.id = stranger.id
    box_id = stranger.send("I am the tablet.")

    with registered(program, theirs):
        send_unlocked(owner)
        assert read_inbox(owner) == []
        assert read_unchecked(owner) == ["I am the tablet."]
        with pytest.raises(ObjectNotFound):
            boxes.delete_unchecked_box(owner_id=housemate.id, box_id=box_id)
        boxes.delete_unchecked_box(owner_id=owner.id, box_id=box_id)
    assert read_unchecked(owner) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE diary_inboxbox SET day = '2026-01-01'",
        "UPDATE diary_inboxbox SET sender_id = 'ffffffffffffffffffffffffffffffff'",
        "UPDATE diary_inboxbox SET id = 'ffffffffffffffffffffffffffffffff'",
        "UPDATE diary_inboxbox SET mac = zeroblob(32)",
        "UPDATE diary_inboxbox SET box = CAST(x'01' || zeroblob(400) AS BLOB)",
    ],
)
def test_a_box_that_was_changed_is_not_opened(owner: Resident, statement: str) -> None:
    program = create_program(owner)
    program.send("Buy eggs.")
    change(statement)

    with registered(program):
        send_unlocked(owner)
        assert len(read_unchecked(owner)) == 1

    assert read_inbox(owner) == []
    assert InboxBox.objects.count() == 1


def test_a_box_of_another_person_is_not_opened(owner: Resident, housemate: Resident) -> None:
    program = create_program(owner)
    program.send("Buy eggs.")
    change("UPDATE diary_inboxbox SET owner_id = %s", housemate.id.hex)
    same = create_program(housemate)
    same.id, same.key = program.id, program.key

    with registered(same):
        send_unlocked(housemate)
        assert read_unchecked(housemate) == [None]
    assert read_inbox(housemate) == []


def test_a_box_that_is_put_back_is_not_opened_again(owner: Resident) -> None:
    program = create_program(owner)
    program.send("Buy eggs.")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE copies AS SELECT * FROM diary_inboxbox")
    with registered(program):
        send_unlocked(owner)
        with owner.unlocked():
            item = InboxItem.objects.get()
            services.accept_item(owner_id=owner.id, item_id=item.id, zone="UTC")
        change("INSERT INTO diary_inboxbox SELECT * FROM copies")
        change("DROP TABLE copies")

        send_unlocked(owner)

        assert read_inbox(owner) == []
        assert read_unchecked(owner) == ["Buy eggs."]


def test_where_it_is_unknown_what_was_opened_only_later_boxes_are(owner: Resident) -> None:
    program = create_program(owner)
    with owner.unlocked():
        add_merged_id(owner.keyring, new_id())
    program.send("Before.")
    sealed = bytearray(Vault.objects.filter(owner_id=owner.id).values_list("folded_drafts").get()[0].envelope)
    sealed[-1] ^= 1
    change("UPDATE accounts_vault SET folded_drafts = %s WHERE owner_id = %s", bytes(sealed), owner.id.hex)

    with registered(program):
        send_unlocked(owner)
        program.send("After.")
        send_unlocked(owner)

        assert read_inbox(owner) == ["After."]
        assert read_unchecked(owner) == ["Before."]


def test_what_one_sender_may_leave_is_bounded_and_waits_for_room(
    owner: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boxes, "MAX_ITEMS", 2)
    monkeypatch.setattr(services, "MAX_ITEMS", 2)
    program, other = create_program(owner), create_program(owner, name="Lamp")
    # Planted rows take no room away.
    stranger = Program(owner=owner, key=create_program(owner).key, id=program.id)
    for _ in range(2):
        stranger.send("x")
    for number in range(2):
        program.send(f"Text {number}.")
    with pytest.raises(InboxFull):
        program.send("Text 2.")
    other.send("Light.")

    with registered(program, other):
        assert open_boxes(owner.keyring) == 3
        program.send("Text 2.")
        assert open_boxes(owner.keyring) == 0
        assert read_unchecked(owner) == ["x", "x"]
        with owner.unlocked():
            services.delete_item(owner_id=owner.id, item_id=InboxItem.objects.order_by("id")[0].id)
        assert open_boxes(owner.keyring) == 1
    assert read_inbox(owner)[-1] == "Text 2."


def test_the_size_of_what_one_sender_may_leave_is_bounded(
    owner: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boxes, "MAX_CHARACTERS", 1100)
    program = create_program(owner)
    program.send("x" * 800)
    program.send("x" * 800)

    with pytest.raises(InboxFull):
        program.send("x" * 800)


def test_damaged_boxes_stop_nobody_and_can_be_deleted(owner: Resident, housemate: Resident) -> None:
    program, theirs = create_program(owner), create_program(housemate)
    for number in range(3):
        program.send(f"Text {number}.")
    theirs.send("Not yours.")
    first, second, _ = InboxBox.objects.filter(owner_id=owner.id).order_by("id").values_list("id", flat=True)
    change("UPDATE diary_inboxbox SET day = 'tomorrow', made_at = 7 WHERE id = %s", first.hex)
    # Another program does not have our connection's limit.
    raw: Any = connection.connection
    raw.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 100_000_000)
    change("UPDATE diary_inboxbox SET box = zeroblob(90000000) WHERE id = %s", second.hex)
    raw.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_VALUE)

    with registered(program):
        send_unlocked(owner)
        assert read_inbox(owner) == ["Text 2."]
        assert read_unchecked(owner) == []
        assert boxes.count_damaged_boxes(owner.id) == 2
        boxes.delete_damaged_boxes(owner.id)
    assert InboxBox.objects.filter(owner_id=owner.id).count() == 0
    assert InboxBox.objects.filter(owner_id=housemate.id).count() == 1


def test_a_crash_in_between_loses_and_doubles_nothing(
    owner: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = create_program(owner)
    program.send("Buy eggs.")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with registered(program):
        with monkeypatch.context() as patch:
            patch.setattr("diary.inbox.boxes.browser_keys.add_merged_id", die)
            with pytest.raises(KeyboardInterrupt):
                open_boxes(owner.keyring)
        assert read_inbox(owner) == []
        assert open_boxes(owner.keyring) == 1
        assert open_boxes(owner.keyring) == 0
    assert read_inbox(owner) == ["Buy eggs."]


def test_doctor_counts_what_waits(owner: Resident) -> None:
    create_program(owner).send("Buy eggs.")

    (found,) = check_inbox()

    assert found.level == "ok"
    assert "1 were sent by programs" in found.message
