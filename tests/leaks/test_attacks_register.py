"""Attacks on rows that grant access, with write access to the database and a restart of the machine.

A revoked or expired token, an ended sign-in and an idle diary stay closed, whatever the rows say.
"""

import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from accounts.errors import InvalidToken
from accounts.keys.token_slots import suspend_tokens
from accounts.models import AccessToken, SignIn, Unlock
from accounts.rotation.background import stop_rotation_threads
from accounts.security.deletion import delete_person
from accounts.sessions import run_secret, unlock_register
from accounts.sessions import services as sessions_services
from accounts.sessions.registry import session_registry
from accounts.sessions.revocation_list import _ended_here
from accounts.sessions.services import open_session
from accounts.throttling.throttle import throttle
from accounts.tokens import services
from accounts.tokens.verification import find_token_owner
from diary.inbox import boxes
from diary.inbox.boxes import list_closed_boxes, store_box
from diary.inbox.inbox_text import InboxText
from diary.models import InboxItem
from llamora.clock import services as clock
from llamora.clock.record_file import remove_record
from llamora.crypto import DropKey, TokenKind, VaultLocked, in_force, parse_token
from llamora.database import NotWritten, credential_register
from llamora.fields import fence
from tests import tokens
from tests.clock.machine import DAY
from tests.clock.test_services import Clocks, clocks
from tests.fakes.waiting import PATIENCE
from tests.people import NEW_PASSWORD, PASSWORD, Resident, register_resident
from tests.tokens import get_row, make_token, use_token

__all__ = ["clocks"]

pytestmark = pytest.mark.django_db(transaction=True)
KEYLESS = pytest.mark.parametrize("kind", [TokenKind.ORDINARY, TokenKind.DROP])


@pytest.fixture(autouse=True)
def forget_tokens() -> Iterator[None]:
    with tokens.forgotten_afterwards():
        yield


@pytest.fixture
def olive(transactional_db: None) -> Resident:
    return register_resident("Olive", signed_in=True)


def restart_machine() -> None:
    """Drop what a restart of the machine drops: memory, and what lies in a memory file system."""
    folder = run_secret.get_household_folder()
    assert folder is not None
    shutil.rmtree(folder, ignore_errors=True)
    run_secret._cached.clear()
    _ended_here.clear()
    session_registry.clear()
    unlock_register._registered_here.clear()
    tokens.forget_process()
    throttle.clear()


