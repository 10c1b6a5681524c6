"""Tests of the MACs of rows: a row whose plaintext columns were changed without a key does not open."""

import copy
import pickle
import weakref
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from diary.models import Entry
from llamora.crypto import (
    EnvelopeError,
    Keyring,
    NotAuthentic,
    Realm,
    VaultLocked,
    WrongEpoch,
    in_force,
    newest_header,
    secret_bytes,
)
from llamora.fields import SealedFieldError, SealedValue
from tests.fields.stored import (
    DAY,
    OTHER_DAY,
    WORDS,
    change_behind_the_back,
    read,
    read_stored_bytes,
    write,
    write_stored_bytes,
)
from tests.people import Resident
from traces.models import EntryTrace, Trace

NOW = datetime(2026, 11, 22, 9, 30, 15, 123456, tzinfo=UTC)
CHANGES: list[dict[str, object]] = [
    {"deleted_at": "2026-11-22 09:30:15"},
    {"created_at": "2026-11-19 08:00:00"},
    {"mac": None},
    {"deleted_at": "2026-11-22 09:30:15", "mac": None},
]


def accept_trace(who: Resident, entry: Entry, name: str = "weir") -> EntryTrace:
    """Put a new trace on an entry, and return the row loaded from the database."""
    with who.unlocked():
        trace = Trace(owner_id=who.id)
        trace.set_name(name)
        trace.save()
        accepted = EntryTrace.objects.create(owner_id=who.id, trace=trace, entry=entry)
    return EntryTrace.objects.get(id=accepted.id)


def read_code(row: Any) -> bytes:
    return read_stored_bytes(row, "mac")


# --- Opening ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", CHANGES, ids=repr)
def test_nothing_of_a_row_opens_whose_columns_were_changed_without_a_key(
    owner: Resident, changes: dict[str, object]
) -> None:
    entry = write(owner)
    with owner.unlocked():
        entry.source = b"a line"
        entry.save()

    change_behind_the_back(entry, **changes)

    with owner.unlocked():
        changed = Entry.objects.get(id=entry.id)
        for column in ("text", "source"):
            with pytest.raises(NotAuthentic):
                getattr(changed, column)
        assert changed.open_or("text", "…") == "…"
        with pytest.raises(NotAuthentic):
            changed.check_columns(owner.keyring)


def test_a_code_of_another_row_is_wrong(owner: Resident) -> None:
    first, second = write(owner), write(owner)

    write_stored_bytes(second, read_code(first), column="mac")

    with pytest.raises(NotAuthentic):
        read(owner, second)
    assert read(owner, first) == WORDS


@pytest.mark.parametrize(
    "code", [newest_header(1), newest_header(1) + bytes(31), newest_header(1) + bytes(32)]
)
def test_a_code_cut_short_or_made_up_is_refused(owner: Resident, code: bytes) -> None:
    entry = write(owner)

    write_stored_bytes(entry, code, column="mac")

    with pytest.raises(EnvelopeError):
        read(owner, entry)


def test_an_earlier_code_with_its_columns_is_that_of_the_moment_before(owner: Resident) -> None:
    """What a code does not prevent, as the README says: a whole row is put back as it was."""
    entry = write(owner)
    before = read_code(entry)
    with owner.unlocked():
        entry.deleted_at = NOW
        entry.save(update_fields=["deleted_at"])

    change_behind_the_back(entry, deleted_at=None, mac=before)

    assert read(owner, entry) == WORDS


def test_a_keyring_of_the_realm_checks_codes_too(owner: Resident) -> None:
    entry, changed = write(owner), write(owner)
    change_behind_the_back(changed, deleted_at="2026-11-22 09:30:15")

    with in_force(owner.keyring.restrict([Realm.CONTENT])):
        assert Entry.objects.get(id=entry.id).text == WORDS
        with pytest.raises(NotAuthentic):
            _ = Entry.objects.get(id=changed.id).text
    with in_force(owner.keyring.restrict([Realm.VAULT])), pytest.raises(VaultLocked):
        _ = Entry.objects.get(id=entry.id).text


def test_a_locked_vault_is_no_wrong_code(owner: Resident) -> None:
    entry = write(owner)
    change_behind_the_back(entry, deleted_at="2026-11-22 09:30:15")

    with pytest.raises(VaultLocked):
        Entry.objects.get(id=entry.id).open_or("text", None)


