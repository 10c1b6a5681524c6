"""Tests that deleted rows are overwritten in the database file and its log."""

import random
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts.auth.services.recovery import recover_account
from accounts.models import FormerKey, KeySlot, SlotKind, Unlock
from accounts.rotation import services as rotation_services
from accounts.rotation.epoch_change import begin_rotation
from diary.entries.services import delete_entry, edit_entry
from diary.models import Draft, Entry
from llamora.fields import SealedValue
from tests.clock.records import settle_clock
from tests.ops.backups import get_database_path
from tests.people import Resident, new_resident, register_resident

LENGTHS = (40, 300, 1_500, 3_000, 9_000, 40_000)
SLICE = 24


@pytest.fixture
def olive(transactional_db: None) -> Resident:
    return new_resident("Olive")


def read_raw_files() -> bytes:
    """Return the bytes of the database and of its write-ahead log."""
    log = Path(f"{get_database_path()}-wal")
    return get_database_path().read_bytes() + (log.read_bytes() if log.exists() else b"")


def cut_pieces(envelope: bytes) -> Iterable[bytes]:
    """Yield pieces of an envelope, since SQLite may split it over pages."""
    for at in range(5, len(envelope) - SLICE, max(SLICE, len(envelope) // 60)):
        yield envelope[at : at + SLICE]


def count_found(envelopes: Iterable[bytes]) -> int:
    """Return the number of envelopes with a piece in the raw files."""
    everything = read_raw_files()
    return sum(any(piece in everything for piece in cut_pieces(envelope)) for envelope in envelopes)


def read_envelope(entry_id: object) -> bytes:
    held = Entry.objects.filter(id=entry_id).values_list("text", flat=True).get()
    assert isinstance(held, SealedValue)
    return held.envelope


def write_entries(olive: Resident, count: int) -> list[Entry]:
    chance = random.Random(1)
    return [olive.write("x" * chance.choice(LENGTHS)) for _ in range(count)]


def test_the_pragma_is_read_back_on_every_connection(transactional_db: None) -> None:
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA secure_delete").fetchone() == (1,)


def test_the_search_finds_an_envelope_that_is_there(olive: Resident) -> None:
    entry = olive.write("x" * 3000)

    assert count_found([read_envelope(entry.id)]) == 1


def test_deleted_entries_are_nowhere_once_the_bin_is_pruned(olive: Resident) -> None:
    entries = write_entries(olive, 120)
    gone = random.Random(2).sample(entries, 60)
    envelopes = [read_envelope(entry.id) for entry in gone]
    kept = [read_envelope(entry.id) for entry in entries if entry not in gone]
    with olive.unlocked():
        for entry in gone:
            delete_entry(owner_id=olive.id, entry_id=entry.id)
        for entry in Entry.objects.in_bin(olive.id):
            entry.deleted_at = timezone.now() - timedelta(days=31)
            entry.save(update_fields=["deleted_at"])
    assert count_found(envelopes) == 60
    settle_clock()

    call_command("prune", verbosity=0)

    assert count_found(envelopes) == 0
    assert count_found(kept) == 60


def test_what_an_edit_replaced_is_nowhere_but_where_versions_are_kept(olive: Resident) -> None:
    drafts = [
        Draft(owner_id=olive.id, day=olive.today - timedelta(days=number), text="y" * length)
        for number, length in enumerate(LENGTHS)
    ]
    with olive.unlocked():
        for draft in drafts:
            draft.save(force_insert=True)
        before = [held.envelope for held in Draft.objects.values_list("text", flat=True)]
        for draft in drafts:
            draft.text = "z" * 500
            draft.save(update_fields=["text"])
    assert count_found(before) == len(LENGTHS)

    call_command("prune", verbosity=0)

    assert count_found(before) == 0


def test_an_entry_that_was_edited_opens_as_it_is_now_after_all_of_that(olive: Resident) -> None:
    entry = olive.write("first words")
    with olive.unlocked():
        edit_entry(owner_id=olive.id, entry_id=entry.id, text="second words", revision=1)

    call_command("prune", verbosity=0)

    assert olive.list_texts() == ["second words"]


def read_slot_bytes(row: KeySlot) -> list[bytes]:
    return [bytes(part) for part in (row.sealed_private, row.sealed_authenticator, row.box, row.mac)]


def test_the_slots_of_before_a_recovery_are_nowhere_at_once(transactional_db: None) -> None:
    olive = register_resident("Olive", entries=3)
    before = [part for row in KeySlot.objects.all() for part in read_slot_bytes(row)]
    assert count_found(before) == len(before)

    recover_account(
        name="Olive", code=olive.recovery_code, new_password="another lamp by the door", address="here"
    )

    assert count_found(before) == 0
    now = [part for row in KeySlot.objects.all() for part in read_slot_bytes(row)]
    assert count_found(now) == len(now)


def test_the_sessions_key_is_nowhere_after_locking_and_pruning(olive: Resident) -> None:
    wrapped = bytes(Unlock.objects.get().wrapped_dek)
    assert count_found([wrapped]) == 1

    olive.lock()
    call_command("prune", verbosity=0)

    assert count_found([wrapped]) == 0


def test_the_former_key_is_nowhere_after_a_rotation(transactional_db: None, tmp_path: Path) -> None:
    olive = register_resident("Olive", entries=30)
    texts = [read_envelope(entry_id) for entry_id in olive.written]
    turned = begin_rotation(olive.open_slot())
    sealed = FormerKey.objects.values_list("data_key", flat=True).get()
    assert count_found([sealed.envelope]) == 1

    rotation_services.resume_rotation(turned.keyring)

    assert count_found([sealed.envelope]) == 0
    assert count_found(texts) == 0
    assert olive.read_all() == olive.written


def test_a_replaced_password_slot_is_nowhere_in_the_raw_file(transactional_db: None) -> None:
    olive = register_resident("Olive")
    before = read_slot_bytes(olive.get_slot())
    assert count_found(before) == len(before)
    secrets = {SlotKind.PASSWORD: "one more lamp by the stair"}

    rotation_services.resume_rotation(begin_rotation(olive.open_slot(), new_secrets=secrets).keyring)

    assert count_found(before) == 0
