"""Tests that the documentation and libsodium suffice to open a diary without this program."""

import ast
import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from accounts.auth.services.recovery import recover_account
from accounts.keys import former_keys
from accounts.keys.slot_list import encode_slot_list
from accounts.models import KeySlot, SlotKind, Vault
from accounts.rotation import services as rotation_services
from accounts.rotation.background import stop_rotation_threads
from accounts.rotation.epoch_change import begin_rotation
from diary.models import Entry
from llamora.crypto import in_force
from llamora.fields import fence
from tests.fakes.waiting import PATIENCE
from tests.people import HERE, NEW_PASSWORD, Resident
from tests.rotation.format_1 import move_back_to_format_1
from tests.rotation.independent_reader import TEXTS, CannotOpenError, Diary
from traces.models import EntryTrace, Trace

READER = Path(__file__).with_name("independent_reader.py")


def run_reader(secret: str, *, name: str = "Olive") -> subprocess.CompletedProcess[str]:
    """Run the independent reader in a folder without the project."""
    return subprocess.run(
        [sys.executable, "-I", str(READER), str(connection.settings_dict["NAME"]), name],
        input=f"{secret}\n",
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )


def read_diary(secret: str) -> dict[str, Any]:
    ran = run_reader(secret)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def test_it_uses_nothing_of_the_project() -> None:
    tree = ast.parse(READER.read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}

    others = {str(module).split(".")[0] for module in imported} - sys.stdlib_module_names
    assert others == {"argon2", "nacl"}


def test_it_opens_a_diary_with_the_password(owner: Resident) -> None:
    found = read_diary(owner.password)

    assert [entry["text"] for entry in found["entries"]] == list(owner.written.values())
    assert found["entries"][1]["day"] == "2026-01-02"
    assert [draft["text"] for draft in found["drafts"]] == [f"Draft {n}" for n in range(0, 12, 3)]
    assert [reply["text"] for reply in found["replies"]] == [f"Reply {n}" for n in range(0, 12, 2)]


def test_it_opens_a_diary_with_the_recovery_code(owner: Resident) -> None:
    typed = owner.recovery_code.lower().replace("-", " ").replace("0", "o").replace("1", "l")

    assert [entry["text"] for entry in read_diary(typed)["entries"]] == list(owner.written.values())


def test_it_opens_a_diary_half_way_through_a_rotation(owner: Resident) -> None:
    begin_rotation(owner.open_slot())
    owner.write_many(1)
    assert owner.list_epochs() == {1, 2}

    found = read_diary(owner.password)

    assert found["epoch"] == 2
    assert [entry["text"] for entry in found["entries"]] == list(owner.written.values())


def test_it_opens_a_diary_after_a_rotation(owner: Resident) -> None:
    rotation_services.resume_rotation(begin_rotation(owner.open_slot()).keyring)

    for secret in (owner.password, owner.recovery_code):
        found = read_diary(secret)
        assert found["epoch"] == 2
        assert [entry["text"] for entry in found["entries"]] == list(owner.written.values())


def test_it_is_refused_by_a_wrong_secret_and_by_a_forged_slot(owner: Resident) -> None:
    wrong = run_reader("not this one at all")
    KeySlot.objects.filter(id=owner.get_slot(SlotKind.PASSWORD).id).update(mac=bytes(32))
    planted = run_reader(owner.password)

    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "wrong secret" in wrong.stderr
    assert (planted.returncode, planted.stdout) == (1, "")
    assert "planted box" in planted.stderr


def test_it_opens_a_diary_after_a_recovery_and_two_rotations_at_once(owner: Resident) -> None:
    begin_rotation(owner.open_slot())
    owner.write_many(1)
    recovered = recover_account(
        name="Olive", code=owner.recovery_code, new_password=NEW_PASSWORD, address=HERE
    )
    stop_rotation_threads(timeout=PATIENCE)
    begin_rotation(owner_with(owner, NEW_PASSWORD).open_slot())

    for secret in (NEW_PASSWORD, recovered.recovery_code):
        assert [entry["text"] for entry in read_diary(secret)["entries"]] == list(owner.written.values())
    for secret in (owner.password, owner.recovery_code):
        assert "wrong secret" in run_reader(secret).stderr


