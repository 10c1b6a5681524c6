"""Tests that each command reports the fault of a broken household in a sentence, and changes nothing."""

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.test import Client

from llamora.database import condition
from llamora.database.condition import FileState
from llamora.ops import startup
from llamora.ops.backup.verify_secret import using_database_file
from llamora.ops.errors import OperationRefused, describe_error
from tests import data_folder_template
from tests.server import ROOT, build_environment, run_command
from tests.test_settings import read_settings

BACKUP = "llamora-20261120T101500Z.tar"
NOBODY = 65534


@pytest.fixture
def data_dir(tmp_path: Path, settings: Any, transactional_db: None) -> Iterator[Path]:
    """The data folder of a household that was served before, with the files that it then has."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    data_folder_template.copy_database(folder)
    settings.DATA_DIR, settings.BACKUP_DIR = folder, folder / "backups"
    settings.SECRET_KEY_FILE = folder / "secrets" / "secret_key"
    for file in (settings.SECRET_KEY_FILE, settings.BACKUP_DIR / BACKUP):
        file.parent.mkdir(mode=0o700)
        file.write_text("k3y" * 20)
    with using_database_file(folder / "llamora.sqlite3"):
        yield folder


def remove(database: Path) -> None:
    database.unlink()


def empty(database: Path) -> None:
    os.truncate(database, 0)


def damage_beginning(database: Path) -> None:
    with database.open("r+b") as file:
        file.write(bytes(16))


def damage_header(database: Path) -> None:
    with database.open("r+b") as file:
        file.seek(16)
        file.write(b"\x03\x07")


def cut(database: Path) -> None:
    os.truncate(database, database.stat().st_size // 4096 // 2 * 4096)


SICK: dict[str, tuple[Callable[[Path], None], FileState, str]] = {
    "missing": (remove, FileState.MISSING, "is missing, but other files of a household are there"),
    "empty": (empty, FileState.EMPTY, "is empty, but other files of a household are there"),
    "beginning": (damage_beginning, FileState.FOREIGN, "is not a database, or its beginning is damaged"),
    "header": (damage_header, FileState.DAMAGED, "is damaged: its header is not one of SQLite"),
    "cut": (cut, FileState.DAMAGED, "is damaged: it has"),
}


def run_refused(*arguments: str) -> str:
    """Run a command, which ends in an error; return all that it says."""
    out = io.StringIO()
    with pytest.raises((CommandError, OperationRefused)) as refusal:
        call_command(*arguments, stdout=out, stderr=out)
    return f"{out.getvalue()} {refusal.value}"


def list_files(folder: Path) -> dict[Path, bytes]:
    """Return the contents of all files, but those that SQLite makes beside a database while it is open."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in found if not path.name.endswith(("-shm", "-wal"))}


@pytest.mark.parametrize("name", SICK)
def test_a_sick_database_is_said_by_every_command_and_nothing_is_made_in_its_place(
    data_dir: Path, name: str
) -> None:
    (make_sick, state, sentence), database = SICK[name], data_dir / "llamora.sqlite3"
    make_sick(database)
    before = list_files(data_dir)

    assert condition.examine_file(database).state is state
    with pytest.raises(OperationRefused, match=sentence):
        startup.check_database_file()
    for command in ("doctor", "verify", "backup", "stats", "users"):
        said = run_refused(command)
        assert sentence in said, command
        assert f"manage.py restore '{data_dir / 'backups' / BACKUP}'" in said, command
        assert "Traceback" not in said
    assert Client().get("/healthz").status_code == 503
    connection.close()
    assert list_files(data_dir) == before