def test_codes_of_former_epochs_are_checked_while_their_keys_are_held(owner: Resident) -> None:
    entry = write(owner)
    keys = {1: owner.data_key, 2: secret_bytes()}
    rotating, rotated = (Keyring(owner=owner.id, epoch=2, keys=some) for some in (keys, {2: keys[2]}))

    with in_force(rotating):
        assert Entry.objects.get(id=entry.id).text == WORDS
    with in_force(rotated), pytest.raises(WrongEpoch):
        _ = Entry.objects.get(id=entry.id).text
    change_behind_the_back(entry, deleted_at="2026-11-22 09:30:15")
    with in_force(rotating), pytest.raises(NotAuthentic):
        _ = Entry.objects.get(id=entry.id).text


# --- Saving -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes", [{"deleted_at": NOW}, {"created_at": NOW}, {"deleted_at": NOW, "created_at": NOW}]
)
@pytest.mark.parametrize("is_whole", [True, False])
def test_a_save_of_a_column_makes_its_code_anew_and_seals_nothing(
    owner: Resident, changes: dict[str, Any], is_whole: bool
) -> None:
    entry = write(owner)
    text, code = read_stored_bytes(entry), read_code(entry)

    for column, value in changes.items():
        setattr(entry, column, value)
    with owner.unlocked(), CaptureQueriesContext(connection) as asked:
        entry.save(update_fields=None if is_whole else list(changes))

    assert len(asked) == 1
    assert read_stored_bytes(entry) == text
    assert read_code(entry) != code
    assert read(owner, entry) == WORDS
    assert {name: getattr(Entry.objects.get(id=entry.id), name) for name in changes} == changes


def test_a_row_that_was_saved_may_be_saved_again(owner: Resident) -> None:
    entry = write(owner)

    with owner.unlocked():
        for deleted_at in (NOW, None, NOW + timedelta(days=1)):
            entry.deleted_at = deleted_at
            entry.save(update_fields=["deleted_at"])
            assert entry.text == read(owner, entry) == WORDS
        entry.day = OTHER_DAY
        entry.save()

    assert read(owner, entry) == WORDS


def test_a_save_of_other_columns_leaves_the_code_as_it_is_and_needs_no_key(owner: Resident) -> None:
    entry = write(owner)
    code = read_code(entry)

    entry.first_day = OTHER_DAY
    entry.save()
    entry.save(update_fields=["first_day"])

    assert read_code(entry) == code


def test_a_locked_diary_makes_no_code(owner: Resident) -> None:
    entry = write(owner)

    entry.deleted_at = NOW
    with pytest.raises(VaultLocked), transaction.atomic():
        entry.save(update_fields=["deleted_at"])

    assert Entry.objects.get(id=entry.id).deleted_at is None
    with owner.unlocked():
        entry.save(update_fields=["deleted_at"])
    assert read(owner, entry) == WORDS


def test_a_save_does_not_part_a_code_from_its_columns(owner: Resident) -> None:
    entry = write(owner)
    entry.created_at, entry.deleted_at = NOW, NOW

    with owner.unlocked(), pytest.raises(SealedFieldError, match="saved together"):
        entry.save(update_fields=["deleted_at"])

    assert read(owner, entry) == WORDS


def test_a_code_is_never_assigned(owner: Resident) -> None:
    with pytest.raises(SealedFieldError):
        Entry(owner_id=owner.id, day=DAY, text="", mac=b"made up")


def test_a_stale_row_puts_back_neither_columns_nor_code(owner: Resident) -> None:
    stale = write(owner)
    with owner.unlocked():
        fresh = Entry.objects.get(id=stale.id)
        fresh.deleted_at = NOW
        fresh.save(update_fields=["deleted_at"])

        stale.text = "later"
        stale.save()

    assert Entry.objects.get(id=stale.id).deleted_at == NOW
    assert read_code(stale) == read_code(fresh)
    assert read(owner, stale) == "later"


@pytest.mark.parametrize("changes", CHANGES, ids=repr)
@pytest.mark.parametrize(
    "saved",
    [{"first_day": OTHER_DAY}, {"text": "new words"}, {"deleted_at": NOW}, {"created_at": NOW}],
    ids=repr,
)
@pytest.mark.parametrize("is_whole", [True, False])
def test_a_wrong_code_is_not_made_good_by_the_next_save(
    owner: Resident, changes: dict[str, object], saved: dict[str, Any], is_whole: bool
) -> None:
    entry = write(owner)
    change_behind_the_back(entry, **changes)
    found = Entry.objects.get(id=entry.id)

    with owner.unlocked():
        for column, value in saved.items():
            setattr(found, column, value)
        found.save(update_fields=None if is_whole else list(saved))

        with pytest.raises(NotAuthentic):
            read(owner, entry)
        # Nor by one more save, or by the instance that was saved.
        with pytest.raises(NotAuthentic):
            _ = found.text
        found.save()
        with pytest.raises(NotAuthentic):
            read(owner, entry)


