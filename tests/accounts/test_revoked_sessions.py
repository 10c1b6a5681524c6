"""Tests of sessions that end while the database is read-only; their rows are deleted later."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import SignIn, Unlock
from accounts.sessions import revocation_list
from accounts.sessions import services as sessions_services
from accounts.sessions.services import open_session
from accounts.signals import vault_locked
from llamora.database import NotWritten
from llamora.database.sqlite import schema_guard
from tests.people import Resident

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def read_only() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only=ON")
        try:
            yield
        finally:
            cursor.execute("PRAGMA query_only=OFF")


@contextmanager
def refusing_triggers() -> Iterator[None]:
    """Have triggers refuse to delete sessions, as if they were planted just before each deletion."""
    with patch.object(schema_guard, "remove_unknown", return_value=0), connection.cursor() as cursor:
        for table in ("accounts_unlock", "accounts_signin"):
            refuse = "BEGIN SELECT RAISE(ABORT, 'no'); END"
            cursor.execute(f"CREATE TRIGGER stay_{table} BEFORE DELETE ON {table} {refuse}")
        try:
            yield
        finally:
            for table in ("accounts_unlock", "accounts_signin"):
                cursor.execute(f"DROP TRIGGER stay_{table}")


@pytest.fixture
def recorded_signals() -> Iterator[list[dict[str, Any]]]:
    """Record the signals about sessions that end."""
    found: list[dict[str, Any]] = []

    def hear(sender: object, **told: Any) -> None:
        found.append(told)

    vault_locked.connect(hear)
    yield found
    vault_locked.disconnect(hear)


def test_a_lock_that_cannot_be_written_is_a_lock(
    owner: Resident, recorded_signals: list[dict[str, Any]]
) -> None:
    stolen = owner.get_cookie()

    with read_only():
        answer = owner.post("/lock/")
        seen = open_session(stolen)

    assert answer.status_code == 302
    assert (seen.person, seen.is_unlocked) == (owner.person, False)
    assert [told["last"] for told in recorded_signals] == [True]
    assert Unlock.objects.filter(sign_in_id=stolen.sign_in_id).exists()
    assert b"be written to now" in owner.get("/unlock/").content


def test_a_sign_out_that_cannot_be_written_is_a_sign_out(
    owner: Resident, recorded_signals: list[dict[str, Any]]
) -> None:
    stolen = owner.get_cookie()

    with read_only():
        answer = owner.post("/sign-out/")
        seen = open_session(stolen)

    assert answer.status_code == 200
    assert b"be written to now" in answer.content
    assert answer.cookies["llamora_session"].value == ""
    assert (seen.person, seen.held) == (None, None)
    assert [told["last"] for told in recorded_signals] == [True]


def test_a_lock_and_a_sign_out_that_a_trigger_refuses_are_a_lock_and_a_sign_out(owner: Resident) -> None:
    stolen = owner.get_cookie()

    with refusing_triggers():
        assert owner.post("/lock/").status_code == 302
        locked = open_session(stolen)
        assert owner.post("/sign-out/").status_code == 200
        gone = open_session(stolen)

    assert (locked.person, locked.is_unlocked) == (owner.person, False)
    assert (gone.person, gone.held) == (None, None)


def test_another_browser_of_the_same_person_stays_open(
    owner: Resident, recorded_signals: list[dict[str, Any]]
) -> None:
    first = owner.get_cookie()
    owner.client.cookies.clear()
    owner.sign_in()

    with read_only():
        sessions_services.lock_or_revoke(sign_in_id=first.sign_in_id, person_id=owner.id)

    assert owner.is_unlocked()
    assert [told["last"] for told in recorded_signals] == [False]


def test_another_process_that_starts_later_knows_of_it(
    owner: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    with read_only():
        owner.post("/lock/")
    monkeypatch.setattr(revocation_list, "_revoked_here", set())

    assert not owner.is_unlocked()


def test_the_rows_go_with_the_first_round_that_can_write(owner: Resident) -> None:
    row = owner.get_sign_in()
    with read_only():
        owner.post("/sign-out/")
        with pytest.raises(NotWritten):
            sessions_services.end_expired_sessions()
    assert SignIn.objects.filter(id=row.id).exists()

    sessions_services.end_expired_sessions()

    assert not SignIn.objects.filter(id=row.id).exists()
    assert revocation_list.list_revoked() == set()


def test_the_password_opens_it_again_once_the_disk_takes_writing(owner: Resident) -> None:
    with read_only():
        owner.post("/lock/")

    owner.post("/unlock/", password=owner.password)
    sessions_services.end_expired_sessions()

    assert owner.is_unlocked()


def test_what_has_lain_idle_is_told_to_the_apps_once_although_nothing_can_be_written(
    owner: Resident, recorded_signals: list[dict[str, Any]]
) -> None:
    Unlock.objects.update(last_active=timezone.now() - timedelta(days=2))

    with read_only():
        for _ in range(3):
            with pytest.raises(NotWritten):
                sessions_services.end_expired_sessions()

    assert [(told["person_id"], told["last"]) for told in recorded_signals] == [(owner.id, True)]
    assert not owner.is_unlocked()
