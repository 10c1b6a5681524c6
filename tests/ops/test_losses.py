"""Tests of the handling of a loss: copies, a report, the page at the next unlock, and the commands."""

import json
import os
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.losses import reports
from accounts.losses.reports import LossReport
from llamora.database.losses import Loss, find_loss, list_files
from llamora.ops import losses, pruning
from llamora.ops.backup import restore, verify_secret
from llamora.ops.errors import OperationRefused
from search.embedder.holder import embedders
from tests.clock.records import settle_clock
from tests.losses import crashed
from tests.losses.crashed import FIRST_DAY, CrashedHousehold
from tests.page import read
from tests.people import PASSWORD, Resident, register_resident
from tests.search.indexing import BagOfWords
from tests.server import run_command

NOW = datetime(2026, 3, 29, 14, 10, 30, tzinfo=UTC)


@pytest.fixture
def data(tmp_path: Path, settings: Any) -> Path:
    settings.DATA_DIR, settings.BACKUP_DIR = tmp_path / "data", tmp_path / "data" / "backups"
    settings.SECRET_KEY_FILE = tmp_path / "data" / "secrets" / "secret_key"
    settings.DATA_DIR.mkdir(mode=0o700)
    return tmp_path / "data"


@pytest.fixture
def olive(transactional_db: None, data: Path) -> Resident:
    return register_resident("Olive")


@pytest.fixture
def humphrey(transactional_db: None, data: Path) -> Resident:
    return register_resident("Humphrey")


@pytest.fixture
def administrator(transactional_db: None, data: Path) -> Resident:
    return register_resident("Ada", administrator=True)


