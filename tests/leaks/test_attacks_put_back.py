"""Attacks that restore old rows, with write access to the database and a copied cookie or a former secret."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from accounts.auth.services.reauth import Reauthentication
from accounts.auth.services.recovery import recover_account
from accounts.errors import AccountsError
from accounts.keys import former_keys
from accounts.models import FormerKey, SignIn, SlotKind, Unlock
from accounts.rotation import completion
from accounts.rotation.background import stop_rotation_threads
from accounts.rotation.epoch_change import begin_rotation
from accounts.rotation.errors import UnreadableFormerKey
from accounts.rotation.reencryption import reencrypt_all
from accounts.rotation.services import resume_rotation, verify_envelopes
from accounts.security import services as security_services
from accounts.sessions import latest_key_cookie as latest
from accounts.sessions import services as sessions_services
from diary.models import Draft, Entry
from llamora.crypto import EnvelopeError, Keyring, encode_header, in_force
from llamora.database import NotWritten
from llamora.fields import new_id
from llamora.fields.fence import drop_triggers
from llamora.ops.backup import restore as backup_restore
from llamora.ops.backup import snapshot
from llamora.ops.backup.verify_secret import using_database_file
from tests.accounts.pages import confirm_code, get_shown_code
from tests.diary.late_drafts import copy_rows, find_unchecked_texts, put_back, send
from tests.fakes.waiting import PATIENCE, wait_for
from tests.ops.backups import NOW, BackupFolders, die_at_step, get_database_path
from tests.people import HERE, NEW_PASSWORD, PASSWORD, Resident, register_resident
from tests.rotation.format_1 import move_back_to_format_1
from tests.rotation.processes import KILLED, run_forked
from traces.models import Trace, compute_name_index
from traces.tagging.services import add_trace

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner() -> Iterator[Resident]:
    yield register_resident("Olive", entries=12)
    stop_rotation_threads(timeout=PATIENCE)


def copy_session(owner: Resident) -> dict[str, list[Any]]:
    with connection.cursor() as cursor:
        return {
            table: cursor.execute(f"SELECT * FROM {table}").fetchall()
            for table in (SignIn._meta.db_table, Unlock._meta.db_table)
        }


def put_back_session(copied: dict[str, list[Any]]) -> None:
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        for table, rows in copied.items():
            cursor.execute(f"DELETE FROM {table}")
            for row in rows:
                marks = ", ".join(["%s"] * len(row))
                cursor.execute(f"INSERT INTO {table} VALUES ({marks})", row)


# --- sessions that were ended ---------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/lock/", "/sign-out/"])
def test_rows_of_a_session_that_were_put_back_open_nothing(owner: Resident, path: str) -> None:
    owner.sign_in()
    stolen, copied = owner.get_cookie(), copy_session(owner)
    assert owner.post(path).status_code == 302

    put_back_session(copied)

    assert not sessions_services.open_session(stolen).is_unlocked


CHANGES = {
    "the salt was changed": "UPDATE accounts_unlock SET salt = randomblob(16)",
    "the salt was damaged": "UPDATE accounts_unlock SET salt = 7",
    "the row was removed": "DELETE FROM accounts_unlock",
    "both rows were removed": "DELETE FROM accounts_unlock; DELETE FROM accounts_signin",
    "it was given to another person": "UPDATE accounts_signin SET person_id = {other}",
}


def change_rows(change: str, *, other: Resident) -> None:
    with connection.cursor() as cursor:
        for statement in CHANGES[change].replace("{other}", f"'{other.id.hex}'").split("; "):
            cursor.execute(statement)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("end", ["sign out", "lock", "sweep"])
def test_rows_that_were_changed_before_the_end_and_then_put_back_open_nothing(
    owner: Resident, change: str, end: str
) -> None:
    owner.sign_in()
    stolen, copied = owner.get_cookie(), copy_session(owner)
    assert sessions_services.open_session(stolen).is_unlocked
    change_rows(change, other=register_resident("Humphrey"))

    if end == "sign out":
        sessions_services.end_sessions(person_id=owner.id)
    elif end == "lock":
        sessions_services.lock_session(sign_in_id=stolen.sign_in_id, person_id=owner.id)
    else:
        sessions_services.end_expired_sessions()
    put_back_session(copied)

    assert not sessions_services.open_session(stolen).is_unlocked


def test_a_cookie_of_before_the_last_unlock_opens_nothing_with_its_rows(owner: Resident) -> None:
    owner.sign_in()
    stolen, copied = owner.get_cookie(), copy_session(owner)
    owner.lock()
    assert owner.client.post("/unlock/", {"password": PASSWORD}).status_code == 302

    put_back_session(copied)

    assert not sessions_services.open_session(stolen).is_unlocked


# --- rotations ------------------------------------------------------------------------------------------


def test_a_rotation_that_ends_does_not_destroy_the_file_of_the_next(
    owner: Resident, monkeypatch: Any
) -> None:
    """The second rotation begins after the commit of the last step of the first, before its files go."""
    first = begin_rotation(owner.open_slot())
    reencrypt_all(first.keyring)
    destroy = former_keys.destroy_files

    def begin_another(*args: Any, **kwargs: Any) -> None:
        monkeypatch.setattr(former_keys, "destroy_files", destroy)
        begin_rotation(owner.open_slot()).keyring.close()
        destroy(*args, **kwargs)

    monkeypatch.setattr(former_keys, "destroy_files", begin_another)
    completion.destroy_former_keys(first.keyring)

    assert owner.get_vault().epoch == 3
    resume_rotation(owner.open_keyring())
    assert owner.read_all() == owner.written


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_formerkey SET epoch = 0",
        "UPDATE accounts_formerkey SET epoch = 3",
        "UPDATE accounts_formerkey SET owner_id = (SELECT id FROM accounts_person WHERE name = 'Humphrey')",
    ],
)
def test_a_row_of_a_former_key_with_a_flipped_bit_loses_nothing_for_good(
    owner: Resident, statement: str
) -> None:
    register_resident("Humphrey")
    begin_rotation(owner.open_slot()).keyring.close()
    with connection.cursor() as cursor:
        before = cursor.execute("SELECT * FROM accounts_formerkey").fetchall()
        cursor.execute(statement)
    with suppress(AccountsError):
        resume_rotation(owner.open_keyring())

    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_formerkey")
        cursor.execute(
            f"INSERT INTO accounts_formerkey VALUES ({', '.join(['%s'] * len(before[0]))})", before[0]
        )

    resume_rotation(owner.open_keyring())
    assert owner.read_all() == owner.written


def test_a_death_before_the_files_are_destroyed_leaves_none_for_good(
    owner: Resident, monkeypatch: Any
) -> None:
    begun = begin_rotation(owner.open_slot())
    reencrypt_all(begun.keyring)

    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(former_keys, "destroy_files", die)
        with pytest.raises(KeyboardInterrupt):
            completion.destroy_former_keys(begun.keyring)
    owner.sign_in()
    stop_rotation_threads(timeout=PATIENCE)

    assert list(former_keys.get_folder().glob(f"{owner.id.hex}-*")) == []


def test_a_finished_rotation_is_not_undone_with_a_file_that_a_death_left(
    owner: Resident, monkeypatch: Any
) -> None:
    thief = owner.open_keyring()
    begun = begin_rotation(owner.open_slot(), new_secrets={SlotKind.PASSWORD: NEW_PASSWORD})
    owner.password = NEW_PASSWORD
    with connection.cursor() as cursor:
        states = cursor.execute("SELECT state, owner_id FROM accounts_vault").fetchall()
        former = cursor.execute("SELECT * FROM accounts_formerkey").fetchall()
    reencrypt_all(begun.keyring)
    with monkeypatch.context() as patch:
        patch.setattr(former_keys, "destroy_files", lambda *_, **__: None)
        completion.destroy_former_keys(begun.keyring)
    owner.sign_in()
    stop_rotation_threads(timeout=PATIENCE)
    owner.post("/sign-out/")

    with connection.cursor() as cursor:
        cursor.executemany("UPDATE accounts_vault SET state = %s WHERE owner_id = %s", states)
        cursor.execute(
            f"INSERT INTO accounts_formerkey VALUES ({', '.join(['%s'] * len(former[0]))})", former[0]
        )
    forge(owner, thief)

    with in_force(owner.open_keyring()):
        texts = [entry.open_or("text", None) for entry in Entry.objects.filter(owner_id=owner.id)]
    assert "Never written by her." not in texts


def forge(owner: Resident, thief: Keyring) -> None:
    """Write an entry under a former key."""
    drop_triggers(connection)
    with in_force(thief):
        Entry.objects.create(owner_id=owner.id, day=owner.today, text="Never written by her.")


def test_who_had_the_password_of_before_forges_no_entry_by_a_damaged_row(owner: Resident) -> None:
    thief = owner.open_keyring()
    owner.sign_in()
    drop_triggers(connection)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO diary_draft (id, owner_id, day, text, revision, updated_at) "
            "VALUES (%s, %s, %s, %s, 1, %s)",
            [
                new_id().hex,
                owner.id.hex,
                "2001-01-01",
                encode_header(2, 1) + os.urandom(120),
                "2026-01-01 00:00:00",
            ],
        )
    answer = owner.post(
        "/settings/password/", current=PASSWORD, password=NEW_PASSWORD, password_again=NEW_PASSWORD
    )
    assert answer.status_code == 302
    owner.password = NEW_PASSWORD
    stop_rotation_threads(timeout=PATIENCE)
    with suppress(UnreadableFormerKey):
        resume_rotation(owner.open_keyring())

    forge(owner, thief)

    assert "Never written by her." not in owner.get("/").content.decode()


def test_somebody_had_my_key_works_although_a_row_is_damaged(owner: Resident) -> None:
    here = owner.create_session()
    drop_triggers(connection)
    begin_rotation(owner.open_slot(), current_cookie=here).keyring.close()
    with connection.cursor() as cursor:
        (row_id,) = cursor.execute("SELECT id FROM diary_entry LIMIT 1").fetchone()
        cursor.execute(
            "UPDATE diary_entry SET text = %s WHERE id = %s", [encode_header(2, 1) + os.urandom(120), row_id]
        )
    vault = sessions_services.open_session(here)
    asked = Reauthentication(vault=vault, cookie=here, password=owner.password, address=HERE)

    security_services.reset_after_compromise(asked, new_password=NEW_PASSWORD)

    assert owner.get_vault().epoch == 3


def test_preferences_of_a_former_key_are_refused_while_a_rotation_is_unfinished(owner: Resident) -> None:
    here = owner.create_session()
    with connection.cursor() as cursor:
        earlier = cursor.execute("SELECT preferences, owner_id FROM accounts_vault").fetchone()
    owner.set_preferences(reads_related_entries=False)
    owner.person.refresh_from_db()
    begun = begin_rotation(owner.open_slot(), current_cookie=here)
    drop_triggers(connection)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_vault SET preferences = %s WHERE owner_id = %s", earlier)

    found = sessions_services.open_session(here)

    assert not found.is_unlocked or not found.person.reads_related_entries
    begun.keyring.close()


# --- the move ----------------------------------------------------------------------------------------------


def test_the_new_recovery_code_is_shown_although_the_browser_asks_about_a_backup(owner: Resident) -> None:
    move_back_to_format_1(owner, with_list=False)
    # This browser has seen a later key: a backup of before was restored.
    name = latest._get_name(owner.id)
    owner.client.cookies[name] = f"7.{'00' * 8}.{latest._compute_mac(owner.id, '7', '00' * 8)}"
    form = {"name": owner.person.name, "password": owner.password}

    first = owner.client.post("/sign-in/", form)
    assert first.status_code == 422
    page = owner.client.post("/sign-in/", {**form, "backup_restored": "on"})
    stop_rotation_threads(timeout=PATIENCE)

    recovery = [owner.recovery_code] if page.status_code == 302 else [get_shown_code(page)]
    owner.recovery_code = recovery[0]
    owner.open_slot(by=SlotKind.RECOVERY)


def test_a_code_that_was_lost_on_a_full_disk_is_replaced_and_shown(
    owner: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    move_back_to_format_1(owner, with_list=False)
    form = {"name": owner.person.name, "password": owner.password}

    def fail(*_: Any, **__: Any) -> None:
        raise NotWritten("disk_full")

    with monkeypatch.context() as patch:
        patch.setattr(sessions_services, "create_session", fail)
        assert owner.client.post("/sign-in/", form).status_code >= 500
    stop_rotation_threads(timeout=PATIENCE)
    page = owner.client.post("/sign-in/", form)
    stop_rotation_threads(timeout=PATIENCE)

    assert page.status_code == 200
    assert "This is a new code." in page.content.decode()
    assert confirm_code(owner.client, page).status_code == 302
    owner.client.post("/sign-out/")
    assert owner.client.post("/sign-in/", form).status_code == 302
    owner.recovery_code = get_shown_code(page)
    owner.open_slot(by=SlotKind.RECOVERY)


@pytest.mark.parametrize("begins", ["recovery", "replacement", "reset"])
def test_a_code_that_no_page_showed_is_replaced_and_shown(owner: Resident, begins: str) -> None:
    """The process died after the commit, so that the answer was lost."""
    here = owner.create_session()
    asked = Reauthentication(
        vault=sessions_services.open_session(here), cookie=here, password=owner.password, address=HERE
    )
    if begins == "recovery":
        recover_account(
            name=owner.person.name, code=owner.recovery_code, new_password=NEW_PASSWORD, address=HERE
        )
        owner.password = NEW_PASSWORD
    elif begins == "replacement":
        security_services.replace_recovery_code(asked)
    else:
        security_services.reset_after_compromise(asked, new_password=NEW_PASSWORD)
        owner.password = NEW_PASSWORD
    stop_rotation_threads(timeout=PATIENCE)

    page = owner.client.post("/sign-in/", {"name": owner.person.name, "password": owner.password})
    stop_rotation_threads(timeout=PATIENCE)

    owner.recovery_code = get_shown_code(page)
    assert owner.read_all(owner.open_slot(by=SlotKind.RECOVERY).keyring) == owner.written


# --- ordinary damage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["folded_drafts", "former_pair"])
def test_a_flipped_bit_in_what_is_not_a_key_keeps_nobody_out(owner: Resident, column: str) -> None:
    begin_rotation(owner.open_slot()).keyring.close()
    resume_rotation(owner.open_keyring())
    keyring = owner.open_keyring()
    vault = owner.get_vault()
    with in_force(keyring):
        vault.folded_drafts = {new_id().hex: "2026-01-01"}
        vault.save(update_fields=["folded_drafts"])
    with connection.cursor() as cursor:
        (value,) = cursor.execute(f"SELECT {column} FROM accounts_vault").fetchone()
        damaged = bytearray(value)
        damaged[-1] ^= 1
        cursor.execute(f"UPDATE accounts_vault SET {column} = %s", [bytes(damaged)])

    owner.sign_in()


def flip_bit_of_vault(column: str) -> None:
    with connection.cursor() as cursor:
        (value,) = cursor.execute(f"SELECT {column} FROM accounts_vault").fetchone()
        damaged = bytearray(value)
        damaged[-1] ^= 1
        cursor.execute(f"UPDATE accounts_vault SET {column} = %s", [bytes(damaged)])


@pytest.mark.parametrize("column", ["folded_drafts", "former_pair"])
def test_a_flipped_bit_in_what_is_not_a_key_stops_no_key_change(owner: Resident, column: str) -> None:
    begun = begin_rotation(owner.open_slot())
    resume_rotation(begun.keyring)
    vault = owner.get_vault()
    with in_force(begun.keyring):
        vault.folded_drafts = {new_id().hex: "2026-01-01"}
        vault.save(update_fields=["folded_drafts"])
    flip_bit_of_vault(column)

    resume_rotation(begin_rotation(owner.open_slot()).keyring)

    assert owner.read_all() == owner.written
    assert verify_envelopes(owner.open_keyring()).damaged == []


def empty_column(column: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE accounts_vault SET {column} = NULL")


@pytest.mark.parametrize("spoil", [flip_bit_of_vault, empty_column])
def test_a_draft_is_not_merged_again_after_the_list_of_merged_ones_was_damaged(
    owner: Resident, spoil: Callable[[str], None]
) -> None:
    """Whoever can write the list away must not have an old text merged once more."""
    owner.sign_in()
    owner.lock()
    send(owner, "Long gone")
    rows, keys = copy_rows("diary_latedraft"), copy_rows("accounts_browserkey")
    owner.sign_in()
    Draft.objects.all().delete()

    spoil("folded_drafts")
    put_back("diary_latedraft", rows)
    put_back("accounts_browserkey", keys)
    owner.lock()
    owner.sign_in()

    assert not Draft.objects.exists()
    assert "Long gone" in find_unchecked_texts(owner)
    put_back("diary_latedraft", rows)
    owner.lock()
    owner.sign_in()
    assert not Draft.objects.exists()
    owner.lock()
    send(owner, "A new one")
    owner.sign_in()
    assert Draft.objects.count() == 1


@pytest.mark.parametrize(
    "column",
    [
        "private_key",
        "state",
        "ways_in",
        "preferences",
        "former_pair",
        "folded_drafts",
        "digest_key",
        "model_hosts",
    ],
)
def test_no_column_of_the_vault_is_of_a_former_key(owner: Resident, column: str) -> None:
    """A former key opens them until its rotation is finished; whoever has it could write them too."""
    begin_rotation(owner.open_slot()).keyring.close()
    vault = owner.get_vault()
    with in_force(owner.open_keyring()):
        vault.folded_drafts, vault.model_hosts = {new_id().hex: "2026-01-01"}, {"models.example": {}}
        vault.save(update_fields=["folded_drafts", "model_hosts"])
    with connection.cursor() as cursor:
        (earlier,) = cursor.execute(f"SELECT {column} FROM accounts_vault").fetchone()
    begun = begin_rotation(owner.open_slot())
    drop_triggers(connection)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE accounts_vault SET {column} = %s", [earlier])

    with in_force(begun.keyring), pytest.raises(EnvelopeError):
        getattr(owner.get_vault(), column)
    reencrypt_all(begun.keyring)
    with in_force(begun.keyring), pytest.raises(EnvelopeError):
        getattr(owner.get_vault(), column)


def test_a_file_of_zeros_is_no_key(owner: Resident) -> None:
    """A death after the file was overwritten, and before it was removed, left one."""
    folder = former_keys.get_folder()
    folder.mkdir(exist_ok=True)
    file = folder / f"{owner.id.hex}-1"
    file.write_bytes(bytes(32))

    begin_rotation(owner.open_slot()).keyring.close()

    assert len(file.read_bytes()) == 32
    assert any(file.read_bytes())
    resume_rotation(owner.open_keyring())
    assert owner.read_all() == owner.written


def test_a_former_key_without_its_file_is_not_believed_after_the_move(owner: Resident) -> None:
    """In format 1 the row held the key itself, and needed no file."""
    data_key = owner.open_keyring().data_key()
    begin_rotation(owner.open_slot()).keyring.close()
    keyring = owner.open_keyring()
    with in_force(keyring):
        row = FormerKey.objects.get(owner_id=owner.id)
        row.data_key = data_key
        row.save(update_fields=["data_key"])

    assert owner.open_keyring().list_former_epochs() == []


def test_files_of_former_keys_that_a_death_left_are_destroyed_at_the_start(
    owner: Resident, monkeypatch: Any
) -> None:
    other = register_resident("Humphrey", entries=1)
    for person in (owner, other):
        begun = begin_rotation(person.open_slot())
        if person is owner:
            with monkeypatch.context() as patch:
                patch.setattr(former_keys, "destroy_files", lambda *_, **__: None)
                resume_rotation(begun.keyring)

    assert completion.destroy_remaining_files() == 1

    assert former_keys.list_file_epochs(owner.id) == set()
    assert former_keys.list_file_epochs(other.id) == {1}
    resume_rotation(other.open_keyring())
    assert other.read_all() == other.written


def test_a_file_that_a_death_left_is_destroyed_at_the_next_unlock_although_a_row_is_damaged(
    owner: Resident, monkeypatch: Any
) -> None:
    begun = begin_rotation(owner.open_slot())
    drop_triggers(connection)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE diary_entry SET text = %s WHERE id = (SELECT min(id) FROM diary_entry)",
            [encode_header(2, 1) + os.urandom(120)],
        )
    with monkeypatch.context() as patch:
        patch.setattr(former_keys, "destroy_files", lambda *_, **__: None)
        resume_rotation(begun.keyring)
    assert completion.destroy_remaining_files() == 0
    assert former_keys.list_file_epochs(owner.id) == {1}

    owner.sign_in()

    # A thread that is stopped before leaves it for the unlock after.
    wait_for(lambda: former_keys.list_file_epochs(owner.id) == set())
    stop_rotation_threads(timeout=PATIENCE)


@pytest.mark.parametrize("change", ["salt = 'salt'", "public_key = 5", "created_at = 'never'"])
def test_a_damaged_way_to_unlock_stops_no_key_change(owner: Resident, change: str) -> None:
    recovery = owner.get_slot(SlotKind.RECOVERY).id
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE accounts_keyslot SET {change} WHERE kind = 'recovery'")

    begun = begin_rotation(owner.open_slot())

    assert [(slot.slot_id, slot.code) for slot in begun.refused_slots] == [(recovery, "damaged")]
    resume_rotation(begun.keyring)
    assert owner.read_all() == owner.written


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE traces_trace SET name = 'text' WHERE id = (SELECT min(id) FROM traces_trace)",
        "UPDATE traces_trace SET deleted_at = CAST(x'ff' AS TEXT) "
        "WHERE id = (SELECT min(id) FROM traces_trace)",
    ],
)
def test_a_trace_that_nobody_wrote_stops_no_key_change(owner: Resident, statement: str) -> None:
    with in_force(owner.keyring):
        first = Entry.objects.filter(owner_id=owner.id)[0]
        for name in ("heron", "marsh"):
            add_trace(owner_id=owner.id, entry_id=first.id, name=name)
    drop_triggers(connection)
    with connection.cursor() as cursor:
        cursor.execute(statement)

    begun = begin_rotation(owner.open_slot())
    resume_rotation(begun.keyring)

    with in_force(begun.keyring):
        index = compute_name_index("marsh")
        assert Trace.objects.filter(owner_id=owner.id, name_index=index).count() == 1


def test_a_planted_former_key_of_any_shape_stops_no_key_change(owner: Resident) -> None:
    begun = begin_rotation(owner.open_slot())
    drop_triggers(connection)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE copied AS SELECT * FROM accounts_formerkey")
        cursor.execute("UPDATE copied SET id = %s, epoch = 77, begun_at = 'never'", [new_id().hex])
        cursor.execute("INSERT INTO accounts_formerkey SELECT * FROM copied")
        cursor.execute("DROP TABLE copied")

    resume_rotation(begun.keyring)

    assert owner.read_all() == owner.written
    assert not FormerKey.objects.filter(owner_id=owner.id).exists()


def test_a_flipped_bit_in_the_first_entry_keeps_nobody_out() -> None:
    young = register_resident("Yuna", entries=1)
    with connection.cursor() as cursor:
        (value,) = cursor.execute("SELECT text FROM diary_entry").fetchone()
        damaged = bytearray(value)
        damaged[-1] ^= 1
        cursor.execute("UPDATE diary_entry SET text = %s", [bytes(damaged)])

    young.sign_in()


# --- a restore in the middle of a rotation ---------------------------------------------------------


def test_a_restore_that_is_undone_gives_back_the_former_key(owner: Resident, tmp_path: Path) -> None:
    """The replaced database was half way through a rotation, and the restored one finished one."""
    place = BackupFolders(folder=tmp_path)
    target = place.target_database
    taken = place.create_backup()
    begin_rotation(owner.open_slot()).keyring.close()
    target.parent.mkdir(mode=0o700)
    snapshot.copy_database(get_database_path(), target)
    shutil.copytree(former_keys.get_folder(), target.parent / former_keys.FOLDER)
    aside = backup_restore.restore_backup(taken.path, database=target, key_file=place.key_file, now=NOW)
    assert aside.set_aside_path is not None
    with using_database_file(target):
        begin_rotation(owner.open_slot()).keyring.close()
        resume_rotation(owner.open_keyring())
        connection.close()

    backup_restore.restore_backup(
        aside.set_aside_path, database=target, key_file=place.key_file, now=NOW + timedelta(hours=1)
    )

    with using_database_file(target):
        resume_rotation(owner.open_keyring())
        assert owner.read_all() == owner.written


def test_a_restore_that_is_killed_anywhere_loses_no_former_key(owner: Resident, tmp_path: Path) -> None:
    """Both databases are half way through a rotation, and their files have the same name."""
    place = BackupFolders(folder=tmp_path)
    target = place.target_database
    begin_rotation(owner.open_slot()).keyring.close()
    taken = place.create_backup()
    (file,) = former_keys.get_folder().glob(f"{owner.id.hex}-*")
    of_backup = file.read_bytes()

    killed, restored = 0, False
    for step in range(1, 400, 2):
        # The household that is replaced: its key change has another file.
        shutil.rmtree(target.parent, ignore_errors=True)
        target.parent.mkdir(mode=0o700)
        snapshot.copy_database(get_database_path(), target)
        (target.parent / former_keys.FOLDER).mkdir()
        with using_database_file(target):
            (target.parent / former_keys.FOLDER / file.name).write_bytes(of_backup)
            keyring = owner.open_keyring()
            former_keys.destroy_files(owner.id)
            former_keys.save_former_key(keyring, epoch=1)
            owner.write_with(keyring, "Only in the replaced one")
            connection.close()

        def restores(step: int = step) -> None:
            die_at_step(step, events={"os.rename", "os.remove", "os.link", "open", "shutil.rmtree"})
            backup_restore.restore_backup(taken.path, database=target, key_file=place.key_file, now=NOW)

        ended = run_forked(restores)
        killed += ended == KILLED
        with using_database_file(target):
            keyring = owner.open_keyring()
            assert keyring.list_former_epochs() == [1], step
            assert owner.read_all(keyring).items() >= owner.written.items()
            keyring.close()
            connection.close()
        if ended == 0:
            restored = True
            break
    assert killed > 20
    assert restored
    assert [path.name for path in (target.parent / former_keys.FOLDER).iterdir()] == [file.name]
