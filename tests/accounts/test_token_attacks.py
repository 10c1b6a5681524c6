"""Attacks on access tokens: with a stolen token, by guessing, and by writing to the database."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection

from accounts.errors import InvalidToken
from accounts.keys import token_slots
from accounts.models import AccessToken
from accounts.rotation import background
from accounts.rotation import services as rotation_services
from accounts.security.deletion import deactivate_person, delete_person
from accounts.sessions.registry import session_registry
from accounts.throttling.throttle import throttle
from accounts.tokens import services, verification
from accounts.tokens.call_limits import call_limits
from accounts.tokens.verification import REFUSAL_SECONDS
from llamora.crypto import TokenKind, VaultLocked, new_token, parse_token, secret_bytes
from llamora.fields import new_id
from tests import tokens
from tests.people import NEW_PASSWORD, Resident
from tests.tokens import get_row, make_token, read_entries, use_token

KINDS = pytest.mark.parametrize("kind", TokenKind, ids=lambda kind: kind.value)
WORKS, LOCKED, REFUSED = "works", "locked", "refused"


@pytest.fixture(autouse=True)
def forget_tokens() -> Iterator[None]:
    with tokens.forgotten_afterwards():
        yield


@pytest.fixture(autouse=True)
def _no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable the thread that finishes a rotation; the tests finish it themselves."""
    monkeypatch.setattr(background, "start_rotation_thread", lambda keyring: True)


@pytest.fixture
def olive(owner: Resident) -> Resident:
    """A person with an entry, unlocked in a browser."""
    owner.write_with(owner.open_keyring(), "The first snow")
    return owner


def try_token(text: str) -> str:
    """Return what becomes of a token that is presented."""
    call_limits.clear()
    throttle.clear()
    try:
        opened = use_token(text)
    except VaultLocked:
        return LOCKED
    except InvalidToken:
        return REFUSED
    if opened.keyring is not None:
        opened.keyring.close()
        assert read_entries(text) == {"The first snow"}
    return WORKS


# --- After what a person does ---------------------------------------------------------------------


def end_process(who: Resident) -> None:
    del who
    session_registry.clear()
    tokens.forget_process()


def lock_and_unlock(who: Resident) -> None:
    who.lock()
    assert who.post("/unlock/", password=who.password).status_code == 302


def change_password(who: Resident) -> None:
    fields = {"password": NEW_PASSWORD, "password_again": NEW_PASSWORD}
    assert who.post("/settings/password/", current=who.password, **fields).status_code < 400
    who.password = NEW_PASSWORD


def rotate(who: Resident) -> None:
    assert who.post("/settings/key/", current=who.password).status_code < 400
    rotation_services.resume_rotation(who.open_keyring())


def recover(who: Resident) -> None:
    fields = {"name": who.person.name, "code": who.recovery_code}
    fields |= {"password": NEW_PASSWORD, "password_again": NEW_PASSWORD}
    assert who.client.post("/recover/", fields).status_code == 200
    who.password = NEW_PASSWORD


def suspend(who: Resident) -> None:
    token_slots.suspend_tokens(who.id)


EVENTS: dict[str, tuple[Callable[[Resident], object], dict[TokenKind, str]]] = {
    "lock": (lambda who: who.lock(), {TokenKind.ORDINARY: LOCKED}),
    "lock and unlock": (lock_and_unlock, {}),
    "sign out": (lambda who: who.post("/sign-out/"), {TokenKind.ORDINARY: LOCKED}),
    "restart": (end_process, {TokenKind.ORDINARY: LOCKED}),
    "new password": (change_password, {}),
    "new key": (rotate, {}),
    "recovery": (recover, {}),
    "restore of a backup": (suspend, dict.fromkeys(TokenKind, REFUSED)),
    "end of access": (lambda who: deactivate_person(who.person), dict.fromkeys(TokenKind, REFUSED)),
    "deletion": (lambda who: delete_person(who.person), dict.fromkeys(TokenKind, REFUSED)),
}


@pytest.mark.usefixtures("transactional_db", "administrator")
@pytest.mark.parametrize("event", EVENTS)
def test_what_becomes_of_each_kind(olive: Resident, event: str) -> None:
    texts = {kind: make_token(olive, kind) for kind in TokenKind}
    assert {kind: try_token(text) for kind, text in texts.items()} == dict.fromkeys(TokenKind, WORKS)
    happen, expected = EVENTS[event]

    happen(olive)

    outcome = {kind: try_token(text) for kind, text in texts.items()}
    assert outcome == dict.fromkeys(TokenKind, WORKS) | expected


# --- Guessing -------------------------------------------------------------------------------------