def owner_with(owner: Resident, password: str) -> Resident:
    return replace(owner, password=password)


@pytest.mark.parametrize("with_secret", ["password", "recovery_code"])
def test_it_opens_a_diary_of_format_1_before_and_during_the_move(owner: Resident, with_secret: str) -> None:
    move_back_to_format_1(owner)
    for epoch in (1, 2):
        found = read_diary(getattr(owner, with_secret))
        assert found["epoch"] == epoch
        assert [entry["text"] for entry in found["entries"]] == list(owner.written.values())
        if epoch == 1:
            begin_rotation(owner.open_slot())
    assert owner.list_epochs() == {1, 2}


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ("deleted_at = '2026-01-01 00:00:00'", "changed columns"),
        ("mac = NULL", "no code of its columns"),
        ("revision = 2", "changed, or moved"),
        ("origin = 'imported'", "changed, or moved"),
        ("utc_offset = 3600", "changed, or moved"),
        ("day = '2025-01-01'", "changed, or moved"),
    ],
)
def test_it_refuses_columns_that_were_changed_without_a_key(
    owner: Resident, change: str, refusal: str
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE diary_entry SET {change}")

    assert refusal in run_reader(owner.password).stderr


@pytest.fixture
def trace(owner: Resident) -> Trace:
    """A trace on the owner's first entry."""
    with owner.unlocked():
        trace = Trace(owner_id=owner.id)
        trace.set_name("heron")
        trace.save()
        EntryTrace.objects.create(owner_id=owner.id, trace=trace, entry_id=next(iter(owner.written)))
    return trace


def test_it_reads_traces_and_the_entries_that_they_are_on(owner: Resident, trace: Trace) -> None:
    del trace
    expected = [{"name": "heron", "entries": [next(iter(owner.written)).hex]}]

    before = read_diary(owner.password)["traces"]
    begun = begin_rotation(owner.open_slot())
    half_way = read_diary(owner.password)["traces"]
    rotation_services.resume_rotation(begun.keyring)

    assert before == half_way == read_diary(owner.recovery_code)["traces"] == expected


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ("traces_trace SET is_read_always = 1", "changed, or moved"),
        ("traces_trace SET name_index = zeroblob(32)", "changed, or moved"),
        ("traces_trace SET created_at = '2026-01-01 00:00:00'", "changed columns"),
        ("traces_kepttrace SET entry_id = (SELECT max(id) FROM diary_entry)", "changed columns"),
        ("traces_kepttrace SET mac = NULL", "no code of its columns"),
    ],
)
def test_it_refuses_traces_that_were_changed_without_a_key(
    owner: Resident, trace: Trace, change: str, refusal: str
) -> None:
    del trace
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {change}")

    assert refusal in run_reader(owner.password).stderr


def test_it_reads_no_former_epoch_without_the_file_of_its_key(owner: Resident) -> None:
    begin_rotation(owner.open_slot())
    assert read_diary(owner.password)["epoch"] == 2

    former_keys.destroy_files(owner.id)

    assert "the file of a former key is gone" in run_reader(owner.password).stderr


def test_it_ignores_a_former_key_that_was_put_back(owner: Resident) -> None:
    begun = begin_rotation(owner.open_slot())
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE copied AS SELECT * FROM accounts_formerkey")
    rotation_services.resume_rotation(begun.keyring)

    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO accounts_formerkey SELECT * FROM copied")
        cursor.execute("DROP TABLE copied")

    assert [entry["text"] for entry in read_diary(owner.password)["entries"]] == list(owner.written.values())


