"""Tests of the two rows of a session: `SignIn` and `Unlock`, and when they expire."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as live_settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import Person, SignIn, Unlock
from accounts.sessions import run_secret
from accounts.sessions import services as sessions_services
from accounts.sessions.cookies import SessionCookie, parse_cookie
from accounts.sessions.scope import get_session_cookie, reload_vault
from accounts.sessions.services import open_session
from accounts.signals import vault_locked
from llamora.crypto import VaultLocked, current_keyring, hash_half, secret_bytes, wrap_dek
from tests.people import SESSION, Resident
from tests.sign_in_updates import update_sign_ins


def move_back_in_time(
    row: SignIn, *, signed_in: timedelta = timedelta(), active: timedelta = timedelta()
) -> None:
    """Make a browser's sign-in or activity older."""
    now = timezone.now()
    update_sign_ins(where={"id": row.id}, created_at=now - signed_in)
    Unlock.objects.filter(sign_in_id=row.id).update(last_active=now - active)


def test_a_cookie_opens_the_vault_of_its_person(owner: Resident) -> None:
    vault = open_session(owner.get_cookie())

    assert vault.person == owner.person
    assert vault.keyring.data_key() == owner.data_key


@pytest.mark.parametrize("value", ["", "x", "AAAA", "é" * 64, "A" * 64, "A" * 65, "=" * 64, "A" * 4000])
def test_a_cookie_that_we_did_not_write_is_nobodys(db: None, value: str) -> None:
    cookie = parse_cookie(value)

    assert open_session(cookie).person is None


def test_of_too_many_browsers_the_one_unused_longest_is_signed_out(
    owner: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions_services, "MAX_SIGN_INS", 3)
    first = owner.get_cookie()

    cookies = [owner.create_session() for _ in range(3)]

    assert open_session(first).person is None
    assert [open_session(cookie).person for cookie in cookies] == [owner.person] * 3


@pytest.mark.django_db(transaction=True)
def test_all_browsers_of_a_key_end_at_once_and_only_the_last_is_said_to_be_the_last(owner: Resident) -> None:
    heard: list[bool] = []

    def hear(*, last: bool, **_: Any) -> None:
        heard.append(last)

    for _ in range(3):
        owner.create_session()
    vault_locked.connect(hear)
    try:
        sessions_services.end_sessions(person_id=owner.id)
    finally:
        vault_locked.disconnect(hear)

    assert heard == [False, False, False, True]


def test_a_copied_session_table_signs_nobody_in(owner: Resident) -> None:
    row = owner.get_sign_in()

    for guess in (bytes(row.half_hash), bytes(row.unlock.wrapped_dek)[:32], secret_bytes(32)):
        vault = open_session(SessionCookie(row.id, guess))
        assert (vault.person, vault.held) == (None, None)


def test_a_housemates_cookie_half_opens_nothing_of_the_owner(owner: Resident, housemate: Resident) -> None:
    crossed = SessionCookie(owner.get_cookie().sign_in_id, housemate.get_cookie().half)

    assert open_session(crossed).person is None


def test_an_unlock_row_moved_to_another_sign_in_opens_nothing(owner: Resident, housemate: Resident) -> None:
    mine, theirs = owner.get_sign_in(), housemate.get_sign_in()
    Unlock.objects.filter(sign_in=theirs).delete()
    Unlock.objects.filter(sign_in=mine).update(sign_in=theirs)

    vault = open_session(housemate.get_cookie())

    assert (vault.person, vault.is_unlocked) == (housemate.person, False)


def test_a_planted_unlock_row_is_refused(owner: Resident) -> None:
    """An attacker who can write to the database and knows the run secret still lacks the cookie's half."""
    row = owner.get_sign_in()
    salt = secret_bytes(16)
    planted = wrap_dek(
        dek=secret_bytes(32),
        half=secret_bytes(32),
        salt=salt,
        run_secret=run_secret.get_run_secret(),
        row=row.id,
        owner=owner.id,
        epoch=1,
    )
    Unlock.objects.filter(sign_in=row).update(salt=salt, wrapped_dek=planted)

    vault = open_session(owner.get_cookie())

    assert (vault.person, vault.is_unlocked) == (owner.person, False)