class Clock:
    """A clock with the `sleep` function of a check."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def spoil_secret(text: str) -> str:
    return replace(parse_token(text), secret=secret_bytes(32)).encode()


def revoke(who: Resident, text: str) -> None:
    services.revoke_token(
        who.open_keyring(), person=who.person, token_id=parse_token(text).id, cookie=who.get_cookie()
    )


GUESSES: dict[str, Callable[[Resident, str], object]] = {
    "unknown": lambda who, text: new_token(new_id()).encode(),
    "revoked": revoke,
    "expired": lambda who, text: [AccessToken.objects.update(is_expired=True), None][1],
    "suspended": lambda who, text: [suspend(who), None][1],
    "wrong secret": lambda who, text: spoil_secret(text),
    "wrong check": lambda who, text: text[:-1] + ("0" if text[-1] != "0" else "1"),
    "no token": lambda who, text: "Basic b2xpdmU6",
    "empty": lambda who, text: "",
    "of another kind": lambda who, text: [AccessToken.objects.update(kind="away"), None][1],
    "of a person without access": lambda who, text: deactivate_person(who.person),
    "of another epoch": lambda who, text: [AccessToken.objects.update(epoch=3), None][1],
}


@pytest.mark.usefixtures("administrator")
@pytest.mark.parametrize("guess", GUESSES)
def test_each_refusal_ends_at_the_same_moment_after_its_beginning(
    olive: Resident, monkeypatch: pytest.MonkeyPatch, guess: str
) -> None:
    text = make_token(olive, TokenKind.DROP)
    presented = GUESSES[guess](olive, text)
    clock, open_token = Clock(), verification._open_token
    monkeypatch.setattr(verification, "time", clock)

    def take_some_time(text: str) -> Any:
        clock.now += random.Random(guess).uniform(0, REFUSAL_SECONDS)
        return open_token(text)

    monkeypatch.setattr(verification, "_open_token", take_some_time)

    with pytest.raises(InvalidToken) as refused:
        use_token(presented if isinstance(presented, str) else text)

    assert clock.now == pytest.approx(REFUSAL_SECONDS, abs=1e-9)
    assert refused.value.args == ()
    assert refused.value.__cause__ is None


# --- The text -------------------------------------------------------------------------------------

SPELLINGS: dict[str, Callable[[str], str]] = {
    "upper case": str.upper,
    "upper case but for its beginning": lambda text: text[:8] + text[8:].upper(),
    "cut": lambda text: text[:-1],
    "cut before the check": lambda text: text.rpartition("_")[0],
    "without the prefix": lambda text: text.removeprefix("llamora_"),
    "padded": lambda text: text + "==",
    "with a zero before its id": lambda text: text.replace("llamora_", "llamora_0"),
    "twice": lambda text: f"{text},{text}",
    "with a space": lambda text: f"{text[:40]} {text[40:]}",
    "with a line break": lambda text: f"{text[:40]}\n{text[40:]}",
    "with an invisible letter": lambda text: f"{text[:40]}\u200b{text[40:]}",
    "with letters of full width": lambda text: text[:8] + chr(0xFF10) + text[9:],
    "quoted": lambda text: f'"{text}"',
    "with a byte of zero": lambda text: text + "\0",
    "very long": lambda text: text + "0" * 1_000_000,
}


@KINDS
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_token_has_one_spelling(olive: Resident, kind: TokenKind, spelling: str) -> None:
    text = make_token(olive, kind)

    with pytest.raises(InvalidToken):
        use_token(SPELLINGS[spelling](text))
    assert try_token(f" {text}\n") == WORKS


# --- Somebody who writes to the database ----------------------------------------------------------

COLUMNS = sorted(
    {
        field.column
        for field in AccessToken._meta.concrete_fields
        if field.column not in ("id", "last_used_at", "last_read_on", "read_days", "read_count", "name")
    }
)


def read_columns(token_id: str, names: list[str]) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(names)} FROM accounts_accesstoken WHERE id = %s", [token_id])
        return dict(zip(names, cursor.fetchone(), strict=True))


def write_columns(token_id: str, values: dict[str, Any]) -> None:
    """Write columns of a row without the fence, as somebody who changes the file does."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'accounts_accesstoken'"
        )
        triggers = [sql for (sql,) in cursor.fetchall()]
        for sql in triggers:
            cursor.execute(f"DROP TRIGGER {sql.split(chr(34))[1]}")
        marks = ", ".join(f"{name} = %s" for name in values)
        cursor.execute(f"UPDATE accounts_accesstoken SET {marks} WHERE id = %s", [*values.values(), token_id])
        for sql in triggers:
            cursor.execute(sql)


def get_id(text: str) -> str:
    return parse_token(text).id.hex