def test_a_household_begins_in_an_empty_folder_and_beside_models_and_prompts(
    tmp_path: Path, settings: Any
) -> None:
    settings.DATA_DIR, settings.BACKUP_DIR = tmp_path, tmp_path / "backups"
    settings.SECRET_KEY_FILE = tmp_path / "secrets" / "secret_key"
    database = tmp_path / "llamora.sqlite3"
    assert condition.examine_file(database).state is FileState.NEW

    for file in ("lock", "static/app.css", "models/a.gguf", "prompts/reply.txt"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    database.touch()

    assert condition.examine_file(database).state is FileState.NEW
    condition.refuse_new_database(database)


@pytest.mark.parametrize(
    "file",
    [
        "llamora.sqlite3-wal",
        "llamora.sqlite3-commits",
        "search/1/words.sealed",
        "former_keys/1-2",
        "replaced/llamora-1.sqlite3",
    ],
)
def test_each_file_of_a_household_shows_that_there_was_one(tmp_path: Path, settings: Any, file: str) -> None:
    settings.DATA_DIR, settings.BACKUP_DIR = tmp_path, tmp_path / "elsewhere"
    settings.SECRET_KEY_FILE = tmp_path / "secrets" / "secret_key"
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text("something")

    found = condition.examine_file(tmp_path / "llamora.sqlite3")

    assert found.state is FileState.MISSING
    assert f"there: {tmp_path / file}" in found.sentence
    assert f"There is no backup in {tmp_path / 'elsewhere'}." in found.sentence


def test_backups_elsewhere_show_it_too(tmp_path: Path, settings: Any) -> None:
    settings.DATA_DIR, settings.BACKUP_DIR = tmp_path / "data", tmp_path / "elsewhere"
    settings.SECRET_KEY_FILE = tmp_path / "data" / "secret_key"
    settings.BACKUP_DIR.mkdir()
    (settings.BACKUP_DIR / BACKUP).touch()

    sentence = condition.examine_file(tmp_path / "data" / "llamora.sqlite3").sentence

    assert "To restore the newest backup, of 2026-11-20 10:15 UTC, run: manage.py restore" in sentence
    assert "an empty folder with LLAMORA_DATA_DIR and another with LLAMORA_BACKUP_DIR. To" in sentence


def test_the_database_backend_makes_no_database_where_one_is_lost(data_dir: Path) -> None:
    (data_dir / "llamora.sqlite3").unlink()

    with pytest.raises(DatabaseError, match="is missing"):
        connection.ensure_connection()

    assert not (data_dir / "llamora.sqlite3").exists()


def test_a_pages_error_of_a_sound_file_is_said_in_sqlites_words(data_dir: Path) -> None:
    said = condition.describe_database_error(DatabaseError("database disk image is malformed"))

    assert said == "The database can't be used: database disk image is malformed. Run manage.py doctor."


def test_up_refuses_before_it_makes_anything(tmp_path: Path) -> None:
    (tmp_path / "data" / "backups").mkdir(parents=True)
    (tmp_path / "data").chmod(0o700)
    (tmp_path / "data" / "backups" / BACKUP).touch()

    ran = run_command(tmp_path, "up", "--no-model", "--port", "0")

    assert ran.returncode == 1
    assert "is missing, but other files of a household are there" in ran.stderr
    assert f"manage.py restore '{tmp_path / 'data' / 'backups' / BACKUP}'" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert os.listdir(tmp_path / "data") == ["backups"]


def test_a_newer_database_is_not_called_damaged(data_dir: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('diary', '9999_later', '')"
        )

    for command in ("verify", "backup"):
        said = run_refused(command)
        assert "written by a newer Llamora. Update the program" in said
        assert "damage" not in said
    assert "The database was written by a newer Llamora. Update the program." in run_refused("doctor")


def test_an_empty_secret_key_is_a_warning_and_stops_no_command(data_dir: Path) -> None:
    (data_dir / "secrets" / "secret_key").write_text("")
    out = io.StringIO()

    call_command("verify", stdout=out)
    call_command("prune", stdout=out)
    call_command("doctor", stdout=out)

    assert "No damage was found." in out.getvalue()
    assert "secret_key is empty. The next start of `up` writes a new key into it." in out.getvalue()


@pytest.mark.parametrize("key", [b"", b"\xff\xfe\x00", b"short"])
def test_settings_are_read_whatever_the_secret_key_file_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: bytes
) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "secret_key").write_bytes(key)
    monkeypatch.setenv("LLAMORA_DATA_DIR", str(tmp_path))

    assert read_settings()["SECRET_KEY"]


@contextmanager
def as_another_user(folder: Path) -> Iterator[None]:
    """Leave the folder closed to this process, which root never is."""
    user = os.geteuid()
    folder.chmod(0o700 if user == 0 else 0)
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)
        folder.chmod(0o700)


def test_a_folder_of_another_user_is_said_to_be_that(data_dir: Path) -> None:
    with as_another_user(data_dir):
        found = condition.examine_file(data_dir / "llamora.sqlite3")
        said = run_refused("doctor")
        verified, pruned = run_refused("verify"), run_refused("prune")

    assert found.state is FileState.UNREADABLE
    for sentence in (said, verified, pruned):
        assert f"{data_dir / 'llamora.sqlite3'} can't be read: " in sentence
    assert "Only this user can open" not in said
    assert "Traceback" not in said


def test_the_settings_of_another_user_s_household_are_refused_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data"
    (folder / "secrets").mkdir(parents=True)
    monkeypatch.setenv("LLAMORA_DATA_DIR", str(folder))

    with (
        as_another_user(folder),
        pytest.raises(ImproperlyConfigured, match="can't be read: Permission denied"),
    ):
        read_settings()


def test_a_folder_that_belongs_to_nobody_is_not_said_to_be_ours(data_dir: Path) -> None:
    if os.geteuid():
        assert condition.find_other_owner(Path("/")) == "the user root"
        return
    os.chown(data_dir, 4_000_000, 4_000_000)

    said = run_refused("doctor")

    whose = "belongs to the number 4000000, which no user of this machine has"
    assert f"{data_dir} {whose}." in said
    assert "Only this user can open" not in said
    with pytest.raises(OperationRefused, match=f"{whose}. Start Llamora as that user"):
        startup.check_database_file()


def test_a_command_whose_output_nobody_reads_ends_without_a_traceback(tmp_path: Path) -> None:
    """As `manage.py doctor | head` does."""
    reading, writing = os.pipe()
    os.close(reading)

    ran = subprocess.run(
        [sys.executable, "manage.py", "doctor"],
        cwd=ROOT,
        env=build_environment(tmp_path, {"LLAMORA_MODEL_URL": "http://127.0.0.1:9"}),
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(writing)

    assert ran.returncode == 1
    assert ran.stderr == ""


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            PermissionError(13, "Permission denied", "/a/file"),
            "This did not work: Permission denied (/a/file).",
        ),
        (EOFError(), "Nothing was entered, so nothing was done."),
        (KeyboardInterrupt(), "Stopped."),
        (ZeroDivisionError(), None),
    ],
)
def test_errors_that_no_command_expects_are_sentences_unless_they_are_faults(
    error: BaseException, sentence: str | None
) -> None:
    assert describe_error(error) == sentence