@pytest.mark.parametrize("changes", CHANGES, ids=repr)
@pytest.mark.parametrize("loaded", [("id",), ("id", "deleted_at"), ("id", "owner"), ("id", "first_day")])
def test_a_wrong_code_that_was_not_loaded_is_not_made_good(
    owner: Resident, changes: dict[str, object], loaded: tuple[str, ...]
) -> None:
    entry = write(owner)
    change_behind_the_back(entry, **changes)
    partly = Entry.objects.only(*loaded).get(id=entry.id)

    partly.deleted_at = NOW
    with owner.unlocked():
        partly.save(update_fields=["deleted_at"])

        with pytest.raises(NotAuthentic):
            read(owner, entry)


@pytest.mark.parametrize("changes", CHANGES, ids=repr)
@pytest.mark.parametrize("is_whole", [True, False])
def test_a_wrong_code_is_made_good_by_whoever_asks_for_it(
    owner: Resident, changes: dict[str, object], is_whole: bool
) -> None:
    entry = write(owner)
    change_behind_the_back(entry, **changes)
    found = Entry.objects.get(id=entry.id)

    found.renew_macs()
    with owner.unlocked():
        found.save(update_fields=None if is_whole else ["mac"])

    assert read(owner, entry) == WORDS


def test_a_wrong_code_goes_with_its_row(owner: Resident) -> None:
    entry = write(owner)
    change_behind_the_back(entry, deleted_at="2026-11-22 09:30:15")

    Entry.objects.get(id=entry.id).delete()

    assert not Entry.objects.exists()


# --- Loading some columns -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "loaded", [("text",), ("id", "text"), ("id",), ("deleted_at",), ("mac",), ("owner", "day")]
)
def test_columns_loaded_alone_are_checked_all_the_same(owner: Resident, loaded: tuple[str, ...]) -> None:
    entry, changed = write(owner), write(owner)
    change_behind_the_back(changed, deleted_at="2026-11-22 09:30:15")

    with owner.unlocked():
        assert Entry.objects.only(*loaded).get(id=entry.id).text == WORDS
        with pytest.raises(NotAuthentic):
            _ = Entry.objects.only(*loaded).get(id=changed.id).text


def test_a_sealed_column_brings_what_it_needs_in_one_statement(owner: Resident) -> None:
    write(owner)

    with owner.unlocked(), CaptureQueriesContext(connection) as asked:
        (found,) = Entry.objects.only("text")
        assert found.text == WORDS

    assert len(asked) == 1


@pytest.mark.parametrize(
    "left_out",
    [("mac",), ("created_at", "deleted_at"), ("mac", "created_at"), ("day", "revision"), ("text",)],
)
def test_columns_left_out_are_checked_all_the_same(owner: Resident, left_out: tuple[str, ...]) -> None:
    entry, changed = write(owner), write(owner)
    change_behind_the_back(changed, created_at="2026-11-19 08:00:00")

    with owner.unlocked():
        partly = Entry.objects.defer(*left_out).get(id=entry.id)
        assert partly.text == WORDS
        partly.deleted_at = NOW
        partly.save(update_fields=["deleted_at"])
        assert read(owner, entry) == WORDS
        with pytest.raises(NotAuthentic):
            _ = Entry.objects.defer(*left_out).get(id=changed.id).text


def test_one_column_is_refreshed_with_its_code(owner: Resident) -> None:
    stale = write(owner)
    with owner.unlocked():
        fresh = Entry.objects.get(id=stale.id)
        fresh.deleted_at = NOW
        fresh.save(update_fields=["deleted_at"])

        stale.refresh_from_db(fields=["deleted_at"])

        assert (stale.deleted_at, stale.text) == (NOW, WORDS)
        stale.deleted_at = None
        stale.save(update_fields=["deleted_at"])
    assert read(owner, stale) == WORDS


def test_a_refreshed_column_that_was_changed_without_a_key_is_noticed(owner: Resident) -> None:
    entry = write(owner)
    change_behind_the_back(entry, deleted_at="2026-11-22 09:30:15")

    with owner.unlocked():
        assert entry.text == WORDS
        entry.refresh_from_db(fields=["deleted_at"])
        with pytest.raises(NotAuthentic):
            _ = entry.text


# --- Many rows, copies, dumps -------------------------------------------------------------------------