@pytest.mark.parametrize("is_locked", [False, True], ids=["unlocked", "locked"])
@KINDS
def test_each_column_of_another_token_of_the_same_person_is_refused(
    olive: Resident, kind: TokenKind, is_locked: bool
) -> None:
    text = make_token(olive, kind, lifetime_days=30)
    others = [
        make_token(olive, other, lifetime_days=60, writes_own_text=True, reads_untrusted=True)
        for other in TokenKind
    ]
    before = read_columns(get_id(text), COLUMNS)
    expected = LOCKED if is_locked and kind is TokenKind.ORDINARY else WORKS
    if is_locked:
        olive.lock()

    for other in others:
        theirs = read_columns(get_id(other), COLUMNS)
        for name in COLUMNS:
            if theirs[name] == before[name]:
                continue
            write_columns(get_id(text), {name: theirs[name]})
            # What a locked person's token is sealed to the owner by nobody reads until a rotation.
            is_read = not (is_locked and name == "sealed_authenticator")
            assert try_token(text) == (REFUSED if is_read else expected), name
            write_columns(get_id(text), before)
        # All of it, under this token's id: it is a slot for another secret.
        write_columns(get_id(text), theirs)
        assert try_token(text) == REFUSED
        write_columns(get_id(text), before)
    assert try_token(text) == expected


@pytest.mark.parametrize("is_locked", [False, True], ids=["unlocked", "locked"])
@KINDS
def test_the_slot_of_a_housemate_is_refused_in_each_other_s_rows(
    olive: Resident, housemate: Resident, kind: TokenKind, is_locked: bool
) -> None:
    housemate.write_with(housemate.open_keyring(), "Of the housemate")
    housemate.sign_in()
    text, theirs = make_token(olive, kind), make_token(housemate, kind)
    if is_locked:
        olive.lock()
        housemate.lock()

    write_columns(get_id(text), {"owner_id": housemate.id.hex})
    assert try_token(text) == REFUSED
    write_columns(get_id(theirs), {"owner_id": olive.id.hex})
    assert try_token(theirs) == REFUSED
    # With the ids exchanged as well.
    write_columns(get_id(text), {"owner_id": olive.id.hex, "id": "0" * 31 + "1"})
    write_columns(get_id(theirs), {"owner_id": housemate.id.hex, "id": get_id(text)})
    write_columns("0" * 31 + "1", {"id": get_id(theirs)})
    assert try_token(text) == REFUSED
    assert try_token(theirs) == REFUSED


@pytest.mark.usefixtures("transactional_db")
@pytest.mark.parametrize("epoch", [0, 1, 2, 3, 2**31 - 1])
@KINDS
def test_another_epoch_in_the_row_and_the_vault_is_refused(
    olive: Resident, kind: TokenKind, epoch: int
) -> None:
    text = make_token(olive, kind)
    row = read_columns(get_id(text), COLUMNS)
    rotate(olive)
    assert try_token(text) == WORKS
    renewed = read_columns(get_id(text), COLUMNS)

    write_columns(get_id(text), {"epoch": epoch})
    assert try_token(text) == (WORKS if epoch == 2 else REFUSED)
    # The row of before the key change, with the epoch of now or of then.
    for number in (1, 2):
        write_columns(get_id(text), row | {"epoch": number, "confirmation": renewed["confirmation"]})
        assert try_token(text) == REFUSED
    write_columns(get_id(text), renewed)
    assert try_token(text) == WORKS


@pytest.mark.usefixtures("transactional_db")
def test_a_thousand_planted_rows_stop_neither_the_token_nor_its_owner(olive: Resident) -> None:
    text = make_token(olive, TokenKind.AWAY)
    columns = [field.column for field in AccessToken._meta.concrete_fields if field.column != "id"]
    with connection.cursor() as cursor:
        for _ in range(1000):
            cursor.execute(
                f"INSERT INTO accounts_accesstoken (id, {', '.join(columns)}) "
                f"SELECT %s, {', '.join(columns)} FROM accounts_accesstoken WHERE id = %s",
                [new_id().hex, get_id(text)],
            )
    assert AccessToken.objects.count() == 1001

    assert try_token(text) == WORKS
    listed = services.list_tokens(olive.open_keyring())
    assert [token.row.id for token in listed if token.is_valid] == [parse_token(text).id]
    assert olive.get("/settings/programs/").status_code == 200
    # They keep their owner from signing in, as whoever writes to the database can.
    AccessToken.objects.exclude(id=parse_token(text).id).delete()
    rotate(olive)
    assert try_token(text) == WORKS
    revoke(olive, text)
    assert try_token(text) == REFUSED


def test_a_person_has_fifty_tokens_that_all_work_and_no_more(olive: Resident) -> None:
    from accounts.errors import TooManyTokens

    texts = [make_token(olive, kind) for kind in [TokenKind.ORDINARY, TokenKind.DROP] * 25]

    with pytest.raises(TooManyTokens):
        make_token(olive, TokenKind.DROP)
    assert {try_token(text) for text in texts} == {WORKS}
    assert get_row(texts[0]).owner_id == olive.id
