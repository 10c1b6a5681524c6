"""Tests of the triggers that refuse envelopes of another epoch."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, OperationalError, connection, models

from accounts.models import Vault
from diary.models import Entry, Reply
from llamora.crypto import in_force, read_header
from llamora.database import FenceRefused, NotWritten, write_transaction
from llamora.database.errors import FENCE_MARKER
from llamora.fields import fence
from llamora.fields.models import sealed_fields
from llamora.ops import startup
from llamora.ops.backup import integrity
from llamora.ops.backup.verify_secret import using_database_file
from llamora.ops.checks import check_fences
from llamora.ops.errors import OperationRefused
from tests import data_folder_template
from tests.fields.stored import (
    DAY,
    OTHER_DAY,
    WORDS,
    keyring_with_epoch,
    read,
    read_stored_bytes,
    write,
    write_stored_bytes,
)
from tests.people import Resident, new_resident
from traces.models import EntryTrace, Trace

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner() -> Resident:
    """The owner, committed, so that triggers refuse writes as in production."""
    return new_resident("Olive")


def set_epoch(who: Resident, *, epoch: int) -> None:
    """Set the epoch of a vault in the database."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_vault SET epoch = %s WHERE owner_id = %s", [epoch, who.id.hex])


@pytest.mark.parametrize("epoch", [2, 255, 256, 2**32 - 1])
def test_an_insert_of_another_epoch_is_refused(owner: Resident, epoch: int) -> None:
    with in_force(keyring_with_epoch(owner, epoch)), pytest.raises(FenceRefused), write_transaction():
        Entry.objects.create(owner_id=owner.id, day=DAY, text="late")

    assert not Entry.objects.exists()


def test_an_update_of_another_epoch_is_refused_and_the_row_stays(owner: Resident) -> None:
    entry = write(owner)
    before = read_stored_bytes(entry)

    entry.text = "late"
    with in_force(keyring_with_epoch(owner, 2)), pytest.raises(FenceRefused) as refused, write_transaction():
        entry.save()

    assert refused.value.code == "fence"
    assert "late" not in str(refused.value)
    assert read_stored_bytes(entry) == before


def test_after_a_rotation_the_key_before_writes_nothing(owner: Resident) -> None:
    entry = write(owner)
    set_epoch(owner, epoch=2)

    with owner.unlocked():
        entry.day = OTHER_DAY
        with pytest.raises(FenceRefused), write_transaction():
            entry.save()
        with pytest.raises(FenceRefused), write_transaction():
            Entry.objects.create(owner_id=owner.id, day=DAY, text="late")


def test_columns_that_are_not_sealed_may_still_change(owner: Resident) -> None:
    entry = write(owner)
    set_epoch(owner, epoch=2)

    Entry.objects.filter(id=entry.id).update(first_day=DAY)
    entry.refresh_from_db()
    entry.first_day = OTHER_DAY
    entry.save()

    assert Entry.objects.get(id=entry.id).first_day == OTHER_DAY


def test_raw_sql_is_refused_too(owner: Resident) -> None:
    entry = write(owner)
    late = b"\x01" + (2).to_bytes(4, "big") + read_stored_bytes(entry)[5:]

    with pytest.raises(IntegrityError, match=FENCE_MARKER):
        write_stored_bytes(entry, late)
    with pytest.raises(IntegrityError, match=FENCE_MARKER), connection.cursor() as cursor:
        cursor.execute(
            "INSERT OR REPLACE INTO diary_entry (id, owner_id, day, text, revision, created_at, origin)"
            " SELECT %s, owner_id, day, %s, 1, created_at, origin FROM diary_entry",
            [owner.id.hex, late],
        )


@pytest.mark.parametrize("short", [b"", b"\x01", b"\x01\x00\x00\x00"])
def test_bytes_too_short_to_name_an_epoch_are_refused(owner: Resident, short: bytes) -> None:
    entry = write(owner)

    with pytest.raises(IntegrityError, match=FENCE_MARKER), connection.cursor() as cursor:
        cursor.execute("UPDATE diary_entry SET text = %s WHERE id = %s", [short, entry.id.hex])


def test_a_person_without_a_vault_has_no_sealed_rows(owner: Resident) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_vault WHERE owner_id = %s", [owner.id.hex])

    with owner.unlocked(), pytest.raises(FenceRefused), write_transaction():
        Entry.objects.create(owner_id=owner.id, day=DAY, text="x")


