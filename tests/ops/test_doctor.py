"""Tests of `manage.py doctor`: each check passes in a sound household and can fail."""

import io
import os
import resource
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts.auth.services import invitations as links
from accounts.keys import token_slots
from accounts.models import AccessToken, Person, Unlock, Vault
from accounts.rotation.epoch_change import begin_rotation
from accounts.tokens.services import create_token
from diary.models import Reply
from llamora.clock.record_file import read_record
from llamora.crypto import TokenKind
from llamora.inference.job import JobState
from llamora.inference.messages import TOO_SMALL_NOTICE
from llamora.ops import data_folder, startup
from llamora.ops.backup import create, integrity
from llamora.ops.doctor import backups, database, folder, household, inference, machine, proxy
from llamora.ops.doctor.check_result import CheckResult, DoctorCheck, run_check
from llamora.pluralize import pluralize
from tests.clock.records import settle_clock
from tests.fakes.gguf_file import Q4_K, Tensor, build_gguf, write_gguf
from tests.fakes.model_server import FakeModelServer
from tests.people import Resident, new_resident, register_resident
from tests.rotation.format_1 import move_back_to_format_1
from tests.tokens import build_request
from tests.traces.facts.fact_steps import add_fact, propose_fact
from traces.facts.services import decline_fact


def list_results(check: DoctorCheck) -> list[CheckResult]:
    return list(run_check(check))


def get_worst_level(check: DoctorCheck) -> str:
    levels = {verdict.level for verdict in list_results(check)}
    return next((level for level in ("bad", "warn", "ok") if level in levels), "nothing")


def get_messages(check: DoctorCheck) -> str:
    return " ".join(verdict.message for verdict in list_results(check))


@pytest.fixture
def owner(transactional_db: None) -> Resident:
    owner = new_resident("Olive")
    owner.write("A line of quiet words")
    add_fact(owner, "You like a quiet lamp")
    Person.objects.update(is_staff=True)
    return owner


@pytest.fixture
def own_folder(tmp_path: Path, settings: Any) -> Path:
    """A data folder for these tests only."""
    settings.DATA_DIR = tmp_path / "data"
    settings.BACKUP_DIR = tmp_path / "data" / "backups"
    settings.RUNTIME_DIR = "/dev/shm"
    settings.SECRET_KEY_FILE = tmp_path / "data" / "secrets" / "secret_key"
    settings.DATA_DIR.mkdir(mode=0o700)
    return tmp_path / "data"


def test_the_command_says_every_line_and_no_content(owner: Resident, own_folder: Path) -> None:
    out = io.StringIO()

    call_command("doctor", stdout=out)

    said = out.getvalue()
    assert "diary.entry.text: 1 encrypted value: 1 of format 2. All use" in said
    assert "traces.fact.body: 1 encrypted value: 1 of format 2. All use" in said
    assert "journal_mode=wal" in said
    assert "0 bad" in said
    assert "quiet" not in said
    assert "Olive" not in said


def test_the_command_ends_in_an_error_where_something_is_bad(owner: Resident, own_folder: Path) -> None:
    own_folder.chmod(0o755)

    with pytest.raises(CommandError, match="1 bad"):
        call_command("doctor", stdout=io.StringIO())


