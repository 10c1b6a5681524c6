"""Tests of saving: changed columns are sealed again, unchanged columns keep their bytes."""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from diary.models import Entry, Reply
from llamora.crypto import VaultLocked
from llamora.fields import SealedFieldError, new_id
from tests.fields.stored import DAY, OTHER_DAY, WORDS, read, read_stored_bytes, write
from tests.people import Resident

NOW = datetime(2026, 11, 22, 9, 30, 15, 123456, tzinfo=UTC)


def test_saving_other_columns_while_locked_leaves_the_bytes_as_they_are(owner: Resident) -> None:
    entry = write(owner)
    before = read_stored_bytes(entry)

    entry.first_day = OTHER_DAY
    entry.save()

    assert read_stored_bytes(entry) == before
    assert Entry.objects.get(id=entry.id).first_day == OTHER_DAY


def test_a_stale_whole_row_save_puts_back_neither_an_old_envelope_nor_what_it_is_bound_to(
    owner: Resident,
) -> None:
    stale = write(owner, "before")
    fresh = Entry.objects.get(id=stale.id)
    with owner.unlocked():
        fresh.text, fresh.revision, fresh.day, fresh.deleted_at = "after", 2, OTHER_DAY, NOW
        fresh.save()

        stale.first_day = DAY
        stale.save()

    found = Entry.objects.get(id=stale.id)
    assert read(owner, stale) == "after"
    assert (found.revision, found.day, found.first_day) == (2, OTHER_DAY, DAY)
    assert found.deleted_at == NOW


def test_reading_does_not_make_a_column_count_as_assigned(owner: Resident) -> None:
    entry = write(owner)
    before = read_stored_bytes(entry)

    with owner.unlocked():
        assert entry.text == WORDS
        entry.save()

    assert read_stored_bytes(entry) == before


def test_an_assigned_column_is_sealed_anew_with_another_nonce(owner: Resident) -> None:
    entry = write(owner)
    before = read_stored_bytes(entry)

    with owner.unlocked():
        entry.text = WORDS
        entry.save()

    assert read_stored_bytes(entry) != before
    assert read(owner, entry) == WORDS


def test_assigning_a_bound_column_reseals(owner: Resident) -> None:
    entry = write(owner)

    with owner.unlocked():
        entry.day = OTHER_DAY
        entry.save()
        assert entry.text == WORDS

    assert read(owner, entry) == WORDS
    assert Entry.objects.get(id=entry.id).day == OTHER_DAY


def test_assigning_a_bound_column_while_locked_raises_and_changes_nothing(owner: Resident) -> None:
    entry = write(owner)
    before = read_stored_bytes(entry)

    entry.day = OTHER_DAY
    with pytest.raises(VaultLocked), transaction.atomic():
        entry.save()

    assert read_stored_bytes(entry) == before
    assert Entry.objects.get(id=entry.id).day == DAY
    with owner.unlocked():
        entry.save()
    assert read(owner, entry) == WORDS


@pytest.mark.parametrize("names", [["day"], ["day", "first_day"], ["text"], ["owner"]])
def test_a_partial_save_does_not_part_an_envelope_from_what_binds_it(
    owner: Resident, housemate: Resident, names: list[str]
) -> None:
    entry = write(owner)
    if names == ["owner"]:
        entry.owner = housemate.person
    else:
        entry.day = OTHER_DAY
    with owner.unlocked():
        entry.text = "assigned" if names == ["text"] else entry.text if names != ["owner"] else WORDS
        with pytest.raises(SealedFieldError):
            entry.save(update_fields=names)

    assert read(owner, entry) == WORDS


def test_a_partial_save_of_both_reseals(owner: Resident) -> None:
    entry = write(owner)

    with owner.unlocked():
        entry.day = OTHER_DAY
        entry.save(update_fields=["day", "text"])

    assert read(owner, entry) == WORDS


def test_a_partial_save_of_something_else_while_locked(owner: Resident) -> None:
    entry = write(owner)

    entry.first_day = OTHER_DAY
    entry.save(update_fields=["first_day"])

    assert read(owner, entry) == WORDS


def test_a_row_made_by_hand_cannot_move_a_bound_column_alone(owner: Resident) -> None:
    entry = write(owner)

    with pytest.raises(SealedFieldError):
        Entry(id=entry.id, owner_id=owner.id, day=OTHER_DAY, text="").save(update_fields=["day"])

    assert read(owner, entry) == WORDS