def test_every_owner_has_an_epoch_of_their_own(owner: Resident) -> None:
    housemate = new_resident("Humphrey")
    set_epoch(owner, epoch=2)

    entry = write(housemate)

    assert read(housemate, entry) == WORDS


def test_a_vault_is_checked_against_itself(owner: Resident) -> None:
    vault = Vault.objects.get(owner_id=owner.id)

    vault.digest_key = b"d" * 32
    with in_force(keyring_with_epoch(owner, 2)), pytest.raises(FenceRefused), write_transaction():
        vault.save()
    with in_force(keyring_with_epoch(owner, 2)), write_transaction():
        vault.private_key, vault.digest_key, vault.epoch = b"p" * 32, b"d" * 32, 2
        vault.save()

    assert read_header(read_stored_bytes(vault, "digest_key")).epoch == 2


def test_nothing_else_of_the_database_is_taken_for_the_fence(owner: Resident) -> None:
    entry = write(owner)

    with owner.unlocked(), pytest.raises(IntegrityError), write_transaction():
        Entry.objects.bulk_create([Entry(id=entry.id, owner_id=owner.id, day=DAY, text="twin")])


def test_every_sealed_column_of_every_model_is_fenced() -> None:
    wanted = {
        f"fence_{model._meta.db_table}_{field.column}_{event}"
        for model in fence.sealed_models()
        for field in sealed_fields(model)
        for event in ("insert", "update")
    }

    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        standing = {name for (name,) in cursor.fetchall()}

    assert wanted
    assert wanted <= standing
    assert fence.missing_triggers(connection, vault_table=Vault._meta.db_table) == []


def test_the_fence_is_put_back_when_a_table_was_rebuilt(owner: Resident) -> None:
    old = Reply._meta.get_field("reason")
    new = models.CharField(max_length=64, blank=True, default="")
    new.set_attributes_from_name("reason")

    try:
        with connection.schema_editor() as editor:
            editor.alter_field(Reply, old, new)
        lost = fence.missing_triggers(connection, vault_table=Vault._meta.db_table)
        call_command("migrate", verbosity=0)
    finally:
        with connection.schema_editor() as editor:
            editor.alter_field(Reply, new, old)
        call_command("migrate", verbosity=0)

    # Nothing would be shown if Django had not dropped the triggers with the table.
    assert lost
    assert fence.missing_triggers(connection, vault_table=Vault._meta.db_table) == []


BEFORE_CODES = {"diary": "0006", "traces": "0004"}
ADDED_SINCE = re.compile(
    "_(mac|provenance|inboxitem|importclaim|lookback)_|_(fact|factchange|factsettings|declinedfact)_"
    "|_(note|noteversion|notedraft)_|_checkin(|proposal|settings)_"
)


@pytest.fixture
def other_database(tmp_path: Path) -> Iterator[None]:
    """A migrated database file of its own."""
    data_folder_template.copy_database(tmp_path / "other.sqlite3")
    with using_database_file(tmp_path / "other.sqlite3"):
        yield


def list_triggers() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'fence%'")
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.parametrize("app", BEFORE_CODES)
def test_the_fence_stands_after_a_migration_was_undone_and_after_it_was_done_again(
    other_database: None, app: str
) -> None:
    before = list_triggers()

    call_command("migrate", app, BEFORE_CODES[app], verbosity=0)
    undone = list_triggers()
    call_command("migrate", verbosity=0)

    # All but those of columns that are not there.
    lost = before - undone
    assert lost
    assert all(name.startswith(f"fence_{app}_") and ADDED_SINCE.search(name) for name in lost)
    assert list_triggers() == before
    assert fence.missing_triggers(connection, vault_table=Vault._meta.db_table) == []


def test_the_fence_stands_at_the_next_start_after_a_migration_could_not_be_undone(
    other_database: None,
) -> None:
    before = list_triggers()
    with connection.cursor() as cursor:
        # SQLite drops no column that is in an index.
        cursor.execute("CREATE INDEX odd ON diary_entry (mac)")
    with pytest.raises(OperationalError):
        call_command("migrate", "diary", BEFORE_CODES["diary"], verbosity=0)
    assert list_triggers() != before

    startup.prepare_database()
    startup.restore_fence()

    assert list_triggers() == before
    assert fence.missing_triggers(connection, vault_table=Vault._meta.db_table) == []
    assert startup.restore_fence() is None