def test_without_a_household_it_looks_at_the_rest(
    owner: Resident, own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = create.HouseholdFiles(data_dir=own_folder, database=own_folder / "none", environment={})
    monkeypatch.setattr(create, "get_household_files", lambda: nowhere)
    out = io.StringIO()

    call_command("doctor", stdout=out)

    assert "not set up here yet" in out.getvalue()


def test_a_check_that_fails_is_a_verdict_and_not_the_end() -> None:
    def falls_over() -> Iterator[CheckResult]:
        raise PermissionError(13, "Permission denied")
        yield

    assert [(v.level, v.subject) for v in list_results(falls_over)] == [("bad", "falls over")]


def test_files_that_others_can_read_are_named(owner: Resident, own_folder: Path) -> None:
    assert get_worst_level(folder.check_file_modes) == "ok"

    (own_folder / "backups").mkdir()
    (own_folder / "backups" / "a.tar").touch()
    (own_folder / "backups" / "a.tar").chmod(0o644)
    assert get_worst_level(folder.check_file_modes) == "warn"

    (own_folder / "llamora.sqlite3").touch()
    (own_folder / "llamora.sqlite3").chmod(0o640)
    assert get_worst_level(folder.check_file_modes) == "bad"
    assert "chmod 600" in get_messages(folder.check_file_modes)


def test_a_weak_secret_key_is_bad(settings: Any) -> None:
    assert get_worst_level(folder.check_secret_key) == "ok"

    settings.SECRET_KEY = "django-insecure-" + "abcdefghij" * 5

    assert get_worst_level(folder.check_secret_key) == "bad"


def test_a_run_secret_on_a_disk_is_bad(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from accounts.sessions import run_secret

    settings.RUNTIME_DIR = "/dev/shm"
    assert get_worst_level(folder.check_run_secret) == "ok"

    monkeypatch.setattr(run_secret, "_get_file_system", lambda _: "ext4")
    assert get_worst_level(folder.check_run_secret) == "bad"

    settings.RUNTIME_DIR = ""
    assert get_worst_level(folder.check_run_secret) == "warn"


def test_a_running_server_is_seen(own_folder: Path) -> None:
    assert "not running" in get_messages(folder.check_server)

    with data_folder.lock(own_folder):
        assert get_messages(folder.check_server) == "It is running."


@pytest.mark.parametrize(("days", "word"), [(400, "forward"), (-1, "back")])
def test_a_clock_that_was_set_is_said_and_changes_nothing(
    owner: Resident, own_folder: Path, monkeypatch: pytest.MonkeyPatch, days: int, word: str
) -> None:
    assert get_worst_level(machine.check_clock) == "ok"
    settle_clock()
    assert get_worst_level(machine.check_clock) == "ok"
    before = read_record()

    then = timezone.now() + timedelta(days=days)
    monkeypatch.setattr(timezone, "now", lambda: then)

    assert get_worst_level(machine.check_clock) == "warn"
    assert f"set {word} by {pluralize(abs(days), 'day', 'days')}" in get_messages(machine.check_clock)
    assert read_record() == before


def test_a_browser_that_has_just_signed_in_is_not_expired(owner: Resident, own_folder: Path) -> None:
    settle_clock()

    assert get_worst_level(household.check_sessions) == "ok"


def test_little_room_is_said_before_it_is_none(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(own_folder)
    for free, level in ((2**40, "ok"), (300 * 2**20, "warn"), (2**20, "bad")):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: usage._replace(free=free))

        assert get_worst_level(machine.check_disk_space) == level


HEAD = "Filename\tType\tSize\tUsed\tPriority\n"


@pytest.mark.parametrize(
    ("lines", "level"),
    [("", "ok"), ("/dev/zram0 partition 1 0 5\n", "ok"), ("/swapfile file 1 0 -2\n", "warn")],
)
def test_swap_on_a_plain_disk_is_said(lines: str, level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_text", lambda path, **_: HEAD + lines if path.name == "swaps" else "")

    assert get_worst_level(machine.check_swap) == level


def test_core_dumps_are_off_after_it_has_looked() -> None:
    assert get_worst_level(machine.check_core_dumps) != "bad"
    assert resource.getrlimit(resource.RLIMIT_CORE)[0] == 0


def test_pragmas_are_read_back(owner: Resident) -> None:
    assert get_worst_level(database.check_pragmas) == "ok"

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous = OFF")
        cursor.execute("PRAGMA secure_delete = OFF")
    try:
        assert [v.level for v in list_results(database.check_pragmas)] == ["bad", "bad"]
        assert get_worst_level(database.check_deletion) == "bad"
    finally:
        connection.close()


def test_the_fence_is_looked_at(owner: Resident) -> None:
    assert get_worst_level(database.check_old_keys) == "ok"

    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER fence_diary_draft_text_update")
    try:
        assert "fence_diary_draft_text_update" in get_messages(database.check_old_keys)
    finally:
        call_command("migrate", verbosity=0)
    assert get_worst_level(database.check_old_keys) == "ok"


def build_column(label: str) -> CheckResult:
    return next(
        verdict for verdict in list_results(database.check_encrypted_columns) if verdict.subject == label
    )


def test_values_of_another_epoch_are_bad_and_in_a_rotation_a_reason_to_wait(transactional_db: None) -> None:
    olive = register_resident("Olive", entries=4)
    begin_rotation(olive.open_slot()).keyring.close()

    assert build_column("diary.entry.text").level == "warn"
    assert "4 still use an old key" in build_column("diary.entry.text").message
    assert get_worst_level(household.check_key_changes) == "warn"

    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_formerkey")
    assert build_column("diary.entry.text").level == "bad"
    assert build_column("accounts.vault.digest_key").level == "ok"


def test_facts_of_another_epoch_are_named_by_their_columns(owner: Resident) -> None:
    labels = ("traces.fact.body", "traces.fact.mac", "traces.fact_change.body", "traces.fact_change.mac")
    with owner.unlocked():
        decline_fact(owner_id=owner.id, fact_id=propose_fact(owner, "You live in Graz").id)
    for label in (*labels, "traces.declined_fact.mac", "traces.fact_settings.body"):
        assert build_column(label).level == "ok"
        assert build_column(label).message.startswith("1 ")

    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_vault SET epoch = epoch + 1")

    for label in labels:
        assert build_column(label).level == "bad"
        assert "Restore a backup" in build_column(label).message


def test_an_older_format_is_said(transactional_db: None) -> None:
    olive = register_resident("Olive", entries=4)
    assert build_column("diary.entry.text").level == "ok"

    move_back_to_format_1(olive)

    assert build_column("diary.entry.text").level == "warn"
    assert "4 of format 1" in build_column("diary.entry.text").message
    assert "when its owner next unlocks it" in build_column("diary.entry.text").message


def test_people_who_cannot_come_in_are_counted(owner: Resident) -> None:
    assert "only one way to unlock" in get_messages(
        household.check_people
    )  # the cast's members have no slots at all

    Person.objects.update(is_active=False)
    assert "No administrator can sign in" in get_messages(household.check_people)
    Person.objects.update(is_staff=False)
    assert "There is no administrator" in get_messages(household.check_people)

    Vault.objects.all().delete()
    assert "1 person has no key" in get_messages(household.check_people)


def test_open_invitations_are_counted(owner: Resident) -> None:
    assert get_worst_level(household.check_invitations) == "nothing"

    links.create_invitation()

    assert "1 can still be used" in get_messages(household.check_invitations)


def test_sessions_past_their_limits_are_counted(owner: Resident) -> None:
    assert get_worst_level(household.check_sessions) == "ok"

    Unlock.objects.update(last_active=timezone.now() - timedelta(days=3))

    assert "1 have expired" in get_messages(household.check_sessions)


def test_replies_that_nobody_writes_are_counted(owner: Resident, own_folder: Path) -> None:
    entry = owner.write("x")
    with owner.unlocked():
        Reply.objects.create(owner_id=owner.id, entry=entry, text="half", state=JobState.WRITING)

    assert "1 were not finished" in get_messages(household.check_replies)
    with data_folder.lock(own_folder):
        assert get_worst_level(household.check_replies) == "ok"


def test_backups_are_told_by_their_age(owner: Resident, own_folder: Path, settings: Any) -> None:
    assert "There is no backup yet" in get_messages(backups.check_backups)
    settings.BACKUP_DAILY = False
    assert "LLAMORA_BACKUP_DAILY" in get_messages(backups.check_backups)

    taken = create.create_backup(create.get_household_files(), folder=settings.BACKUP_DIR, now=timezone.now())
    assert get_worst_level(backups.check_backups) == "ok"
    assert "copy one to another" in get_messages(backups.check_backups)
    assert "last 7 days and 4 weeks" in get_messages(backups.check_backups)

    taken.path.rename(taken.path.with_name("llamora-20200101T000000Z.tar"))
    assert get_worst_level(backups.check_backups) == "warn"


@pytest.mark.parametrize("check", [inference.check_model_server, inference.check_embeddings])
def test_models_are_looked_for_and_their_absence_is_no_fault(
    check: Callable[[], Iterator[CheckResult]], own_folder: Path, settings: Any
) -> None:
    settings.MODEL_USUAL_ADDRESSES = ()
    settings.SEARCH_MODEL = "none/at-all"

    assert get_worst_level(check) == "warn"


@pytest.mark.parametrize(("model", "level"), [("wren:0.5b", "warn"), ("heron:7b", "ok")])
def test_a_model_that_is_too_small_is_said(model: str, level: str, own_folder: Path, settings: Any) -> None:
    with FakeModelServer(kind="Ollama", model=model) as server:
        settings.MODEL_URL = server.url

        assert get_worst_level(inference.check_model_server) == level
        assert ("too small" in get_messages(inference.check_model_server)) is (level == "warn")


def test_a_python_without_hnswlib_is_said(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from search.index import graph

    monkeypatch.setattr(graph, "is_available", lambda: True)
    assert "compares all" not in get_messages(inference.check_embeddings)

    monkeypatch.setattr(graph, "is_available", lambda: False)
    assert "is slower for people" in get_messages(inference.check_embeddings)
    assert get_worst_level(inference.check_embeddings) == "ok"


def test_a_model_file_is_named_and_not_loaded(own_folder: Path, settings: Any) -> None:
    file = write_gguf(own_folder / "models" / "heron.gguf")
    large = Tensor("output.weight", (1 << 16, 1 << 15), Q4_K)
    with file.open("wb") as sparse:
        sparse.write(build_gguf(tensors=[large], data=0))
        sparse.truncate(1300 << 20)
    assert get_messages(inference.check_model_server) == "The server runs heron.gguf (1,300 MiB) itself."
    assert get_worst_level(inference.check_model_server) == "ok"

    write_gguf(file)
    assert "heron.gguf" in get_messages(inference.check_model_server)
    assert TOO_SMALL_NOTICE in get_messages(inference.check_model_server)
    assert get_worst_level(inference.check_model_server) == "warn"

    write_gguf(own_folder / "models" / "half.gguf", b"GGUF")
    (own_folder / "models" / "choice.json").write_text("{")
    (own_folder / "models" / "owl.gguf.part").write_bytes(bytes(200_000))
    said = get_messages(inference.check_model_server)
    assert "half.gguf: This model file is not complete." in said
    assert "choice.json" in said
    assert "owl.gguf is an unfinished download of 0.2 MB." in said
    assert "The server runs heron.gguf" in said

    settings.MODEL_FILE = str(own_folder / "absent.gguf")
    assert get_worst_level(inference.check_model_server) == "warn"


def test_commands_write_for_this_user_alone(tmp_path: Path) -> None:
    from tests.server import run_command

    before = os.umask(0o022)
    try:
        # One migration makes the file.
        assert run_command(tmp_path, "migrate", "accounts", "0001", "-v0").returncode == 0
    finally:
        os.umask(before)

    made = tmp_path / "data" / "llamora.sqlite3"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert startup.PRAGMAS["secure_delete"] == 1


@pytest.mark.parametrize(
    ("proxies", "origins", "level", "part"),
    [
        ([], [], "ok", "None is trusted"),
        ([], ["https://diary.home"], "warn", "https://diary.home in LLAMORA_TRUSTED_ORIGINS"),
        (["127.0.0.1", "10.8.0.0/24"], ["https://diary.home"], "ok", "127.0.0.1, 10.8.0.0/24 may say"),
        (["10.8.0.1", "203.0.112.0/22"], [], "warn", "203.0.112.0/22 in LLAMORA_TRUSTED_PROXIES"),
    ],
)
def test_a_proxy_that_is_not_trusted_is_reported_and_strangers_that_are(
    settings: Any, proxies: list[str], origins: list[str], level: str, part: str
) -> None:
    settings.TRUSTED_PROXIES = [ip_network(text) for text in proxies]
    settings.CSRF_TRUSTED_ORIGINS = origins

    assert get_worst_level(proxy.check_trusted_proxies) == level
    assert part in get_messages(proxy.check_trusted_proxies)


def test_a_name_of_a_table_that_was_changed_is_printed_without_control_characters() -> None:
    with closing(sqlite3.connect(":memory:")) as file:
        file.execute('CREATE TABLE "notes\x1b[2J" (a CHECK (a > 0))')
        file.execute("PRAGMA ignore_check_constraints = ON")
        file.execute('INSERT INTO "notes\x1b[2J" VALUES (-1)')
        file.execute("PRAGMA ignore_check_constraints = OFF")

        lines = integrity.list_damaged_pages(file, "PRAGMA quick_check(10)")

    assert lines == ["CHECK constraint failed in notes\ufffd[2J"]


def test_access_tokens_that_do_not_work_are_counted(owner: Resident) -> None:
    assert list(household.check_access_tokens()) == []
    create_token(owner.keyring, build_request(TokenKind.DROP))
    assert list(household.check_access_tokens()) == []

    token_slots.suspend_tokens()
    AccessToken.objects.update(epoch=2)

    found = list(household.check_access_tokens())
    assert [each.level for each in found] == ["warn", "ok"]
    assert all(each.message.startswith("1 ") for each in found)