@pytest.mark.parametrize("loaded", [("id",), ("id", "revision"), ("id", "owner"), ("id", "day")])
def test_a_bound_column_is_not_moved_while_its_text_was_not_loaded(
    owner: Resident, loaded: tuple[str, ...]
) -> None:
    entry = write(owner)
    partly = Entry.objects.only(*loaded).get(id=entry.id)

    partly.day = OTHER_DAY
    with owner.unlocked(), pytest.raises(SealedFieldError):
        partly.save()

    assert read(owner, entry) == WORDS


@pytest.mark.parametrize("loaded", [("id",), ("id", "day"), ("id", "text"), ("id", "owner")])
def test_columns_left_out_are_loaded_when_asked_for(owner: Resident, loaded: tuple[str, ...]) -> None:
    entry = write(owner)
    partly = Entry.objects.only(*loaded).get(id=entry.id)

    with pytest.raises(VaultLocked):
        _ = partly.text
    with owner.unlocked():
        assert partly.text == WORDS
    partly.save()
    assert read(owner, entry) == WORDS


def test_new_text_may_be_assigned_to_a_row_of_which_nothing_was_loaded(owner: Resident) -> None:
    entry = write(owner)
    partly = Entry.objects.only("id").get(id=entry.id)

    with owner.unlocked():
        partly.text = "anew"
        partly.save()

    assert read(owner, entry) == "anew"


def test_a_refreshed_row_forgets_what_was_assigned(owner: Resident) -> None:
    entry = write(owner)

    entry.text = "thrown away"
    entry.refresh_from_db()

    with owner.unlocked():
        assert entry.text == WORDS


def test_a_refreshed_column_is_read_with_the_day_it_is_bound_to(owner: Resident) -> None:
    stale = write(owner)
    fresh = Entry.objects.get(id=stale.id)
    with owner.unlocked():
        fresh.day, fresh.text = OTHER_DAY, "moved"
        fresh.save()

        stale.refresh_from_db(fields=["text"])

        assert stale.text == "moved"
        assert stale.day == OTHER_DAY


def test_what_was_assigned_stays_when_another_column_is_loaded_or_refreshed(owner: Resident) -> None:
    entry = write(owner)
    partly = Entry.objects.only("id").get(id=entry.id)

    partly.deleted_at = NOW
    partly.day = OTHER_DAY
    with owner.unlocked():
        assert partly.text == WORDS
        partly.refresh_from_db(fields=["text"])
        partly.refresh_from_db(fields=["source"])
        assert (partly.deleted_at, partly.day, partly.text) == (NOW, OTHER_DAY, WORDS)
        partly.save()

    found = Entry.objects.get(id=entry.id)
    assert (found.deleted_at, found.day, read(owner, entry)) == (NOW, OTHER_DAY, WORDS)


def test_none_that_was_assigned_stays_too(owner: Resident) -> None:
    """As when an entry is restored from the bin of which only some columns were loaded."""
    entry = write(owner)
    with owner.unlocked():
        entry.deleted_at = NOW
        entry.save(update_fields=["deleted_at"])
        partly = Entry.objects.only("id").get(id=entry.id)

        partly.deleted_at = None
        assert partly.text == WORDS
        assert partly.deleted_at is None
        partly.save(update_fields=["deleted_at"])

    assert Entry.objects.get(id=entry.id).deleted_at is None
    assert read(owner, entry) == WORDS


def test_a_refreshed_column_takes_no_others_with_it(owner: Resident) -> None:
    stale = write(owner)
    fresh = Entry.objects.get(id=stale.id)
    with owner.unlocked():
        fresh.day, fresh.text, fresh.first_day, fresh.deleted_at = OTHER_DAY, "moved", OTHER_DAY, NOW
        fresh.save()

        stale.refresh_from_db(fields=["first_day"])
        assert (stale.day, stale.deleted_at, stale.text) == (DAY, None, WORDS)
        stale.refresh_from_db(fields=["deleted_at"])
        assert (stale.day, stale.deleted_at, stale.text) == (DAY, NOW, WORDS)
        stale.refresh_from_db(fields=["text"])
        assert (stale.day, stale.deleted_at, stale.text) == (OTHER_DAY, NOW, "moved")
        stale.save()

    assert read(owner, stale) == "moved"