PLANTED = [
    # Copies what is deleted, skips a save, or stands in for a table: after whoever planted it is gone, too.
    "CREATE TRIGGER planted BEFORE DELETE ON diary_entry BEGIN INSERT INTO planted_rows SELECT OLD.text; END",
    'CREATE TRIGGER "pla""nted" BEFORE INSERT ON diary_entry BEGIN SELECT RAISE(IGNORE); END',
    "CREATE VIEW fence_diary_entry_text_insert AS SELECT 1",
]


@pytest.mark.parametrize("act", [startup.restore_fence, startup.prepare_database, "migrate"])
def test_triggers_and_views_that_we_did_not_create_are_removed_and_ours_stay(
    other_database: None, act: Any
) -> None:
    before = list_triggers()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE planted_rows (text)")
        for statement in PLANTED:
            cursor.execute(statement)
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as database:
        assert integrity.find_unknown_triggers(database) == [
            "Triggers or views that Llamora did not create: 3."
        ]

    if act == "migrate":
        # What `doctor` recommends.
        call_command("migrate", "--skip-checks", verbosity=0)
    else:
        act()

    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as database:
        assert integrity.find_unknown_triggers(database) == []
    assert list_triggers() == before
    assert startup.restore_fence() is None


def test_it_is_said_what_was_removed(other_database: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(PLANTED[1])
        cursor.execute("DROP TRIGGER fence_diary_entry_text_insert")

    said = startup.restore_fence()

    assert said is not None
    assert said.startswith("The database had 1 trigger or view that Llamora did not create. Deleted.")
    assert said.endswith("The database lacked 1 trigger against old keys. Created again.")


@pytest.mark.parametrize(
    ("statement", "missing"),
    [
        ("ALTER TABLE search_recentsearch DROP COLUMN searched_at", "search_recentsearch.searched_at"),
        ("DROP TABLE accounts_unlock", r"accounts_unlock\.\w+ and \d+ more"),
    ],
)
def test_a_database_that_lacks_a_table_or_column_is_not_started(
    other_database: None, statement: str, missing: str
) -> None:
    startup.prepare_database()
    with connection.cursor() as cursor:
        cursor.execute(statement)

    with pytest.raises(OperationRefused, match=f"lacks {missing}. Nothing was started. "):
        startup.prepare_database()


@pytest.mark.parametrize(
    ("table", "change", "named"),
    [
        ("accounts_person", (" NOT NULL PRIMARY KEY", " NOT NULL"), "accounts_person.id"),
        (
            "accounts_vault",
            ('"owner_id" char(32) NOT NULL UNIQUE', '"owner_id" char(32)'),
            "accounts_vault.owner_id",
        ),
        ("diary_recap", ('UNIQUE ("owner_id", "day")', "CHECK (1)"), "diary_recap.day, owner_id"),
    ],
)
def test_a_database_that_lost_a_uniqueness_is_not_started(
    other_database: None, table: str, change: tuple[str, str], named: str
) -> None:
    startup.prepare_database()
    startup.restore_fence()
    with connection.cursor() as cursor:
        (sql,) = cursor.execute("SELECT sql FROM sqlite_master WHERE name = %s", [table]).fetchone()
        assert change[0] in sql
        cursor.execute(f"DROP TABLE {table}")
        cursor.execute(sql.replace(*change, 1))

    with pytest.raises(OperationRefused, match=f"two rows may have the same {named}. Nothing was started. "):
        startup.prepare_database()


def list_indexes() -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
        return dict(cursor.fetchall())


def test_indexes_are_restored_and_unknown_ones_are_deleted(other_database: None) -> None:
    before = list_indexes()
    assert startup.restore_fence() is None
    with connection.cursor() as cursor:
        for name in before:
            cursor.execute(f'DROP INDEX "{name}"')
        # Slow to write to, refuses a second save of a day, and finds no row although it has the name of ours.
        cursor.execute('CREATE INDEX "pla""nted" ON diary_entry (hex(zeroblob(9)))')
        cursor.execute("CREATE UNIQUE INDEX planted ON diary_entry (owner_id, day)")
        cursor.execute("CREATE INDEX entry_in_bin ON diary_entry (day) WHERE 0")

    said = startup.restore_fence()

    assert list_indexes() == before
    assert said == (
        "The database had 3 indexes that Llamora did not create. Deleted. "
        f"The database lacked {len(before)} indexes. Created again."
    )
    assert startup.restore_fence() is None


def test_a_unique_index_waits_until_rows_are_no_longer_doubled(other_database: None) -> None:
    before, day = list_indexes(), "2026-03-05"
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        cursor.execute("PRAGMA foreign_keys = OFF")
        fence.drop_triggers(connection)
        cursor.execute("DROP INDEX draft_per_day")
        columns = [name for _, name, *_ in cursor.execute("PRAGMA table_info(diary_draft)").fetchall()]
        for number in range(2):
            values = {"id": f"{number:032x}", "owner_id": "1" * 32, "day": day, "entry_id": None}
            cursor.execute(
                f"INSERT INTO diary_draft VALUES ({', '.join(['%s'] * len(columns))})",
                [values.get(name, b"1") for name in columns],
            )
        startup.restore_fence()
        assert "draft_per_day" not in list_indexes()
        cursor.execute("DELETE FROM diary_draft")

    assert startup.restore_fence() == "The database lacked 1 index. Created again."
    assert list_indexes() == before


def test_triggers_that_were_dropped_come_back_by_what_the_check_recommends() -> None:
    with connection.cursor() as cursor:
        for name in list_triggers():
            cursor.execute(f'DROP TRIGGER "{name}"')
    hints = {str(found.hint) for found in check_fences(databases=["default"])}

    (hint,) = hints
    arguments = hint.removeprefix("Run: manage.py ").split()
    assert arguments == ["migrate", "--skip-checks"]
    call_command(*arguments, verbosity=0)

    assert fence.missing_triggers(connection, vault_table=Vault._meta.db_table) == []


def test_a_code_of_another_epoch_is_refused(owner: Resident) -> None:
    entry = write(owner)
    before = read_stored_bytes(entry, "mac")
    set_epoch(owner, epoch=2)

    entry.deleted_at = entry.created_at
    with owner.unlocked(), pytest.raises(FenceRefused), write_transaction():
        entry.save(update_fields=["deleted_at"])

    assert read_stored_bytes(entry, "mac") == before
    assert Entry.objects.get(id=entry.id).deleted_at is None
    with pytest.raises(IntegrityError, match=FENCE_MARKER):
        write_stored_bytes(entry, before, column="mac")


def test_a_row_with_nothing_but_a_code_is_fenced_too(owner: Resident) -> None:
    entry = write(owner)
    with owner.unlocked():
        trace = Trace(owner_id=owner.id)
        trace.set_name("weir")
        trace.save()
    set_epoch(owner, epoch=2)

    with owner.unlocked(), pytest.raises(FenceRefused), write_transaction():
        EntryTrace.objects.create(owner_id=owner.id, trace=trace, entry=entry)
    trace.deleted_at = trace.created_at
    with owner.unlocked(), pytest.raises(FenceRefused), write_transaction():
        trace.save()

    assert not EntryTrace.objects.exists()
    assert Trace.objects.get(id=trace.id).deleted_at is None


def test_a_trigger_that_was_weakened_is_noticed_and_mended() -> None:
    name = "fence_diary_entry_text_insert"
    with connection.cursor() as cursor:
        cursor.execute(f'DROP TRIGGER "{name}"')
        cursor.execute(f'CREATE TRIGGER "{name}" AFTER INSERT ON diary_entry BEGIN SELECT 1; END')

    assert fence.missing_triggers(connection, vault_table=Vault._meta.db_table) == [name]
    made = fence.install_triggers(connection, fenced=[Entry], vault_table=Vault._meta.db_table)

    assert made == 1
    assert fence.missing_triggers(connection, vault_table=Vault._meta.db_table) == []


def test_a_refusal_says_nothing_of_the_row(owner: Resident) -> None:
    with in_force(keyring_with_epoch(owner, 2)), pytest.raises(NotWritten) as refused, write_transaction():
        Entry.objects.create(owner_id=owner.id, day=DAY, text="the words")

    error: Any = refused.value
    assert error.__cause__ is None
    assert error.__suppress_context__
