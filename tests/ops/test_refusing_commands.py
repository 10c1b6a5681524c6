"""Tests of the messages of commands for wrong input, for a missing household, and for a closed pipe."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command, get_commands

import manage
from accounts import error_messages
from accounts.errors import InvalidInvitation
from accounts.models import Person
from llamora.ops.backup.verify_secret import using_database_file
from tests.ops.backups import BackupFolders
from tests.people import PASSWORD, Resident, register_resident
from tests.test_docs import OWN_APPS

# They open no database, make a household themselves, or say that there is none.
BY_THEMSELVES = {"backup", "bench", "changepassword", "createsuperuser", "model", "prompts"}


class ClosedPipe(io.StringIO):
    """A closed output, as after `| head -1`."""

    def write(self, text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")


@pytest.fixture
def empty_folder(tmp_path: Path, settings: Any) -> Path:
    """The data folder of a household that was never set up."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    settings.DATA_DIR, settings.BACKUP_DIR = folder, folder / "backups"
    settings.SECRET_KEY_FILE = folder / "secrets" / "secret_key"
    return folder


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    return file


# --- A household that is not there -----------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(manage.OF_A_HOUSEHOLD))
def test_a_command_of_a_household_makes_none(empty_folder: Path, transactional_db: None, name: str) -> None:
    with (
        using_database_file(empty_folder / "llamora.sqlite3"),
        pytest.raises(SystemExit, match=r"Llamora is not set up here yet\. Run manage\.py up first\."),
    ):
        manage._examine_household([name])

    assert list(empty_folder.iterdir()) == []


def test_each_command_makes_no_household_or_has_its_reason() -> None:
    own = {name for name, app in get_commands().items() if str(app) in OWN_APPS}

    assert own == manage.OF_A_HOUSEHOLD | manage.EXAMINING | manage.WITHOUT_DATABASE | BY_THEMSELVES


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("backup", "nothing to back up"), ("createsuperuser", "set-up link"), ("verify", "not set up here yet")],
)
def test_a_command_that_speaks_for_itself_makes_none_either(
    empty_folder: Path, transactional_db: None, name: str, sentence: str
) -> None:
    with (
        using_database_file(empty_folder / "llamora.sqlite3"),
        pytest.raises(CommandError, match=sentence),
    ):
        call_command(name)

    assert list(empty_folder.iterdir()) == []


def test_a_backup_that_is_not_there_makes_no_folder(empty_folder: Path, transactional_db: None) -> None:
    folder = empty_folder / "of-a-household"

    with (
        using_database_file(folder / "llamora.sqlite3"),
        pytest.raises(CommandError, match="can't be read: No such file"),
    ):
        call_command("restore", empty_folder / "absent.tar")

    assert not folder.exists()


def test_nobody_is_listed_in_words(db: None) -> None:
    said = io.StringIO()

    call_command("users", stdout=said)

    assert said.getvalue() == "There is no diary here yet. Open the set-up link that `up` prints.\n"


# --- Wrong input -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["verify", "restore"])
def test_a_password_of_nobody_is_not_passed_over(db: None, password_file: Path, command: str) -> None:
    with pytest.raises(CommandError, match="--password-file needs --user"):
        call_command(command, password_file, password_file=password_file)


def test_an_export_into_no_folder_says_so_before_it_asks_for_a_password(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="nothing was written"):
        call_command("export_diary", "Olive", to=tmp_path / "absent" / "diary.zip")


def test_a_zip_without_its_end_is_a_damaged_zip(owner: Resident, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.zip", tmp_path / "cut.zip"
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("diary.json", "{}")
    cut.write_bytes(whole.read_bytes()[:40])

    with pytest.raises(CommandError, match="This zip is damaged"):
        call_command("import_diary", cut, user=owner.person.name, dry_run=True)


def test_bench_refuses_a_file_before_it_measures(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        call_command(
            "bench", json=tmp_path / "absent" / "figures.json", only=["sealing"], stdout=ClosedPipe()
        )


def test_an_expired_invitation_names_no_time_that_it_may_not_have_had() -> None:
    # `invite --days` makes others than those of seven days.
    assert "days" not in error_messages.get_error_message(InvalidInvitation())


def test_whoever_was_turned_off_then_can_check_a_backup(
    transactional_db: None, tmp_path: Path, password_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    register_resident("Olive", entries=2)
    Person.objects.update(is_active=False)
    backup = BackupFolders(folder=tmp_path).create_backup().path

    call_command("verify", backup, user="Olive", password_file=password_file)
    with pytest.raises(CommandError, match="turned off"):
        call_command("verify", user="Olive", password_file=password_file)

    assert "encrypted texts of Olive can be decrypted" in capsys.readouterr().out


# --- dumpdata, and closed pipes ---------------------------------------------------------------------------


def test_sessions_alone_are_refused(db: None) -> None:
    with pytest.raises(CommandError, match="Sessions are never output"):
        call_command("dumpdata", "accounts.SignIn")


def test_a_dump_into_no_folder_is_not_said_in_words_of_python(db: None, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        call_command("dumpdata", output=str(tmp_path / "absent" / "dump.json"))


@pytest.mark.parametrize("command", ["verify", "dumpdata", "doctor", "stats", "users"])
def test_a_closed_pipe_is_no_fault(owner: Resident, transactional_db: None, command: str) -> None:
    with pytest.raises(BrokenPipeError):
        call_command(command, stdout=ClosedPipe())