@pytest.mark.parametrize("planted", [b"", b"\x01", b"\xff" * 200])
def test_bytes_that_are_no_envelope_lock_and_do_not_fail(owner: Resident, planted: bytes) -> None:
    Unlock.objects.filter(sign_in=owner.get_sign_in()).update(wrapped_dek=planted, salt=b"short")

    assert not owner.is_unlocked()


def test_without_the_run_secret_one_is_signed_in_but_locked(
    owner: Resident, settings: Any, tmp_path: Path
) -> None:
    settings.RUNTIME_DIR = str(tmp_path)

    vault = open_session(owner.get_cookie())

    assert (vault.person, vault.is_unlocked) == (owner.person, False)


def test_the_run_secret_is_for_this_user_alone_and_lasts_over_a_restart(
    settings: Any, tmp_path: Path
) -> None:
    settings.RUNTIME_DIR = str(tmp_path)
    first = run_secret.get_run_secret()
    (path,) = tmp_path.rglob("run_secret")

    run_secret._cached.clear()

    assert run_secret.get_run_secret() == first == path.read_bytes()
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_runtime_folder_that_others_can_enter_is_refused(settings: Any, tmp_path: Path) -> None:
    settings.RUNTIME_DIR = str(tmp_path)
    run_secret.get_run_secret()
    (path,) = tmp_path.rglob("run_secret")
    path.parent.chmod(0o755)
    run_secret._cached.clear()

    with pytest.raises(PermissionError):
        run_secret.get_run_secret()


