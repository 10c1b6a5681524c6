"""Attacks by somebody who can write to the database, and has a copied cookie or a former secret."""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from accounts.auth.services.reauth import Reauthentication
from accounts.errors import AccountsError
from accounts.keys import former_keys
from accounts.models import SignIn, SlotKind, Unlock
from accounts.rotation import completion
from accounts.rotation.background import stop_rotation_threads
from accounts.rotation.epoch_change import begin_rotation
from accounts.rotation.errors import DamagedRows
from accounts.rotation.reencryption import reencrypt_all
from accounts.rotation.services import resume_rotation
from accounts.security import services as security_services
from accounts.sessions import latest_key_cookie as latest
from accounts.sessions import services as sessions_services
from diary.models import Entry
from llamora.crypto import Keyring, encode_header, in_force
from llamora.fields import new_id
from llamora.fields.fence import drop_triggers
from llamora.ops.backup import restore as backup_restore
from llamora.ops.backup import snapshot
from llamora.ops.backup.verify_secret import using_database_file
from tests.accounts.pages import get_shown_code
from tests.ops.backups import NOW, BackupFolders, get_database_path
from tests.people import HERE, NEW_PASSWORD, PASSWORD, Resident, register_resident
from tests.rotation.format_1 import move_back_to_format_1

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner() -> Iterator[Resident]:
    yield register_resident("Olive", entries=12)
    stop_rotation_threads(timeout=5)


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
    stop_rotation_threads(timeout=5)

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
    stop_rotation_threads(timeout=5)
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


@pytest.mark.xfail(strict=True, reason="A row that does not open keeps the former key for ever.")
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
    stop_rotation_threads(timeout=10)
    with suppress(DamagedRows):
        resume_rotation(owner.open_keyring())

    forge(owner, thief)

    assert "Never written by her." not in owner.get("/").content.decode()


@pytest.mark.xfail(strict=True, reason="A row that does not open stops the reset.")
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


@pytest.mark.xfail(
    strict=True, reason="Vault columns of a former epoch are believed until the rotation is finished."
)
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
    stop_rotation_threads(timeout=10)

    recovery = [owner.recovery_code] if page.status_code == 302 else [get_shown_code(page)]
    owner.recovery_code = recovery[0]
    owner.open_slot(by=SlotKind.RECOVERY)


# --- ordinary damage ---------------------------------------------------------------------------------------


@pytest.mark.xfail(strict=True, reason="Damage to these columns refuses the whole vault.")
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
