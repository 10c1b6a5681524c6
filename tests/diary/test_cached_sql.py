"""Tests of cached queries: the same rows as from an uncached query, with other values for each call."""

import gc
import weakref
from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Person
from diary.models import Entry
from llamora.database import CachedIdQuery, CachedQuery
from tests.people import Resident

on_day: CachedQuery[Entry] = CachedQuery(lambda owner_id, day: Entry.objects.for_owner(owner_id).on_day(day))


def test_it_answers_what_the_plain_selection_does(owner: Resident, housemate: Resident) -> None:
    other = owner.today - timedelta(days=1)
    for person in (owner, housemate):
        person.write("Tea."), person.write("Toast."), person.write("Rain.", day=other)

    for person in (owner, housemate):
        for day in (owner.today, other):
            with person.unlocked():
                plain = [
                    (entry.id, entry.text, entry.created_at)
                    for entry in Entry.objects.for_owner(person.id).on_day(day)
                ]
                found = [
                    (entry.id, entry.text, entry.created_at) for entry in on_day(owner_id=person.id, day=day)
                ]
            assert found == plain
            assert len(found) == (2 if day == owner.today else 1)


def test_related_rows_come_along(owner: Resident) -> None:
    entry = owner.write("Tea.")
    with_owner: CachedQuery[Entry] = CachedQuery(
        lambda id_: Entry.objects.select_related("owner").filter(id=id_)
    )

    (found,) = with_owner(id_=entry.id)

    with CaptureQueriesContext(connection) as asked:
        assert found.owner.name == owner.person.name
    assert len(asked) == 0


def test_a_row_and_its_related_row_are_no_cycle(owner: Resident) -> None:
    with_vault: CachedQuery[Person] = CachedQuery(
        lambda id_: Person.objects.select_related("vault").filter(id=id_)
    )
    gc.disable()
    try:
        (person,) = with_vault(id_=owner.id)
        assert person.vault.owner_id == owner.id
        seen = weakref.ref(person)
        del person
        assert seen() is None
    finally:
        gc.enable()


def test_values_come_as_tuples_or_flat(owner: Resident) -> None:
    entry = owner.write("Tea.")
    pairs: CachedQuery[tuple[UUID, date]] = CachedQuery(
        lambda o: Entry.objects.for_owner(o).values_list("id", "day")
    )
    flat: CachedQuery[date] = CachedQuery(
        lambda o: Entry.objects.for_owner(o).values_list("day", flat=True)[:1]
    )

    assert pairs(o=owner.id) == [(entry.id, owner.today)]
    assert flat(o=owner.id) == [owner.today]
    assert flat(o=uuid4()) == []


def test_a_value_that_is_reckoned_with_is_refused(owner: Resident) -> None:
    next_day: CachedQuery[Entry] = CachedQuery(
        lambda owner_id, day: Entry.objects.for_owner(owner_id).filter(day=day + timedelta(days=1))
    )

    with pytest.raises(TypeError, match="day"):
        next_day(owner_id=owner.id, day=owner.today)


def test_its_rows_are_saved_like_any_other(owner: Resident) -> None:
    entry = owner.write("Tea.")

    with owner.unlocked():
        (found,) = on_day(owner_id=owner.id, day=owner.today)
        found.text = "Coffee."
        found.save(update_fields=["text"])

        assert Entry.objects.get(id=entry.id).text == "Coffee."


def test_a_moment_is_asked_for_as_a_plain_query_asks(owner: Resident) -> None:
    since: CachedQuery[UUID] = CachedQuery(
        lambda o, moment: (
            Entry.objects.for_owner(o).filter(created_at__gt=moment).values_list("id", flat=True)
        )
    )
    first, second = owner.write("Tea."), owner.write("Toast.")
    hour = timedelta(hours=1)
    for moment in (
        first.created_at - hour,
        first.created_at,
        first.created_at.astimezone(timezone(9 * hour)),
        datetime(2026, 1, 1, tzinfo=UTC),
        second.created_at,
    ):
        plain = Entry.objects.for_owner(owner.id).filter(created_at__gt=moment).values_list("id", flat=True)

        assert since(o=owner.id, moment=moment) == list(plain)
    assert since(o=owner.id, moment=first.created_at) == [second.id]


@pytest.mark.parametrize("count", [0, 1, 20, 21, 45])
def test_rows_of_any_number_of_ids_are_found(owner: Resident, count: int) -> None:
    by_ids: CachedIdQuery[UUID] = CachedIdQuery(
        lambda ids, owner_id: (
            Entry.objects.for_owner(owner_id).filter(id__in=ids).values_list("id", flat=True)
        )
    )
    mine = [owner.write("Tea.").id, owner.write("Toast.").id]
    ids = [*mine, *(uuid4() for _ in range(count))][:count]

    assert set(by_ids([*ids, *ids], owner_id=owner.id)) == set(mine[:count])


def test_rows_are_given_as_stored_for_a_caller_that_compares_them(owner: Resident) -> None:
    entry = owner.write("Tea.")
    pairs: CachedQuery[tuple[UUID, date]] = CachedQuery(
        lambda o: Entry.objects.for_owner(o).values_list("id", "day")
    )

    stored = pairs.fetch_stored(o=owner.id)

    assert stored == [(entry.id.hex, owner.today.isoformat())]
    assert pairs.convert(stored, o=owner.id) == [(entry.id, owner.today)]


def test_a_query_in_a_broken_transaction_is_refused(owner: Resident) -> None:
    on_day(owner_id=owner.id, day=owner.today)

    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(transaction.TransactionManagementError):
            on_day(owner_id=owner.id, day=owner.today)
        transaction.set_rollback(False)
    assert on_day(owner_id=owner.id, day=owner.today) == []