def copy_rows(table: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        return list(cursor.execute(f"SELECT * FROM {table}").fetchall())


def put_back(table: str, rows: list[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor:
        for row in rows:
            places = ", ".join(["%s"] * len(row))
            cursor.execute(f"INSERT OR REPLACE INTO {table} VALUES ({places})", row)


def check_refused(text: str) -> None:
    with pytest.raises(InvalidToken):
        use_token(text)


def revoke(who: Resident, text: str) -> None:
    services.revoke_token(
        who.open_keyring(), person=who.person, token_id=parse_token(text).id, cookie=who.get_cookie()
    )


# --- Tokens ---------------------------------------------------------------------------------------


@KEYLESS
def test_a_revoked_token_put_back_with_its_vault_stays_revoked(olive: Resident, kind: TokenKind) -> None:
    text = make_token(olive, kind)
    use_token(text)
    token_rows, vault_rows = copy_rows("accounts_accesstoken"), copy_rows("accounts_vault")
    revoke(olive, text)

    restart_machine()
    put_back("accounts_accesstoken", token_rows)
    put_back("accounts_vault", vault_rows)
    check_refused(text)
    # Also while she is unlocked: her list of ways to unlock names it again.
    olive.sign_in()
    check_refused(text)
    sessions_services.end_expired_sessions()
    services.end_expired_tokens()
    check_refused(text)


@pytest.mark.parametrize("end", ["reset after a compromise", "deletion"])
def test_tokens_that_all_ended_at_once_stay_so_although_a_whole_person_is_put_back(
    olive: Resident, end: str
) -> None:
    """One of the rows is hidden while they end; nothing is swept before the person is put back."""
    texts = [make_token(olive, TokenKind.ORDINARY), make_token(olive, TokenKind.DROP)]
    models = {*apps.get_app_config("accounts").get_models(), *fence.sealed_models()}
    copied = {model._meta.db_table: copy_rows(model._meta.db_table) for model in models}
    AccessToken.objects.filter(id=parse_token(texts[0]).id).delete()
    if end == "deletion":
        delete_person(olive.person)
    else:
        passwords = {"password": NEW_PASSWORD, "password_again": NEW_PASSWORD}
        answer = olive.post("/settings/somebody-had-my-key/", current=PASSWORD, **passwords)
        assert answer.status_code == 200

    stop_rotation_threads(timeout=PATIENCE)
    restart_machine()
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        fence.drop_triggers(connection)
        for table, rows in copied.items():
            cursor.execute(f"DELETE FROM {table}")
            put_back(table, rows)
    fence.install_triggers(connection, fenced=fence.sealed_models(), vault_table="accounts_vault")

    assert AccessToken.objects.count() == len(texts)
    for text in texts:
        check_refused(text)


def drop(key: DropKey, text: str, *, token: str, who: Resident) -> None:
    """Put a text into the table, as who writes to the database can with the key of a token."""
    content = InboxText.create(text)
    store_box(owner_id=who.id, day=who.today, text=content, sender_id=parse_token(token).id, key=key)


def read_inbox(who: Resident) -> tuple[list[str], list[str | None]]:
    """Return the texts of the Inbox once its owner is unlocked, and those that could not be checked."""
    who.sign_in()
    keyring = who.open_keyring()
    with in_force(keyring):
        unchecked = [box.text for box in list_closed_boxes(keyring).unchecked]
        return [item.body["text"] for item in InboxItem.objects.order_by("id")], unchecked


def open_drop_key(text: str) -> DropKey:
    key = use_token(text).drop
    assert key is not None
    return key


def test_who_holds_a_revoked_token_sends_nothing_with_its_rows_put_back(olive: Resident) -> None:
    text = make_token(olive, TokenKind.DROP)
    key = open_drop_key(text)
    token_rows, vault_rows = copy_rows("accounts_accesstoken"), copy_rows("accounts_vault")
    drop(key, "Before.", token=text, who=olive)
    revoke(olive, text)

    restart_machine()
    put_back("accounts_accesstoken", token_rows)
    put_back("accounts_vault", vault_rows)
    drop(key, "After.", token=text, who=olive)

    assert read_inbox(olive) == (["Before."], ["After."])


def test_what_was_sent_before_a_restore_waits_until_its_token_is_confirmed(olive: Resident) -> None:
    text = make_token(olive, TokenKind.DROP)
    drop(open_drop_key(text), "Before.", token=text, who=olive)
    suspend_tokens()

    assert read_inbox(olive) == ([], ["Before."])
    assert services.confirm_token(olive.open_keyring(), token_id=parse_token(text).id)
    assert read_inbox(olive) == (["Before."], [])


@pytest.mark.parametrize("is_presented", [True, False], ids=["presented", "never presented"])
def test_what_a_token_sent_before_it_expired_arrives_at_the_next_unlock_and_nothing_later(
    olive: Resident, clocks: Clocks, monkeypatch: pytest.MonkeyPatch, *, is_presented: bool
) -> None:
    clock.observe()
    text = services.create_token(olive.keyring, tokens.build_request(TokenKind.DROP, lifetime_days=30))
    key = open_drop_key(text)
    drop(key, "Before.", token=text, who=olive)
    for _ in range(31):
        clocks.wait(DAY)
        clock.observe()
    if is_presented:
        check_refused(text)
    services.end_expired_tokens()

    restart_machine()
    with monkeypatch.context() as full:
        full.setattr(boxes, "fits_beside", lambda text, sizes: False)
        assert read_inbox(olive) == ([], [])
    assert read_inbox(olive) == (["Before."], [])
    AccessToken.objects.update(is_expired=False)
    drop(key, "After.", token=text, who=olive)
    assert read_inbox(olive) == (["Before."], ["After."])


def test_a_token_whose_row_was_changed_before_it_was_revoked_stays_revoked(olive: Resident) -> None:
    text = make_token(olive, TokenKind.DROP)
    rows = copy_rows("accounts_accesstoken")

    AccessToken.objects.update(confirmation=None)
    revoke(olive, text)
    restart_machine()
    put_back("accounts_accesstoken", rows)

    check_refused(text)


def test_a_token_that_waits_after_a_rollback_cannot_be_confirmed_on_the_disk(olive: Resident) -> None:
    text = make_token(olive, TokenKind.DROP)
    rows = copy_rows("accounts_accesstoken")
    suspend_tokens(olive.id)
    put_back("accounts_accesstoken", rows)

    check_refused(text)
    assert [token.is_suspended for token in services.list_tokens(olive.open_keyring())] == [True]
    assert services.confirm_token(olive.open_keyring(), token_id=parse_token(text).id)
    use_token(text)


@pytest.mark.parametrize("is_presented", [True, False], ids=["presented", "never presented"])
def test_an_expired_token_stays_so_without_its_mark_and_the_record_of_the_clock(
    olive: Resident, clocks: Clocks, *, is_presented: bool
) -> None:
    clock.observe()
    request = tokens.build_request(TokenKind.DROP, lifetime_days=30)
    text = services.create_token(olive.keyring, request)
    for _ in range(31):
        clocks.wait(DAY)
        clock.observe()
    if is_presented:
        check_refused(text)
    else:
        assert services.end_expired_tokens() == 1

    restart_machine()
    AccessToken.objects.update(is_expired=False)
    remove_record()
    clock.observe()

    check_refused(text)


def test_what_is_in_the_database_says_nothing_about_the_time(olive: Resident) -> None:
    with connection.cursor() as cursor:
        names = [name for (name,) in cursor.execute("SELECT name FROM sqlite_schema").fetchall()]

    assert not [name for name in names if name.startswith("clock_")]


@KEYLESS
def test_without_the_register_each_token_waits_for_its_owner(olive: Resident, kind: TokenKind) -> None:
    text = make_token(olive, kind)
    keyring = olive.open_keyring()

    credential_register.clear_register(Path(credential_register.get_register_folder()).parent / "any")

    check_refused(text)
    assert [token.is_suspended for token in services.list_tokens(keyring)] == [True]
    assert services.confirm_token(keyring, token_id=get_row(text).id)
    olive.sign_in()
    use_token(text)


def test_a_token_is_registered_before_it_is_shown_or_not_made(
    olive: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)

    with pytest.raises(NotWritten) as refused:
        make_token(olive, TokenKind.DROP)

    assert refused.value.code == "disk_full"
    assert not AccessToken.objects.exists()


def test_a_process_that_was_killed_before_the_register_was_written_ends_it_at_its_next_start(
    olive: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, cookie = make_token(olive, TokenKind.DROP), olive.get_cookie()
    token_rows, sign_in_rows = copy_rows("accounts_accesstoken"), copy_rows("accounts_signin")
    with monkeypatch.context() as killed:
        killed.setattr(credential_register, "remove_marks", lambda marks: None)
        revoke(olive, text)
        sessions_services.end_sessions(person_id=olive.id)
    restart_machine()

    sessions_services.end_expired_sessions()
    services.end_expired_tokens()
    put_back("accounts_accesstoken", token_rows)
    put_back("accounts_signin", sign_in_rows)

    check_refused(text)
    assert open_session(cookie).person is None


def test_a_token_that_was_checked_before_is_forgotten_once_it_has_ended(
    olive: Resident,
) -> None:
    text = make_token(olive, TokenKind.DROP)
    use_token(text)
    rows = copy_rows("accounts_accesstoken")

    suspend_tokens(olive.id)
    put_back("accounts_accesstoken", rows)

    assert find_token_owner(text) is None
    check_refused(text)


# --- Sign-ins -------------------------------------------------------------------------------------


def test_a_sign_in_that_ended_and_is_put_back_is_nobodys(olive: Resident) -> None:
    cookie, rows = olive.get_cookie(), copy_rows("accounts_signin")
    sessions_services.end_session(sign_in_id=cookie.sign_in_id, person_id=olive.id)

    restart_machine()
    put_back("accounts_signin", rows)

    assert open_session(cookie).person is None
    assert sessions_services.find_person_id(cookie) is None
    assert sessions_services.end_expired_sessions() == 1
    assert not SignIn.objects.exists()


def test_a_sign_in_hidden_while_all_were_ended_is_nobodys(olive: Resident) -> None:
    cookie, rows = olive.get_cookie(), copy_rows("accounts_signin")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_unlock")
        cursor.execute("DELETE FROM accounts_signin")

    sessions_services.end_sessions(person_id=olive.id)
    restart_machine()
    put_back("accounts_signin", rows)

    assert open_session(cookie).person is None


CHANGED = {
    "no end": {"ends_at": None},
    "a later end": {"ends_at": timezone.now() + timedelta(days=900)},
    "a later beginning": {"created_at": timezone.now() + timedelta(seconds=30)},
    "stored for longer": {"is_persistent": True},
}


@pytest.mark.parametrize("columns", CHANGED.values(), ids=list(CHANGED))
def test_a_sign_in_whose_times_were_changed_is_over(olive: Resident, columns: dict[str, Any]) -> None:
    cookie = sessions_services.create_session(
        person=olive.person, keyring=olive.open_keyring(), is_persistent=False, device="", days=1
    )
    assert open_session(cookie).person == olive.person

    SignIn.objects.filter(id=cookie.sign_in_id).update(**columns)

    assert open_session(cookie).person is None
    sessions_services.end_expired_sessions()
    assert not SignIn.objects.filter(id=cookie.sign_in_id).exists()


def test_a_sign_in_that_is_changed_while_the_password_is_checked_is_not_registered_so(
    olive: Resident,
) -> None:
    cookie = olive.get_cookie()
    SignIn.objects.update(created_at=timezone.now() + timedelta(seconds=60))

    with pytest.raises(SignIn.DoesNotExist):
        sessions_services.unlock_session(sign_in_id=cookie.sign_in_id, keyring=olive.open_keyring())


def test_a_sign_in_that_was_made_longer_is_over_also_once_it_is_put_right(olive: Resident) -> None:
    cookie, rows = olive.get_cookie(), copy_rows("accounts_signin")

    SignIn.objects.update(ends_at=timezone.now() + timedelta(days=900))
    sessions_services.end_expired_sessions()
    put_back("accounts_signin", rows)

    assert open_session(cookie).person is None


def test_a_clock_that_was_set_moves_the_end_of_a_sign_in_and_leaves_it_in_force(
    olive: Resident, clocks: Clocks
) -> None:
    cookie = sessions_services.create_session(
        person=olive.person, keyring=olive.open_keyring(), is_persistent=True, device="", days=7
    )
    clock.observe()

    clocks.set_by(100 * DAY)

    assert open_session(cookie).person == olive.person
    assert sessions_services.end_expired_sessions() in (0, 1, 2)
    clocks.wait(8 * DAY)
    assert open_session(cookie).person is None


# --- Unlocked diaries -----------------------------------------------------------------------------


def test_an_idle_diary_locks_although_its_row_says_that_it_is_used(
    olive: Resident, clocks: Clocks, settings: Any
) -> None:
    settings.IDLE_MINUTES = 60
    olive.sign_in()
    text = make_token(olive, TokenKind.ORDINARY)
    cookie = olive.get_cookie()
    key_id = olive.open_keyring().key_id

    for _ in range(5):
        clocks.wait(15 * 60)
        Unlock.objects.update(last_active=timezone.now())

    assert not session_registry.is_unlocked(key_id)
    with pytest.raises(VaultLocked):
        use_token(text)
    assert not open_session(cookie).is_unlocked
    Unlock.objects.update(last_active=timezone.now())
    sessions_services.end_expired_sessions()
    assert not Unlock.objects.exists()


def test_a_diary_that_is_used_stays_unlocked(olive: Resident, clocks: Clocks, settings: Any) -> None:
    settings.IDLE_MINUTES = 60
    olive.sign_in()
    cookie = olive.get_cookie()

    for _ in range(8):
        clocks.wait(45 * 60)
        assert open_session(cookie).is_unlocked


# --- The update that made the register -----------------------------------------------------------


@pytest.mark.parametrize("has_folder", [False, True], ids=["first update", "update that is forged"])
def test_an_update_registers_what_there_is_where_no_register_was_yet(
    olive: Resident, *, has_folder: bool
) -> None:
    text, cookie = make_token(olive, TokenKind.DROP), olive.get_cookie()
    shutil.rmtree(credential_register.get_register_folder())
    if has_folder:
        # As each start of the server does.
        clock.observe()

    import_module("accounts.migrations.0020_registered_rows").register_rows(apps, None)

    assert open_session(cookie).person == (None if has_folder else olive.person)
    if has_folder:
        check_refused(text)
    else:
        use_token(text)