def test_many_made_at_once_have_codes(owner: Resident) -> None:
    rows = [Entry(owner_id=owner.id, day=DAY, text=f"line {n}", deleted_at=NOW) for n in range(5)]

    with owner.unlocked():
        Entry.objects.bulk_create(rows)
        assert {found.text for found in Entry.objects.all()} == {f"line {n}" for n in range(5)}
        rows[0].deleted_at = None
        rows[0].save(update_fields=["deleted_at"])

    assert len({read_code(row) for row in rows}) == 5
    assert read(owner, rows[0]) == "line 0"


def test_columns_with_a_code_are_not_written_past_it(owner: Resident) -> None:
    entry = write(owner)
    entry.deleted_at = NOW

    with owner.unlocked():
        with pytest.raises(SealedFieldError):
            Entry.objects.filter(id=entry.id).update(deleted_at=NOW)
        with pytest.raises(SealedFieldError):
            Entry.objects.bulk_update([entry], ["deleted_at"])

    assert read(owner, entry) == WORDS


@pytest.mark.parametrize("make_copy", [copy.copy, copy.deepcopy, lambda row: pickle.loads(pickle.dumps(row))])
def test_a_copy_has_a_code_of_its_own(owner: Resident, make_copy: Any) -> None:
    entry = write(owner)

    with owner.unlocked():
        twin = make_copy(entry)
        twin.pk, twin._state.adding = None, True
        twin.save()

    assert read_code(twin) != read_code(entry)
    assert read(owner, twin) == read(owner, entry) == WORDS


@pytest.mark.parametrize("changes", [{"deleted_at": "2026-11-22 09:30:15"}, {"mac": None}], ids=repr)
def test_a_copy_of_a_damaged_row_is_not_made_good(owner: Resident, changes: dict[str, object]) -> None:
    entry = write(owner)
    change_behind_the_back(entry, **changes)
    twin = Entry.objects.get(id=entry.id)

    twin.pk, twin._state.adding = None, True
    with owner.unlocked(), pytest.raises(NotAuthentic), transaction.atomic():
        twin.save()

    assert Entry.objects.count() == 1


@pytest.mark.parametrize("format_of", ["json", "xml"])
def test_a_dump_that_is_loaded_again_keeps_its_codes(owner: Resident, tmp_path: Path, format_of: str) -> None:
    entry, dump = write(owner), tmp_path / f"dump.{format_of}"
    with owner.unlocked():
        entry.created_at, entry.deleted_at = NOW, NOW + timedelta(microseconds=999)
        entry.save()
    before = read_code(entry)
    accepted = accept_trace(owner, entry)
    call_command("dumpdata", "accounts", "diary", "traces", format=format_of, output=str(dump), verbosity=0)
    assert SealedValue(before).to_text() in dump.read_text()
    owner.person.delete()
    assert not Entry.objects.exists()

    call_command("loaddata", str(dump), verbosity=0, stdout=StringIO())

    assert read_code(entry) == before
    assert read(owner, entry) == WORDS
    with owner.unlocked():
        EntryTrace.objects.get(id=accepted.id).check_columns(owner.keyring)


# --- Rows without a sealed column, and with a number for a primary key ----------------------------------


def test_a_numbered_row_has_a_code_before_it_has_its_number(owner: Resident) -> None:
    accepted = accept_trace(owner, write(owner))

    accepted.check_columns(owner.keyring)
    with owner.unlocked():
        assert accepted.mac is True
        accepted.save()
        accepted.entry = write(owner)
        accepted.save()
    EntryTrace.objects.get(id=accepted.id).check_columns(owner.keyring)


@pytest.mark.parametrize("column", ["entry_id", "trace_id", "mac"])
def test_a_numbered_row_that_was_moved_is_noticed(owner: Resident, column: str) -> None:
    accepted, other = accept_trace(owner, write(owner)), accept_trace(owner, write(owner), "heron")
    there = None if column == "mac" else getattr(other, column)

    change_behind_the_back(accepted, **{column: there})

    found = EntryTrace.objects.get(id=accepted.id)
    with pytest.raises(NotAuthentic):
        found.check_columns(owner.keyring)
    with owner.unlocked():
        found.created_at = NOW
        found.save()
        found.entry = write(owner)
        found.save()
    with pytest.raises(NotAuthentic):
        EntryTrace.objects.get(id=accepted.id).check_columns(owner.keyring)


