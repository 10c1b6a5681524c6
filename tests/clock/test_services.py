"""Tests of the record of elapsed time, and of its effects on a household."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.auth.services import invitations
from accounts.errors import InvalidInvitation
from accounts.models import Invitation, Person, SignIn, Unlock
from accounts.sessions import services as sessions_services
from accounts.sessions.registry import session_registry
from diary import messages
from diary.entries.services import delete_entry, purge_bin
from diary.history.services import purge_versions
from diary.models import Entry, Version
from llamora.clock import services
from llamora.clock.elapsed_time import Reading
from llamora.clock.record_file import get_record_path, read_record
from llamora.database import backup_files
from llamora.ops import background, pruning, startup
from tests.clock.machine import DAY, HOUR, MINUTE
from tests.clock.records import settle_clock
from tests.people import Resident, new_resident
from tests.sign_in_updates import update_sign_ins

# A household is at home where it is; its clock is in UTC.
NOW = datetime(2027, 3, 14, 1, 30, tzinfo=UTC)


class Clocks:
    """Both clocks of the machine, as the program reads them in this test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall, self.boot_seconds, self.boot = NOW, 1000.0, 1
        monkeypatch.setattr(timezone, "datetime", self._build_datetime())
        monkeypatch.setattr(services, "read_clocks", self.read)
        monkeypatch.setattr(services, "read_seconds", lambda: self.boot_seconds)

    def _build_datetime(self) -> type[datetime]:
        # Defaults of models have the function `timezone.now`, which is therefore not replaced itself.
        clocks = self

        class Datetime(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
                return clocks.wall

        return Datetime

    def read(self) -> Reading:
        return Reading(
            wall=self.wall.timestamp(), boot_seconds=self.boot_seconds, boot_id=f"boot {self.boot}"
        )

    def wait(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.boot_seconds += seconds

    def set_by(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)

    def restart_machine(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.boot, self.boot_seconds = self.boot + 1, 5.0


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch, db: None) -> Clocks:
    return Clocks(monkeypatch)


@pytest.fixture
def olive(clocks: Clocks, settings: Any, tmp_path: Path) -> Resident:
    """A person of a household that has run for long."""
    settings.DATA_DIR, settings.BACKUP_DIR = tmp_path, tmp_path / "backups"
    settle_clock()
    services.observe()
    return new_resident("Olive")


def bin_entry(resident: Resident) -> Entry:
    entry = resident.write("In the bin")
    with resident.unlocked():
        delete_entry(owner_id=resident.id, entry_id=entry.id)
    return entry


# --- The record -----------------------------------------------------------------------------------


def test_the_first_observation_makes_the_record_and_deletes_nothing(clocks: Clocks) -> None:
    services.observe()

    assert read_record() is not None
    assert services.get_cutoff(timedelta(days=30)) is None


def test_the_record_is_written_once_an_hour(clocks: Clocks, django_assert_num_queries: Any) -> None:
    services.observe()
    clocks.wait(59 * MINUTE)
    before = read_record()

    with django_assert_num_queries(0):
        services.observe()
    assert read_record() == before

    clocks.wait(2 * MINUTE)
    services.observe()
    assert read_record() != before


@pytest.mark.parametrize("value", [b"'7'", b"text", b"", b"\0\xff", b"12", b'{"reading": 1}'])
def test_a_damaged_record_deletes_nothing_and_is_begun_anew(olive: Resident, value: bytes) -> None:
    entry = bin_entry(olive)
    get_record_path().write_bytes(value)
    olive.update_columns(entry, deleted_at=NOW - timedelta(days=99))

    assert purge_bin(owner_id=olive.id) == 0
    services.observe()

    assert services.find_elapsed_time() is not None


def test_the_real_clocks_of_this_machine_are_read() -> None:
    first, second = services.read_clocks(), services.read_clocks()

    assert 0 <= second.boot_seconds - first.boot_seconds < 60
    assert first.boot_id == second.boot_id
    assert abs(first.wall - timezone.now().timestamp()) < 60


# --- What is deleted for its age ------------------------------------------------------------------


@pytest.mark.parametrize("step", [400 * DAY, -400 * DAY])
def test_a_clock_that_jumps_deletes_nothing_of_the_bin_or_of_versions(
    olive: Resident, clocks: Clocks, step: float
) -> None:
    bin_entry(olive)
    edited = olive.write("First")
    olive.post(f"/entries/{edited.id}/edit/", text="Second", revision=1)
    clocks.set_by(step)

    for _ in range(3):
        assert pruning.prune(now=timezone.now()).entries == 0
        clocks.wait(DAY)
    bin_entry(olive)
    clocks.set_by(-step)

    pruned = pruning.prune(now=timezone.now())
    assert (pruned.entries, pruned.versions) == (0, 0)
    assert Entry.objects.in_bin(olive.id).count() == 2
    assert Version.objects.count() == 1

    clocks.wait(31 * DAY)
    assert purge_bin(owner_id=olive.id) >= 1
    assert purge_versions(owner_id=olive.id) == 1


def test_time_that_the_machine_was_off_counts_after_two_starts(olive: Resident, clocks: Clocks) -> None:
    bin_entry(olive)
    clocks.restart_machine(60 * DAY)
    assert "was off for 60 days" in (startup.observe_clock() or "")
    assert pruning.prune(now=timezone.now()).entries == 0

    clocks.wait(2 * HOUR)
    services.observe()
    clocks.restart_machine(HOUR)

    assert pruning.prune(now=timezone.now()).entries == 1
    assert startup.observe_clock() is None


def test_pruning_says_why_it_deletes_less_than_the_clock_says(
    clocks: Clocks, settings: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.DATA_DIR, settings.BACKUP_DIR = tmp_path, tmp_path / "backups"
    call_command("prune")
    assert "first looks whether the clock is right" in capsys.readouterr().out

    clocks.wait(3 * DAY)
    call_command("prune")
    assert "clock" not in capsys.readouterr().out

    clocks.set_by(5 * DAY)
    call_command("prune")
    assert "set forward by 5 days" in capsys.readouterr().out


def test_an_old_invitation_goes_only_when_time_has_passed(olive: Resident, clocks: Clocks) -> None:
    invitations.create_invitation()
    clocks.set_by(400 * DAY)
    services.observe()
    invitations.create_invitation()
    assert Invitation.objects.count() == 2

    clocks.wait(100 * DAY)
    invitations.create_invitation()
    assert Invitation.objects.count() == 1


# --- Sessions and invitations ---------------------------------------------------------------------


@pytest.mark.parametrize("step", [400 * DAY, -400 * DAY, HOUR, -HOUR])
def test_a_browser_stays_signed_in_for_as_long_as_it_may_whatever_the_clock_says(
    olive: Resident, clocks: Clocks, settings: Any, step: float
) -> None:
    clocks.wait(DAY)
    update_sign_ins(ends_at=timezone.now() + timedelta(days=7))
    clocks.set_by(step)

    for _ in range(6):
        assert sessions_services.end_expired_sessions() in (0, 1)  # 1 where the diary locked
        olive.get("/settings/")
        assert SignIn.objects.count() == 1
        clocks.wait(DAY)
    clocks.wait(2 * DAY)
    olive.get("/settings/")

    assert not SignIn.objects.exists()


def test_an_unlocked_diary_stays_so_where_the_clock_goes_back_and_locks_in_time(
    olive: Resident, clocks: Clocks, settings: Any
) -> None:
    settings.IDLE_MINUTES = 60
    clocks.set_by(-72 * DAY)
    assert olive.get("/settings/").status_code == 200

    clocks.wait(59 * MINUTE)
    services.observe()
    assert sessions_services.end_expired_sessions() == 0
    clocks.wait(2 * MINUTE)
    assert sessions_services.end_expired_sessions() == 1
    assert not Unlock.objects.exists()


def test_an_unlocked_diary_locks_where_the_clock_jumps_ahead(olive: Resident, clocks: Clocks) -> None:
    clocks.set_by(400 * DAY)

    assert olive.get("/settings/").status_code == 302
    assert not Unlock.objects.exists()
    assert SignIn.objects.exists()


def test_what_is_in_the_future_all_the_same_is_over(olive: Resident, clocks: Clocks) -> None:
    sign_in = SignIn.objects.get()
    key_id = session_registry.find_key_id(sign_in.id)
    assert key_id is not None
    assert session_registry.is_unlocked(key_id)

    Unlock.objects.update(last_active=NOW + timedelta(hours=1))
    assert not session_registry.is_unlocked(key_id)
    assert olive.get("/settings/").status_code == 302
    assert not Unlock.objects.exists()

    update_sign_ins(created_at=NOW + timedelta(hours=1))
    assert sessions_services.end_expired_sessions() == 1
    assert not SignIn.objects.exists()


def test_an_invitation_goes_with_the_clock(olive: Resident, clocks: Clocks) -> None:
    _, token = invitations.create_invitation()
    for step in (400 * DAY, -800 * DAY):
        clocks.set_by(step)
        services.observe()
        assert invitations.is_valid_invitation(token)
    clocks.wait(8 * DAY)

    assert not invitations.is_valid_invitation(token)


def test_an_invitation_of_the_future_is_not_valid(olive: Resident, clocks: Clocks) -> None:
    _, token = invitations.create_invitation()
    Invitation.objects.update(created_at=NOW + timedelta(days=400), expires_at=NOW + timedelta(days=407))

    assert not invitations.is_valid_invitation(token)
    with pytest.raises(InvalidInvitation):
        invitations.redeem_invitation(token, person=olive.person)


@pytest.mark.parametrize("step", [400 * DAY, -400 * DAY])
def test_times_at_the_ends_of_all_years_stop_no_correction(
    olive: Resident, clocks: Clocks, step: float
) -> None:
    invitations.create_invitation()
    for moment in (datetime.min, datetime.max):
        Invitation.objects.update(expires_at=moment.replace(tzinfo=UTC))
        clocks.set_by(step)
        services.observe()

    assert read_record() is not None


# --- Backups --------------------------------------------------------------------------------------


def add_backup(folder: Path, moment: datetime) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / backup_files.backup_file_name(moment)
    path.touch()
    return path


def test_a_backup_named_in_the_future_is_not_fresh_and_another_one_is_due(
    olive: Resident, settings: Any
) -> None:
    add_backup(settings.BACKUP_DIR, NOW + timedelta(days=400))

    assert background.is_backup_due()
    assert Client().get("/healthz").json()["backup"] == "future"

    add_backup(settings.BACKUP_DIR, NOW)
    assert not background.is_backup_due()
    assert Client().get("/healthz").json()["backup"] == "fresh"


def test_no_backup_is_removed_for_one_that_is_named_in_the_future(olive: Resident, settings: Any) -> None:
    real = [add_backup(settings.BACKUP_DIR, NOW - timedelta(days=days)) for days in range(5)]
    future = [add_backup(settings.BACKUP_DIR, NOW + timedelta(days=days)) for days in range(400, 440)]

    assert pruning.prune(now=timezone.now()).backups == 0

    assert all(path.exists() for path in (*real, *future))


def test_a_clock_that_jumps_removes_no_backup(olive: Resident, clocks: Clocks, settings: Any) -> None:
    paths = [add_backup(settings.BACKUP_DIR, NOW - timedelta(hours=hours)) for hours in range(20)]
    update = settings.BACKUP_DIR / backup_files.backup_file_name(NOW, before_update=True)
    update.touch()

    for step in (400 * DAY, -800 * DAY, 400 * DAY):
        clocks.set_by(step)
        assert pruning.prune(now=timezone.now()).backups == 0

    assert all(path.exists() for path in (*paths, update))


def test_a_household_is_pruned_once_a_day_of_passed_time(olive: Resident, clocks: Clocks) -> None:
    import threading

    first = background.run_daily_round(threading.Event())
    clocks.set_by(-400 * DAY)
    clocks.wait(25 * HOUR)

    assert background.run_daily_round(threading.Event(), first) != first


# --- What people are told -------------------------------------------------------------------------


def test_the_log_and_the_administrator_are_told_and_nobody_else(
    olive: Resident, clocks: Clocks, caplog: pytest.LogCaptureFixture
) -> None:
    Person.objects.filter(id=olive.id).update(is_staff=True)
    humphrey = new_resident("Humphrey")
    clocks.set_by(-3 * DAY)

    pages = [olive.get(path).content.decode() for path in ("/settings/", reverse("admin:index"))]

    assert "clock was set back by 3 days." in caplog.text
    assert all("clock was set back by 3 days." in page for page in pages)
    assert "set back" not in humphrey.get("/settings/").content.decode()

    clocks.wait(8 * DAY)
    services.observe()
    assert startup.observe_clock() is None


def test_a_day_that_only_the_clock_says_has_not_begun_is_refused_with_that_reason(
    olive: Resident, clocks: Clocks
) -> None:
    day = olive.today
    save = {"text": "Today", "key": "0" * 32, "draft_revision": 0}
    clocks.set_by(-3 * DAY)

    refused = olive.post(f"/d/{day}/", **save)
    later = olive.post(f"/d/{NOW.date() + timedelta(days=9)}/", **save)

    assert messages.DAY_NOT_BEGUN_BY_CLOCK in refused.content.decode()
    assert "Today" in refused.content.decode()
    assert messages.DAY_NOT_BEGUN_BY_CLOCK not in later.content.decode()
    assert not Entry.objects.exists()


# --- Time zones, daylight saving, suspension ------------------------------------------------------


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Kiritimati", "Asia/Kathmandu"])
def test_neither_daylight_saving_nor_the_zone_of_the_machine_is_a_step(
    monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    import time

    before = services.read_clocks()
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        after = services.read_clocks()
    finally:
        monkeypatch.undo()
        time.tzset()

    # NOW, of the other tests, is half an hour before New York's clocks go forward.
    assert abs(after.wall - before.wall) < 60


def test_a_laptop_that_was_suspended_for_a_month_has_aged_by_a_month(
    olive: Resident, clocks: Clocks, caplog: pytest.LogCaptureFixture
) -> None:
    bin_entry(olive)
    clocks.wait(31 * DAY)

    assert pruning.prune(now=timezone.now()).entries == 1
    assert not SignIn.objects.exists()
    assert "was set" not in caplog.text


def test_the_clock_that_counts_while_suspended_is_used_where_there_is_one() -> None:
    import time

    number = getattr(time, "CLOCK_BOOTTIME", None)
    if number is not None:
        assert abs(services.read_seconds() - time.clock_gettime(number)) < 60
