"""Tests of the Django system checks: each passes in a sound household and can fail."""

from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from django.core.management import call_command, get_commands, load_command_class
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from accounts.models import Person
from llamora.ops import startup


def run_own_checks(*, databases: list[str] | None = None) -> list[CheckMessage]:
    found = run_checks(databases=databases)
    return [message for message in found if (message.id or "").startswith("llamora.")]


def list_ids(messages: list[CheckMessage]) -> set[str]:
    return {str(message.id) for message in messages}


@pytest.mark.django_db(transaction=True)
def test_a_sound_household_passes_every_check() -> None:
    assert run_own_checks(databases=["default"]) == []


def test_a_short_secret_key_is_found(settings: Any) -> None:
    settings.SECRET_KEY = "change-me"

    assert list_ids(run_own_checks()) == {"llamora.E001"}


def test_an_open_data_folder_is_found(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    tmp_path.chmod(0o755)

    assert list_ids(run_own_checks()) == {"llamora.E002"}


@pytest.mark.django_db
def test_a_missing_fence_is_found() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'fence%' LIMIT 1")
        name = cursor.fetchone()[0]
        cursor.execute(f'DROP TRIGGER "{name}"')

    found = run_own_checks(databases=["default"])

    assert list_ids(found) == {"llamora.E003"}
    assert name in str(found[0].msg)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("pragma", "loose", "sound"), [("synchronous", 1, 2), ("secure_delete", 0, 1)])
def test_a_database_that_may_lose_what_it_confirmed_is_found(pragma: str, loose: int, sound: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {pragma}={loose}")

    found = run_own_checks(databases=["default"])

    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {pragma}={sound}")
    assert list_ids(found) == {"llamora.E004"}


@pytest.mark.django_db(transaction=True)
def test_a_person_without_a_vault_is_counted_and_not_named() -> None:
    Person.objects.create(name="Somebody")

    found = run_own_checks(databases=["default"])

    assert list_ids(found) == {"llamora.W001"}
    assert "1 person has no key" in str(found[0].msg)
    assert "Somebody" not in str(found[0].msg)


@pytest.mark.django_db(transaction=True)
def test_a_second_migration_finds_nothing_to_do() -> None:
    assert startup.migrate() is False


@pytest.mark.parametrize(
    ("host", "near"),
    [("127.0.0.1", True), ("::1", True), ("[::1]", True), ("localhost", True), ("llamora.localhost", True),
     ("0.0.0.0", False), ("192.168.1.5", False), ("diary.example", False), ("::", False)],
)  # fmt: skip
def test_loopback_is_told_from_the_network(host: str, *, near: bool) -> None:
    assert startup.is_loopback_host(host) is near


@pytest.mark.django_db(transaction=True)
def test_a_database_that_waits_for_a_migration_can_be_migrated_by_hand() -> None:
    """`migrate` runs the checks first, so a check of a future table must not fail."""
    recorder = MigrationRecorder(connection)
    (newest,) = MigrationLoader(connection).graph.leaf_nodes("diary")
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER fence_diary_entry_text_insert")
    recorder.record_unapplied(*newest)
    try:
        while_waiting = list_ids(run_own_checks(databases=["default"]))
    finally:
        recorder.record_applied(*newest)
    afterwards = list_ids(run_own_checks(databases=["default"]))
    call_command("migrate", verbosity=0, skip_checks=True)

    assert "llamora.E003" not in while_waiting
    assert "llamora.E003" in afterwards
    assert run_own_checks(databases=["default"]) == []


def test_the_checks_stop_no_command_with_a_list() -> None:
    """`up` refuses such a key in a sentence, `doctor` says it, and no other command needs it."""
    own = ("accounts", "diary", "llamora.ops", "search", "traces")

    listed = [
        name
        for name, app in get_commands().items()
        if app in own and load_command_class(str(app), name).requires_system_checks
    ]

    assert listed == []