def test_a_numbered_row_of_somebody_else_is_noticed(owner: Resident, housemate: Resident) -> None:
    accepted = accept_trace(owner, write(owner))

    change_behind_the_back(accepted, owner_id=housemate.id)

    for who in (owner, housemate):
        with pytest.raises(NotAuthentic):
            EntryTrace.objects.get(id=accepted.id).check_columns(who.keyring)


def test_numbered_rows_made_at_once_have_codes(owner: Resident) -> None:
    accepted, entries = accept_trace(owner, write(owner)), [write(owner) for _ in range(3)]

    with owner.unlocked():
        EntryTrace.objects.bulk_create(
            [EntryTrace(owner_id=owner.id, trace_id=accepted.trace_id, entry=entry) for entry in entries]
        )

    for row in EntryTrace.objects.all():
        row.check_columns(owner.keyring)
    assert len({read_code(row) for row in EntryTrace.objects.all()}) == 4


# --- Checked once ------------------------------------------------------------------------------------


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The codes that were computed to be compared, in this order."""
    computed: list[bytes] = []
    check = Keyring.check_mac

    def record(keyring: Keyring, mac: bytes, context: Any) -> None:
        computed.append(mac)
        check(keyring, mac, context)

    monkeypatch.setattr(Keyring, "check_mac", record)
    return computed


def test_a_row_is_checked_once_however_often_it_is_opened(owner: Resident, checks: list[bytes]) -> None:
    entry = write(owner)
    with owner.unlocked():
        entry.source = b"a line"
        entry.save()
        loaded = Entry.objects.get(id=entry.id)
        checks.clear()

        assert [loaded.text, loaded.text, loaded.source] == [WORDS, WORDS, b"a line"]

    assert checks == [read_code(entry)]


@pytest.mark.parametrize("changes", CHANGES, ids=repr)
def test_a_check_is_not_believed_of_the_row_loaded_again(owner: Resident, changes: dict[str, object]) -> None:
    entry = write(owner)
    with owner.unlocked():
        assert entry.text == WORDS

        change_behind_the_back(entry, **changes)

        with pytest.raises(NotAuthentic):
            _ = Entry.objects.get(id=entry.id).text
        entry.refresh_from_db()
        with pytest.raises(NotAuthentic):
            _ = entry.text


@pytest.mark.parametrize("column", ["created_at", "mac"])
def test_a_check_is_not_believed_of_one_column_loaded_again(owner: Resident, column: str) -> None:
    entry = write(owner)
    with owner.unlocked():
        assert entry.text == WORDS
        change_behind_the_back(entry, created_at="2026-11-19 08:00:00")

        entry.refresh_from_db(fields=[column])

        with pytest.raises(NotAuthentic):
            _ = entry.text


def test_a_check_is_not_believed_of_other_columns_or_another_code(owner: Resident) -> None:
    entry, other = write(owner), write(owner)
    with owner.unlocked():
        assert entry.text == WORDS
        by_hand = Entry(
            id=entry.id, owner_id=owner.id, created_at=entry.created_at, mac=entry.__dict__["mac"]
        )
        by_hand.check_columns(owner.keyring)

        by_hand.created_at = NOW
        with pytest.raises(NotAuthentic):
            by_hand.check_columns(owner.keyring)
        entry.__dict__["mac"] = other.__dict__["mac"]
        with pytest.raises(NotAuthentic):
            _ = entry.text


def test_a_check_is_not_believed_under_another_key(owner: Resident) -> None:
    entry = write(owner)
    other = Keyring(owner=owner.id, epoch=1, keys={1: secret_bytes(32)})
    with owner.unlocked():
        entry.check_columns(owner.keyring)

        with pytest.raises(NotAuthentic):
            entry.check_columns(other)
        entry.check_columns(owner.keyring)


def test_a_check_is_not_believed_under_a_key_that_was_closed(owner: Resident) -> None:
    entry, held = write(owner), owner.keyring.copy()
    entry.check_columns(held)

    held.close()

    with pytest.raises(VaultLocked):
        entry.check_columns(held)


@pytest.mark.parametrize("make_copy", [copy.copy, copy.deepcopy, lambda row: pickle.loads(pickle.dumps(row))])
def test_a_copy_is_checked_itself(owner: Resident, checks: list[bytes], make_copy: Any) -> None:
    entry = write(owner)
    with owner.unlocked():
        assert entry.text == WORDS
        checks.clear()

        assert make_copy(entry).text == WORDS

    assert checks == [read_code(entry)]


def test_a_checked_row_does_not_hold_its_key_in_memory(owner: Resident) -> None:
    entry, held = write(owner), owner.keyring.copy()
    entry.check_columns(held)
    left = weakref.ref(held)

    del held

    assert left() is None