def test_it_refuses_bytes_of_a_former_epoch_that_were_put_back(owner: Resident) -> None:
    """After the move, older bytes open under no key, and a relabelled format opens none either."""
    move_back_to_format_1(owner)
    entry = Entry.objects.order_by("id")[0]
    with connection.cursor() as cursor:
        older = cursor.execute("SELECT text FROM diary_entry WHERE id = %s", [entry.id.hex]).fetchone()[0]
    rotation_services.resume_rotation(begin_rotation(owner.open_slot()).keyring)

    fence.drop_triggers(connection)
    refusals = []
    for envelope in (older, older[:1] + bytes([0, 0, 0, 2]) + older[5:], bytes([2, 0, 0, 0, 2]) + older[5:]):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE diary_entry SET text = %s WHERE id = %s", [envelope, entry.id.hex])
        refusals.append(run_reader(owner.password).stderr.removeprefix("cannot open: ").strip())
    fence.install_triggers(connection, fenced=fence.sealed_models(), vault_table=Vault._meta.db_table)

    assert refusals == [
        "an epoch whose key is not there",
        "a format that is not that of its epoch",
        "changed, or moved to another row or column",
    ]


def test_it_refuses_a_slot_that_the_list_does_not_name(owner: Resident) -> None:
    vault = owner.get_vault()
    with in_force(owner.open_keyring()):
        vault.ways_in = encode_slot_list([])
        vault.save(update_fields=["ways_in"])

    assert "the list of slots does not name it" in run_reader(owner.password).stderr


# --- What SQLite lets be stored in any column ----------------------------------------------------------

TABLES = (
    "accounts_person",
    "accounts_vault",
    "accounts_keyslot",
    "accounts_formerkey",
    "diary_entry",
    "diary_draft",
    "diary_reply",
    "traces_trace",
    "traces_kepttrace",
)
FEW = ("NULL", "7", "'text'")
STRANGE = (*FEW, "CAST(X'ff' AS TEXT)", "X''", "X'02'", "0.5", "-9223372036854775808", "9e999")


@pytest.mark.usefixtures("trace")
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "value", [value if value in FEW else pytest.param(value, marks=pytest.mark.slow) for value in STRANGE]
)
def test_a_value_of_another_type_is_refused_in_a_sentence(
    owner: Resident, table: str, value: str, tmp_path: Path
) -> None:
    begin_rotation(owner.open_slot())
    sound, damaged = tmp_path / "llamora.sqlite3", tmp_path / "damaged.sqlite3"
    copy_without_rules(sound)
    shutil.copytree(former_keys.get_folder(), tmp_path / former_keys.FOLDER)
    assert len(read_all(sound, owner)) == 4
    with closing(sqlite3.connect(sound)) as rows:
        columns = [row[1] for row in rows.execute(f"PRAGMA table_info({table})")]

    refused = 0
    for column in columns:
        shutil.copyfile(sound, damaged)
        # A number that is a primary key can be nothing else.
        with suppress(sqlite3.IntegrityError), closing(sqlite3.connect(damaged)) as rows, rows:
            rows.execute(f'UPDATE OR IGNORE {table} SET "{column}" = {value}')
        try:
            read_all(damaged, owner)
        except CannotOpenError as error:
            refused += bool(str(error))

    assert refused >= 3


def copy_without_rules(target: Path) -> None:
    """Copy the database, without triggers and rules, which bind nobody who changes its file."""
    path = str(connection.settings_dict["NAME"])
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
    with closing(sqlite3.connect(target)) as copy, copy:
        copy.execute("PRAGMA writable_schema = ON")
        copy.execute("DELETE FROM sqlite_master WHERE type IN ('trigger', 'index') AND sql NOT NULL")
        copy.execute("UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL', '') WHERE type = 'table'")


def read_all(database: Path, owner: Resident) -> dict[str, list[dict[str, Any]]]:
    diary = Diary(database, name="Olive", secret=owner.password)
    with closing(diary.rows):
        return {**{kind: list(diary.texts(kind)) for kind in TEXTS}, "traces": list(diary.traces())}


def test_a_file_that_is_no_database_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"no database at all")

    ran = subprocess.run(
        [sys.executable, "-I", str(READER), str(tmp_path / "file"), "Olive"],
        input="secret\n",
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.strip() == "cannot open: this is no database of a household, or it is damaged"