def test_without_a_memory_file_system_the_administrator_is_told(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RUNTIME_DIR = ""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(run_secret, "_MEMORY_FILE_SYSTEMS", {"none of this machine"})

    sentence = run_secret.prepare_run_secret()

    assert sentence is not None
    assert "memory file system" in sentence
    assert list(tmp_path.iterdir()) == []


def test_a_run_secret_on_a_disk_is_said_at_the_start(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RUNTIME_DIR = str(tmp_path)
    monkeypatch.setattr(run_secret, "_MEMORY_FILE_SYSTEMS", {"none of this machine"})

    sentence = run_secret.prepare_run_secret()

    assert sentence is not None
    assert sentence.startswith(f"The run secret is on a disk, in {tmp_path}, so someone")


def test_after_the_idle_limit_the_vault_is_locked_and_the_row_is_gone(owner: Resident) -> None:
    row = owner.get_sign_in()
    move_back_in_time(row, active=timedelta(minutes=live_settings.IDLE_MINUTES, seconds=1))

    vault = open_session(owner.get_cookie())

    assert (vault.person, vault.is_unlocked) == (owner.person, False)
    assert not Unlock.objects.filter(sign_in=row).exists()


def test_after_the_absolute_limit_one_is_signed_out(owner: Resident) -> None:
    row = owner.get_sign_in()
    move_back_in_time(row, signed_in=timedelta(days=live_settings.SIGN_IN_DAYS, seconds=1))

    assert open_session(owner.get_cookie()).person is None
    assert not SignIn.objects.filter(id=row.id).exists()


def test_what_a_person_does_moves_the_idle_limit_but_not_at_every_request(owner: Resident) -> None:
    row = owner.get_sign_in()
    move_back_in_time(row, active=timedelta(minutes=1))
    before = Unlock.objects.get(sign_in=row).last_active

    owner.get("/settings/")
    soon = Unlock.objects.get(sign_in=row).last_active
    move_back_in_time(row, active=timedelta(minutes=10))
    owner.get("/settings/")
    later = Unlock.objects.get(sign_in=row).last_active

    assert soon == before
    assert timezone.now() - later < timedelta(seconds=30)


@pytest.mark.parametrize("asks", ["a socket", "a poll"])
def test_what_nobody_does_moves_nothing(owner: Resident, asks: str) -> None:
    row = owner.get_sign_in()
    move_back_in_time(row, active=timedelta(minutes=10))
    before = Unlock.objects.get(sign_in=row).last_active

    if asks == "a socket":
        assert reload_vault(owner.get_cookie()).is_unlocked
    else:
        owner.client.get("/settings/", headers={"X-Llamora-Poll": "1"})

    assert Unlock.objects.get(sign_in=row).last_active == before


def test_with_a_short_idle_limit_somebody_active_is_not_locked(owner: Resident, settings: Any) -> None:
    settings.IDLE_MINUTES = 1
    row = owner.get_sign_in()
    move_back_in_time(row, active=timedelta(seconds=40))

    owner.get("/settings/")

    assert timezone.now() - Unlock.objects.get(sign_in=row).last_active < timedelta(seconds=20)


def test_a_vault_that_moved_on_to_another_epoch_is_locked_here(owner: Resident) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_vault SET epoch = 2 WHERE owner_id = %s", [owner.id.hex])

    vault = open_session(owner.get_cookie())

    assert (vault.person, vault.is_unlocked) == (owner.person, False)


def test_a_page_reads_without_writing(owner: Resident, django_assert_num_queries: Any) -> None:
    owner.get("/settings/password/")

    # That of the session, and that of what waits in the Inbox.
    with django_assert_num_queries(2):
        owner.get("/settings/password/")


def test_no_keyring_is_in_force_after_a_request(owner: Resident) -> None:
    owner.get("/settings/")

    with pytest.raises(VaultLocked):
        current_keyring()


def test_the_sweep_ends_what_nobody_came_back_to(owner: Resident, housemate: Resident) -> None:
    move_back_in_time(owner.get_sign_in(), active=timedelta(minutes=live_settings.IDLE_MINUTES + 1))
    move_back_in_time(housemate.get_sign_in(), signed_in=timedelta(days=live_settings.SIGN_IN_DAYS + 1))
    fresh = owner.sign_in_elsewhere()

    assert sessions_services.end_expired_sessions() == 2
    assert sessions_services.end_expired_sessions() == 0
    assert not owner.is_unlocked()
    assert SignIn.objects.filter(person=owner.person).count() == 2
    assert not SignIn.objects.filter(person=housemate.person).exists()
    assert fresh.is_unlocked()


def test_ending_all_sessions_can_spare_one(owner: Resident) -> None:
    other = owner.sign_in_elsewhere()

    assert sessions_services.end_sessions(person_id=owner.id, except_id=owner.get_cookie().sign_in_id) == 1
    assert owner.is_unlocked()
    assert not other.is_unlocked()


def test_one_person_cannot_end_or_lock_anothers_session(owner: Resident, housemate: Resident) -> None:
    sign_in_id = owner.get_cookie().sign_in_id

    sessions_services.lock_session(sign_in_id=sign_in_id, person_id=housemate.id)
    sessions_services.end_session(sign_in_id=sign_in_id, person_id=housemate.id)

    assert owner.is_unlocked()


def test_a_socket_reads_the_same_cookie(owner: Resident) -> None:
    value = owner.client.cookies[SESSION].value
    headers = [(b"cookie", f"other=1; {SESSION}={value}".encode())]

    cookie = get_session_cookie({"scheme": "ws", "headers": headers})

    assert cookie == owner.get_cookie()
    assert get_session_cookie({"scheme": "wss", "headers": headers}) is None
    assert get_session_cookie({"headers": [(b"cookie", b'"broken; =')]}) is None


def test_dumps_hold_no_session_rows_even_when_they_are_named(owner: Resident, tmp_path: Path) -> None:
    for labels in ([], ["accounts"], ["accounts.SignIn", "accounts.Person"]):
        target = tmp_path / "dump.json"
        target.write_text("")
        call_command("dumpdata", *labels, output=str(target), verbosity=0)
        said = target.read_text().lower()
        assert "accounts.signin" not in said
        assert "accounts.unlock" not in said
        assert hash_half(owner.get_cookie().half).hex() not in said
        assert "accounts.person" in said
    with pytest.raises(CommandError, match="Sessions are never output"):
        call_command("dumpdata", "accounts.unlock")


def test_somebody_switched_off_is_nobody(owner: Resident) -> None:
    Person.objects.filter(id=owner.id).update(is_active=False)

    assert open_session(owner.get_cookie()).person is None


def test_the_secret_of_the_run_is_not_in_the_data_folder(owner: Resident) -> None:
    secret = run_secret.get_run_secret()

    for folder, _, names in os.walk(live_settings.DATA_DIR):
        for name in names:
            assert secret not in (Path(folder) / name).read_bytes()


def test_a_browser_of_nobody_gets_no_cookie_of_ours(db: None) -> None:
    client = Client()

    client.get("/")

    assert SESSION not in client.cookies