@pytest.fixture
def house(olive: Resident, data: Path) -> CrashedHousehold:
    """A household whose log lost the entries from the second half on."""
    house = crashed.crash(olive, data)

    def flip_in_the_middle(content: bytearray) -> None:
        content[len(content) // 2] ^= 1

    house.change(flip_in_the_middle)
    return house


def examine(house: CrashedHousehold, *, now: datetime = NOW) -> LossReport:
    report = losses.examine_losses(house.database, now=now)
    assert report is not None
    return report


def get_loss(house: CrashedHousehold) -> Loss:
    loss = find_loss(house.database)
    assert loss is not None
    return loss


def make_report(**changes: Any) -> LossReport:
    loss = {
        "since": datetime(2026, 3, 29, 13, 58, 12, tzinfo=UTC),
        "until": datetime(2026, 3, 29, 14, 7, 3, tzinfo=UTC),
        "commits": 22,
        "concerns_everyone": False,
        **changes,
    }
    return reports.save_report(Loss(**loss), copy=None, now=NOW)


# --- At the start ----------------------------------------------------------------------------------------


def test_the_damaged_files_are_copied_and_a_report_is_written(house: CrashedHousehold, data: Path) -> None:
    before = [path.read_bytes() for path in list_files(house.database)]
    report = examine(house)

    assert report.copy == str(data / "replaced" / "llamora-20260329T141030Z-damaged.sqlite3")
    assert [path.read_bytes() for path in list_files(Path(report.copy))] == before
    assert len(before) == 3
    assert reports.list_reports() == [report]
    for path in (report.path, *list_files(Path(report.copy))):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_start_that_was_stopped_does_not_report_it_twice(house: CrashedHousehold, data: Path) -> None:
    first = examine(house)

    assert examine(house, now=NOW + timedelta(minutes=1)) == first
    assert len(list((data / "replaced").iterdir())) == 3


def test_after_the_log_is_begun_nothing_is_missing_any_more(house: CrashedHousehold, data: Path) -> None:
    examine(house)
    with verify_secret.using_database_file(house.database):
        assert losses.begin_log(house.database) is None

    assert losses.examine_losses(house.database, now=NOW) is None


def test_a_household_in_order_has_no_report(olive: Resident, data: Path) -> None:
    house = crashed.crash(olive, data)

    assert losses.examine_losses(house.database, now=NOW) is None
    assert not (data / "losses").exists()
    assert not (data / "replaced").exists()


def test_copies_take_no_more_space_than_three_and_none_that_is_needed(
    house: CrashedHousehold, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for minute in range(5):
        report = examine(house, now=NOW + timedelta(minutes=minute))
        report.path.unlink()
    copies = sorted(path.name for path in (data / "replaced").glob("*.sqlite3"))
    assert [name[8:24] for name in copies] == [f"20260329T14{minute}30Z" for minute in (12, 13, 14)]

    monkeypatch.setattr(losses, "_SPARE_BYTES", 2**60)
    report = examine(house, now=NOW + timedelta(hours=1))
    assert report.copy == ""
    assert "not enough space for a copy" in reports.describe_report(report)


def test_copies_are_deleted_after_thirty_days_and_reports_once_they_were_read(
    house: CrashedHousehold, administrator: Resident, olive: Resident, data: Path
) -> None:
    settle_clock()
    now = timezone.now()
    young, old = now - timedelta(days=29), now - timedelta(days=31)
    report = examine(house, now=old)
    for path in (data / "replaced").iterdir():
        os.utime(path, (old.timestamp(), old.timestamp()))

    pruning.prune(now=now)
    assert list((data / "replaced").iterdir()) == []
    assert report.path.exists()

    reports.acknowledge_reports(administrator.person)
    pruning.prune(now=now)
    assert report.path.exists()

    reports.acknowledge_reports(olive.person)
    recent = reports.save_report(get_loss(house), copy=None, now=young)
    reports.acknowledge_reports(administrator.person)
    reports.acknowledge_reports(olive.person)
    pruned = pruning.prune(now=now)
    assert (pruned.replaced, pruned.strays) == (0, 1)
    assert not report.path.exists()
    assert recent.path.exists()


def test_a_restore_is_no_loss(house: CrashedHousehold, data: Path) -> None:
    copy = crashed.copy_files(house.database, data.parent / "older" / "llamora.sqlite3")
    examine(house)
    restore.restore_backup(copy, database=house.database, key_file=data / "secrets" / "key", now=NOW)

    assert find_loss(house.database) is None


# --- The sentences ---------------------------------------------------------------------------------------


def test_the_sentence_names_the_times(olive: Resident, settings: Any) -> None:
    report = make_report(days={})

    assert reports.describe_loss(report, zone="UTC").startswith(
        "What was saved between 2026-03-29 13:58 and 14:08 (UTC) may be missing: at least 22 confirmed "
        "changes are not in the database."
    )
    assert "between 2026-03-30 00:58 and 01:08 (Asia/Magadan)" in reports.describe_loss(
        report, zone="Asia/Magadan"
    )
    settings.HOUSEHOLD_TIME_ZONE = "America/New_York"
    assert "between 2026-03-29 09:58 and 10:08" in reports.describe_report(report)


def test_a_report_that_cannot_be_read_is_left_out(
    olive: Resident, data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    report = make_report()
    (data / "losses" / "20260101T000000Z.json").write_text('{"days": 3}')

    assert reports.list_reports() == [report]
    assert "20260101T000000Z.json" in caplog.text


# --- At the unlock ---------------------------------------------------------------------------------------


def test_who_lost_something_is_shown_it_until_they_have_read_it(
    house: CrashedHousehold, olive: Resident, humphrey: Resident
) -> None:
    report = examine(house)

    answer = olive.client.post(
        "/sign-in/", {"name": "Olive", "password": PASSWORD, "next": "/calendar/2026-03/"}
    )
    assert answer.headers["Location"] == "/losses/?next=%2Fcalendar%2F2026-03%2F"
    page = read(olive.get(answer.headers["Location"]))
    days = page.values("main li a", "href")
    lost = report.get_days(olive.person)
    assert days == [f"/d/{day}/" for day in lost]
    assert lost
    assert lost[-1] == FIRST_DAY.replace(day=20)
    assert "may be missing" in page.text
    assert "replaced" not in page.text

    answer = olive.post("/losses/", next="/calendar/2026-03/")
    assert answer.headers["Location"] == "/calendar/2026-03/"
    assert olive.get("/losses/").headers["Location"] == "/"
    olive.lock()
    assert olive.post("/unlock/", password=PASSWORD).headers["Location"] == "/"
    assert reports.list_open_reports() != []


def test_a_housemate_who_lost_nothing_is_shown_nothing(house: CrashedHousehold, humphrey: Resident) -> None:
    examine(house)
    answer = humphrey.client.post("/sign-in/", {"name": "Humphrey", "password": PASSWORD})

    assert answer.headers["Location"] == "/"
    assert humphrey.get("/losses/").headers["Location"] == "/"


def test_if_it_is_not_known_whose_it_was_everyone_is_shown_it(humphrey: Resident) -> None:
    make_report(concerns_everyone=True)
    answer = humphrey.client.post("/sign-in/", {"name": "Humphrey", "password": PASSWORD})
    page = read(humphrey.get(answer.headers["Location"]))

    assert "Something of yours may be among it." in page.text


def test_an_administrator_is_told_where_the_copy_is_and_ends_the_report(
    house: CrashedHousehold, administrator: Resident
) -> None:
    examine(house)
    answer = administrator.client.post("/sign-in/", {"name": "Ada", "password": PASSWORD})
    page = read(administrator.get(answer.headers["Location"]))
    assert "llamora-20260329T141030Z-damaged.sqlite3" in page.text
    assert page.text.count("may be missing: at least") == 1
    assert page.texts("code") == ["manage.py restore FILE --user NAME --day DAY --dry-run"]
    assert Client().get("/healthz").json()["losses"] == "reported"

    administrator.post("/losses/")

    assert reports.list_open_reports() == []
    assert Client().get("/healthz").json()["losses"] == "none"


def test_a_dialog_over_a_page_says_it_in_a_message(house: CrashedHousehold, olive: Resident) -> None:
    examine(house)
    olive.sign_in()
    olive.lock()

    assert olive.post("/unlock/", script=True, password=PASSWORD).status_code == 204
    assert "may be missing" in read(olive.get("/d/2026-03-20/")).text


def test_a_report_that_cannot_be_changed_is_shown_again(house: CrashedHousehold, olive: Resident) -> None:
    report = examine(house)
    olive.sign_in()
    report.path.with_suffix(".new").mkdir()

    assert olive.post("/losses/").headers["Location"] == "/"
    assert reports.list_reports_for(olive.person) == [report]
    assert "could not be saved" in read(olive.get("/d/2026-03-20/")).text


# --- Commands --------------------------------------------------------------------------------------------


Run = Callable[..., str]


@pytest.fixture
def run(house: CrashedHousehold, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in the household, and return what it printed and said at its end."""

    def run(*arguments: str) -> str:
        with verify_secret.using_database_file(house.database):
            try:
                call_command(*arguments)
            except CommandError as error:
                return f"{capsys.readouterr().out} {error}"
        return capsys.readouterr().out

    return run


@pytest.fixture
def embedder(settings: Any) -> Iterator[BagOfWords]:
    """An embedder, whose check would look at the vectors in the database."""
    embedder = BagOfWords()
    settings.SEARCH_MODEL = embedder.name
    embedders.set_embedder(embedder)
    yield embedder
    embedders.set_embedder(None)


def test_before_the_next_start_doctor_and_verify_say_it_and_open_nothing(
    house: CrashedHousehold, run: Run, embedder: BagOfWords
) -> None:
    before = [path.read_bytes() for path in list_files(house.database)]

    for command in ("doctor", "verify"):
        said = run(command)
        assert "may be missing" in said
        assert "Run manage.py up" in said
        assert "SQLite found no damage" not in said
    assert [path.read_bytes() for path in list_files(house.database)] == before


def test_other_commands_open_no_database_that_lacks_saves_before_it_was_copied(
    house: CrashedHousehold, tmp_path: Path
) -> None:
    before = [path.read_bytes() for path in list_files(house.database)]

    for command in ("backup", "users", "dumpdata"):
        ran = run_command(tmp_path, command)
        assert ran.returncode == 1, command
        assert "may be missing" in ran.stderr
        assert "The database was not opened" in ran.stderr
        assert "Traceback" not in ran.stderr
    assert [path.read_bytes() for path in list_files(house.database)] == before

    assert run_command(tmp_path, "users", "--help").returncode == 0
    examine(house)
    assert "Olive" in run_command(tmp_path, "users").stdout


def test_without_a_report_the_database_is_not_opened(house: CrashedHousehold, data: Path) -> None:
    """For instance because the disk is full."""
    before = house.wal.read_bytes()
    (data / "losses").write_text("in the way")

    with pytest.raises(OperationRefused, match="could not be written: File exists"):
        losses.examine_losses(house.database, now=NOW)

    assert house.wal.read_bytes() == before


def test_after_the_start_doctor_and_verify_say_it_until_it_was_read(
    house: CrashedHousehold, run: Run, administrator: Resident
) -> None:
    report = examine(house)

    for command in ("doctor", "verify"):
        said = run(command)
        assert "may be missing" in said
        assert report.copy in said
        assert "Run manage.py up" not in said
    reports.acknowledge_reports(administrator.person)

    with verify_secret.using_database_file(house.database):
        losses.begin_log(house.database)
    assert "ok    losses:" in run("doctor")
    assert "No damage was found." in run("verify")


def test_verify_says_it_of_a_copy_with_its_logs(house: CrashedHousehold, run: Run) -> None:
    copy = examine(house).copy
    reports.list_reports()[0].path.unlink()

    assert "may be missing" in run("verify", copy)


def test_a_restore_copies_the_damaged_files_that_it_replaces(
    house: CrashedHousehold, run: Run, data: Path
) -> None:
    before = house.wal.read_bytes()
    older = crashed.copy_files(house.database, data.parent / "older" / "llamora.sqlite3")

    assert "Restored" in run("restore", str(older))
    (copy,) = (data / "replaced").glob("*-damaged.sqlite3")
    assert Path(f"{copy}-wal").read_bytes() == before
    assert len(reports.list_open_reports()) == 1


def test_the_report_has_no_names(house: CrashedHousehold, olive: Resident) -> None:
    stored = json.loads(examine(house).path.read_text())

    assert list(stored["days"]) == [olive.id.bytes[8:].hex()]
    assert "Olive" not in json.dumps(stored)