def test_a_copied_row_is_sealed_anew(owner: Resident) -> None:
    entry = write(owner)

    with owner.unlocked():
        twin = copy.copy(entry)
        twin.pk, twin._state.adding = None, True
        twin.save()

        assert twin.id != entry.id
        assert (twin.text, entry.text) == (WORDS, WORDS)
        entry.revision = 2
        entry.save()
    assert read_stored_bytes(twin) != read_stored_bytes(entry)
    assert read(owner, twin) == read(owner, entry) == WORDS


def test_a_copy_with_an_id_of_its_own_is_sealed_anew(owner: Resident) -> None:
    entry = write(owner)
    entry.id = new_id()

    with owner.unlocked():
        entry.save(force_insert=True)
        assert Entry.objects.count() == 2
        assert {found.text for found in Entry.objects.all()} == {WORDS}


def test_a_save_that_failed_can_be_tried_again(owner: Resident) -> None:
    key = new_id()
    with owner.unlocked():
        first = Entry.objects.create(owner_id=owner.id, day=DAY, text="first", keep_key=key)
        second = Entry(owner_id=owner.id, day=DAY, text="second", keep_key=key)
        with pytest.raises(IntegrityError), transaction.atomic():
            second.save()

        second.keep_key = None
        second.save()

    assert read(owner, first) == "first"
    assert read(owner, second) == "second"


def test_an_update_that_failed_can_be_tried_again(owner: Resident) -> None:
    entry = write(owner)
    entry.day, entry.revision = OTHER_DAY, -1
    with owner.unlocked():
        with pytest.raises(DatabaseError), transaction.atomic():
            entry.save()
        assert entry.text == WORDS
        entry.revision = 2
        entry.save()

    assert read(owner, entry) == WORDS


def test_many_made_at_once_are_sealed(owner: Resident) -> None:
    rows = [Entry(owner_id=owner.id, day=DAY, text=f"line {n}") for n in range(5)]

    with owner.unlocked():
        Entry.objects.bulk_create(rows)
        assert sorted(found.text for found in Entry.objects.all()) == [f"line {n}" for n in range(5)]
        rows[0].day = OTHER_DAY
        rows[0].save()
    assert read(owner, rows[0]) == "line 0"


def test_get_or_create_and_update_or_create_seal(owner: Resident) -> None:
    with owner.unlocked():
        made, _ = Entry.objects.get_or_create(owner_id=owner.id, day=DAY, defaults={"text": "made"})
        Entry.objects.update_or_create(id=made.id, defaults={"text": "updated"})

    assert read(owner, made) == "updated"


def test_primary_keys_are_known_before_the_insert_and_sort_by_time(owner: Resident) -> None:
    made = [Entry(owner_id=owner.id, day=DAY, text="") for _ in range(50)]

    ids = [entry.id for entry in made]
    assert ids == sorted(ids)
    assert {found.version for found in ids} == {7}


def test_a_save_is_one_statement(owner: Resident) -> None:
    with owner.unlocked(), CaptureQueriesContext(connection) as asked:
        Entry.objects.create(owner_id=owner.id, day=DAY, text="x")

    assert len([q for q in asked.captured_queries if "INSERT" in q["sql"] or "UPDATE" in q["sql"]]) == 1


@pytest.mark.parametrize("text", [WORDS, "sealed:AAAA", ""])
def test_validating_a_row_changes_nothing_of_it(owner: Resident, text: str) -> None:
    entry = write(owner, text)
    before = read_stored_bytes(entry)

    with owner.unlocked():
        entry.clean_fields(exclude=["edited_at", "deleted_at", "keep_key"])
        entry.save()

    assert read_stored_bytes(entry) == before


def test_validating_still_finds_what_is_wrong(owner: Resident) -> None:
    entry = write(owner)
    entry.revision = "many"  # type: ignore[assignment]  # that is what is wrong

    with owner.unlocked(), pytest.raises(ValidationError):
        entry.clean_fields(exclude=["edited_at", "deleted_at", "keep_key"])


def test_a_reply_is_bound_to_its_entry_and_kind(owner: Resident) -> None:
    first, second = write(owner, "a"), write(owner, "b")
    with owner.unlocked():
        reply = Reply.objects.create(owner_id=owner.id, entry=first, text="said")
        found: Any = Reply.objects.get(id=reply.id)
        found.entry = second
        found.save()
        assert Reply.objects.get(id=reply.id).text == "said"
        with pytest.raises(SealedFieldError):
            Reply.objects.filter(id=reply.id).update(entry=first)
