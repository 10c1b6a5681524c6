"""Tests that an opening is deleted with the entries it was derived from, with and without the key."""

from contextlib import nullcontext
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from diary.entries.services import delete_entry, destroy_entry, empty_bin, move_entry, purge_bin
from diary.generation.prompt_record import PromptRecord
from diary.models import Entry, Opening
from tests.clock.records import settle_clock
from tests.people import Resident

FIRST = date(2024, 3, 1)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def create_opening(
    owner: Resident,
    on: date,
    *entries: Entry,
    recaps: tuple[date, ...] = (),
    recapped: tuple[Entry, ...] = (),
) -> None:
    reading = PromptRecord(entries=[(entry.id, entry.day) for entry in entries], recaps=list(recaps))
    reading.recapped = [entry.id for entry in recapped]
    with owner.unlocked():
        row = Opening(owner_id=owner.id, day=on, text="You meant to mend the boat.")
        row.read = reading.to_json()
        row.save(force_insert=True)


def list_opening_days(owner: Resident) -> list[date]:
    return list(Opening.objects.filter(owner_id=owner.id).order_by("day").values_list("day", flat=True))


def destroy(owner: Resident, entry: Entry) -> None:
    with owner.unlocked():
        delete_entry(owner_id=owner.id, entry_id=entry.id)
        destroy_entry(owner_id=owner.id, entry_id=entry.id)


def test_only_the_openings_drawn_from_an_entry_go_with_it(owner: Resident, housemate: Resident) -> None:
    gone, other = owner.write("The boat", day=day(0)), owner.write("The oars", day=day(0))
    create_opening(owner, day(1), gone)
    create_opening(owner, day(2), other)
    create_opening(owner, day(3), other, recaps=(day(0),))
    create_opening(housemate, day(1), housemate.write("Mine", day=day(0)))

    destroy(owner, gone)

    assert list_opening_days(owner) == [day(2)]
    assert list_opening_days(housemate) == [day(1)]


def test_what_lies_in_the_bin_keeps_its_openings(owner: Resident) -> None:
    entry = owner.write("The boat", day=day(0))
    create_opening(owner, day(1), entry)

    with owner.unlocked():
        delete_entry(owner_id=owner.id, entry_id=entry.id)

    assert list_opening_days(owner) == [day(1)]


def test_an_entry_that_was_moved_since_takes_its_openings_along(owner: Resident) -> None:
    entry = owner.write("The boat", day=day(5))
    create_opening(owner, day(6), owner.write("The oars", day=day(4)), recaps=(day(5),))
    with owner.unlocked():
        move_entry(owner_id=owner.id, entry_id=entry.id, day=day(20))

    destroy(owner, entry)

    assert list_opening_days(owner) == []


def test_an_entry_takes_along_what_was_drawn_from_the_recap_of_a_day_between(owner: Resident) -> None:
    entry = owner.write("The boat", day=day(0))
    other = owner.write("The oars", day=day(4))
    with owner.unlocked():
        move_entry(owner_id=owner.id, entry_id=entry.id, day=day(3))
    create_opening(owner, day(6), other, recaps=(day(3),), recapped=(entry,))
    create_opening(owner, day(7), other, recaps=(day(4),), recapped=(other,))
    with owner.unlocked():
        move_entry(owner_id=owner.id, entry_id=entry.id, day=day(5))

    destroy(owner, entry)

    assert list_opening_days(owner) == [day(7)]


@pytest.mark.parametrize("is_locked", [False, True])
def test_a_full_bin_is_emptied_with_one_look_at_the_openings(owner: Resident, is_locked: bool) -> None:
    written = [owner.write("The boat", day=day(number)) for number in range(12)]
    for number in range(1, 14):
        create_opening(owner, day(number), written[number - 1] if number < 13 else written[0])
    for entry in written[::3]:
        owner.update_columns(entry, deleted_at=timezone.now())

    with CaptureQueriesContext(connection) as seen, nullcontext() if is_locked else owner.unlocked():
        empty_bin(owner_id=owner.id)

    # Found, and collected and deleted at once; and the days written beside them, where nobody holds the key.
    assert len([query for query in seen if '"diary_opening"' in query["sql"]]) == 3
    assert len([query for query in seen if "MIN(" in query["sql"]]) == is_locked
    assert not set(list_opening_days(owner)) & {day(1), day(4), day(7), day(10)}


def test_without_the_key_everything_that_may_have_been_drawn_from_it_goes(owner: Resident) -> None:
    gone = owner.write("The boat", day=day(0))
    for number in range(1, 8):
        create_opening(owner, day(number), owner.write("Another day", day=day(number)))
    owner.update_columns(gone, deleted_at=gone.created_at - timedelta(days=31))

    settle_clock()
    purge_bin(owner_id=owner.id)

    # Between the fourth day and this entry lie three written ones, which were nearer.
    assert list_opening_days(owner) == [day(4), day(5), day(6), day(7)]
