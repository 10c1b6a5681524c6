"""Tests of access tokens: what each kind decrypts and when, and that all others are refused alike."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.utils.crypto import salted_hmac

from accounts.errors import InvalidToken, KeysDoNotMatch, TooManyCalls, TooManyTokens
from accounts.keys import token_slots
from accounts.keys.key_pairs import find_public_key
from accounts.keys.slot_list import change_slot_list, load_slot_list
from accounts.models import AccessToken
from accounts.security.deletion import deactivate_person, delete_person
from accounts.sessions import revocation_list
from accounts.sessions.registry import session_registry
from accounts.tokens import open_keyrings as open_keyrings_module
from accounts.tokens import services
from accounts.tokens.call_limits import PER_MINUTE, CallLimits
from accounts.tokens.open_keyrings import open_keyrings
from accounts.tokens.token_uses import TokenUses
from accounts.tokens.verification import REFUSAL_SECONDS
from diary.models import Entry
from llamora import crypto
from llamora.crypto import (
    Keyring,
    Realm,
    TokenKind,
    VaultLocked,
    in_force,
    new_token,
    new_vault_keys,
    parse_token,
    secret_bytes,
)
from llamora.fields import new_id
from tests import tokens
from tests.people import ELSEWHERE, Resident
from tests.tokens import get_row, make_token, read_entries, use_token

KINDS = pytest.mark.parametrize("kind", TokenKind, ids=lambda kind: kind.value)


@pytest.fixture(autouse=True)
def forget_tokens() -> Iterator[None]:
    with tokens.forgotten_afterwards():
        yield


@pytest.fixture
def olive(owner: Resident) -> Resident:
    """A person with an entry, unlocked in a browser."""
    owner.write_with(owner.open_keyring(), "The first snow")
    return owner


def revoke(who: Resident, text: str) -> bool:
    return services.revoke_token(
        who.open_keyring(), person=who.person, token_id=parse_token(text).id, cookie=who.get_cookie()
    )


def list_names(who: Resident) -> set[str]:
    keyring = who.open_keyring()
    with in_force(keyring):
        return {slot.kind for slot in (load_slot_list(who.get_vault()) or {}).values()}


# --- What each kind opens, and when ---------------------------------------------------------------


def test_an_ordinary_token_reads_while_its_owner_is_unlocked(olive: Resident) -> None:
    text = make_token(olive, TokenKind.ORDINARY)

    assert read_entries(text) == {"The first snow"}
    olive.lock()
    with pytest.raises(VaultLocked):
        use_token(text)
    olive.post("/unlock/", password=olive.password)
    assert read_entries(text) == {"The first snow"}
    olive.post("/sign-out/")
    with pytest.raises(VaultLocked):
        use_token(text)


def test_an_ordinary_token_waits_for_its_owner_s_next_page_after_a_restart(olive: Resident) -> None:
    text = make_token(olive, TokenKind.ORDINARY)
    session_registry.clear()
    tokens.forget_process()

    with pytest.raises(VaultLocked):
        use_token(text)
    olive.get("/settings/")
    assert read_entries(text) == {"The first snow"}


def test_an_ordinary_token_does_not_outlive_an_idle_browser(olive: Resident) -> None:
    text = make_token(olive, TokenKind.ORDINARY)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_unlock SET last_active = '2026-01-01 00:00:00'")

    with pytest.raises(VaultLocked):
        use_token(text)


def test_a_token_for_while_its_owner_is_away_reads_always(olive: Resident) -> None:
    text = make_token(olive, TokenKind.AWAY)
    olive.post("/sign-out/")
    session_registry.clear()
    tokens.forget_process()

    assert read_entries(text) == {"The first snow"}


def test_a_token_for_while_its_owner_is_away_is_made_with_the_password_alone(olive: Resident) -> None:
    with pytest.raises(ValueError, match="password"):
        services.create_token(olive.open_keyring(), tokens.build_request(TokenKind.AWAY))

    assert not AccessToken.objects.exists()


def test_a_drop_gives_its_owner_s_public_key_while_they_are_locked(olive: Resident) -> None:
    text = make_token(olive, TokenKind.DROP)
    olive.post("/sign-out/")
    tokens.forget_process()

    opened = use_token(text)

    assert opened.keyring is None
    assert opened.drop is not None
    assert opened.drop.public == find_public_key(olive.open_keyring())


@pytest.mark.parametrize("kind", [TokenKind.ORDINARY, TokenKind.AWAY], ids=lambda kind: kind.value)
def test_a_token_opens_no_realm_but_its_own(olive: Resident, kind: TokenKind) -> None:
    opened = use_token(make_token(olive, kind, scopes=frozenset({"facts:read"})))

    assert opened.keyring is not None
    with in_force(opened.keyring):
        with pytest.raises(VaultLocked):
            _ = Entry.objects.get(owner_id=olive.id).text
        with pytest.raises(VaultLocked):
            _ = olive.get_vault().private_key
    assert opened.keyring.get_key_id(Realm.FACTS) == olive.open_keyring().get_key_id(Realm.FACTS)


def test_a_token_carries_its_terms(olive: Resident) -> None:
    text = make_token(olive, TokenKind.ORDINARY, lifetime_days=30, writes_own_text=True)

    terms = use_token(text).terms

    assert (terms.lifetime_days, terms.writes_own_text, terms.reads_untrusted) == (30, True, False)
    assert terms.created_epoch == 1


def test_the_name_is_encrypted_and_the_text_stands_nowhere(olive: Resident) -> None:
    text = make_token(olive, TokenKind.ORDINARY, name="Kitchen tablet")

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_accesstoken")
        row = repr(cursor.fetchone())
    assert "Kitchen" not in row
    assert text.split("_")[2] not in row
    assert parse_token(text).secret.hex() not in row
    assert [token.name for token in services.list_tokens(olive.open_keyring())] == ["Kitchen tablet"]
    assert list_names(olive) == {"password", "recovery", "token"}


def test_a_person_has_so_many_tokens_and_no_more(olive: Resident, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MOST_TOKENS", 1)
    make_token(olive, TokenKind.DROP)

    with pytest.raises(TooManyTokens):
        make_token(olive, TokenKind.DROP)


@KINDS
def test_a_confirmation_is_the_one_that_tokens_of_before_have(olive: Resident, kind: TokenKind) -> None:
    slot = token_slots.slot_from_row(get_row(make_token(olive, kind, lifetime_days=30)))
    data = slot.owner.bytes + slot.id.bytes
    for _, value in slot.terms.bound:
        data += len(value).to_bytes(4, "big") + value

    made_by_django = salted_hmac("llamora.token_confirmation", data, algorithm="sha256").digest()

    assert token_slots.compute_confirmation(slot) == made_by_django


# --- Refused, always alike ------------------------------------------------------------------------


def change_secret(text: str) -> str:
    return replace(parse_token(text), secret=secret_bytes(32)).encode()


def disable(who: Resident) -> None:
    deactivate_person(who.person)


WRONG: dict[str, Callable[[Resident, str], str]] = {
    "no token": lambda who, text: "Bearer me",
    "empty": lambda who, text: "",
    "cut short": lambda who, text: text[:-1],
    "unknown": lambda who, text: new_token(new_id()).encode(),
    "wrong secret": lambda who, text: change_secret(text),
    "revoked": lambda who, text: [text, revoke(who, text)][0],
    "suspended": lambda who, text: [text, token_slots.suspend_tokens()][0],
    "expired": lambda who, text: [text, AccessToken.objects.update(is_expired=True)][0],
    "disabled person": lambda who, text: [text, disable(who)][0],
    "epoch of the vault": lambda who, text: [text, AccessToken.objects.update(epoch=2)][0],
    "another kind": lambda who, text: [text, AccessToken.objects.update(kind="passkey")][0],
    "wild time": lambda who, text: [text, AccessToken.objects.update(lifetime_days=2**31 - 1)][0],
}


@KINDS
@pytest.mark.parametrize("spoil", WRONG.values(), ids=list(WRONG))
def test_what_is_not_valid_is_refused_alike_and_never_at_once(
    olive: Resident, administrator: Resident, kind: TokenKind, spoil: Callable[[Resident, str], str]
) -> None:
    text = make_token(olive, kind)
    use_token(text)
    presented = spoil(olive, text)
    started = time.monotonic()

    with pytest.raises(InvalidToken) as refused:
        use_token(presented)

    assert time.monotonic() - started >= REFUSAL_SECONDS
    assert refused.value.args == ()


@KINDS
@pytest.mark.parametrize(
    "value", ["7", "'text'", "x'00'", "NULL"], ids=["number", "text", "bytes", "nothing"]
)
def test_a_damaged_column_is_refused_like_any_other_token(
    olive: Resident, kind: TokenKind, value: str
) -> None:
    text = make_token(olive, kind, lifetime_days=30)
    columns = [field.column for field in AccessToken._meta.concrete_fields]
    # These say nothing about what a token may.
    left = {"last_used_at", "last_read_on", "read_days", "read_count", "name", "is_expired"}
    left |= {"id", "owner_id", "public_key"}
    # What is neither 0 nor 1 is read as False, as these are.
    left |= {"writes_own_text", "reads_untrusted"}
    for column in sorted(set(columns) - left):
        with connection.cursor() as cursor:
            use_token(text)
            cursor.execute("SAVEPOINT damage")
            cursor.execute("PRAGMA ignore_check_constraints = 1")
            try:
                cursor.execute(f"UPDATE accounts_accesstoken SET {column} = {value}")
            except Exception:
                # Of a column that may not be empty.
                cursor.execute("ROLLBACK TO damage")
                continue
            with pytest.raises(InvalidToken):
                use_token(text)
            cursor.execute("ROLLBACK TO damage")
    use_token(text)


def test_failures_of_an_address_are_counted(olive: Resident) -> None:
    from accounts.errors import TooManyAttempts
    from accounts.tokens.verification import verify_token

    text = make_token(olive, TokenKind.DROP)

    def guess_often() -> None:
        for _ in range(40):
            with pytest.raises(InvalidToken):
                verify_token(change_secret(text), address=ELSEWHERE)

    with pytest.raises(TooManyAttempts):
        guess_often()
    use_token(text)
    # A housemate's program at the same address is not to blame.
    verify_token(text, address=ELSEWHERE)


def test_a_valid_token_that_can_not_be_used_now_delays_nobody_of_its_address(olive: Resident) -> None:
    from accounts.throttling.throttle import throttle
    from accounts.tokens.verification import verify_token

    ordinary, drop = make_token(olive, TokenKind.ORDINARY), make_token(olive, TokenKind.DROP)
    for _ in range(PER_MINUTE):
        verify_token(drop, address=ELSEWHERE)
    olive.lock()

    for text, error in ((ordinary, VaultLocked), (drop, TooManyCalls)):
        for _ in range(20):
            with pytest.raises(error):
                verify_token(text, address=ELSEWHERE)

    assert throttle.count_unsuccessful(ELSEWHERE) == 0


def test_what_programs_send_takes_no_room_from_what_their_owner_types(olive: Resident) -> None:
    from accounts.sessions.scope import find_signed_in_person
    from accounts.tokens.request_headers import find_sender

    scopes = [
        {"headers": [(b"authorization", f"Bearer {make_token(olive, kind)}".encode())]}
        for kind in (TokenKind.ORDINARY, TokenKind.DROP)
    ]
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in olive.client.cookies.items())

    owner = find_signed_in_person({"headers": [(b"cookie", cookies.encode())], "scheme": "http"})
    senders = {find_sender(scope) for scope in scopes}

    assert owner == str(olive.id)
    assert len(senders) == 1
    assert senders.isdisjoint({owner, ""})


@pytest.mark.parametrize("end", ["expired", "revoked", "disabled"])
def test_a_token_that_has_ended_sends_no_long_body(olive: Resident, end: str) -> None:
    from accounts.tokens.request_headers import find_sender

    text = make_token(olive, TokenKind.DROP)
    match end:
        case "expired":
            AccessToken.objects.update(is_expired=True)
        case "revoked":
            revocation_list.revoke_for_good(get_row(text).id.bytes)
        case "disabled":
            deactivate_person(olive.person)

    assert find_sender({"headers": [(b"x-api-key", text.encode())]}) == ""


# --- Somebody who writes to the database ----------------------------------------------------------

WIDER: dict[str, dict[str, Any]] = {
    "scopes": {"scopes": frozenset({"chat"})},
    "same realm": {"scopes": frozenset({"diary:read", "diary:write"})},
    "expiry": {"lifetime_days": 0},
    "own text": {"writes_own_text": True},
    "untrusted": {"reads_untrusted": True},
}


@pytest.mark.parametrize("kind", [TokenKind.ORDINARY, TokenKind.AWAY], ids=lambda kind: kind.value)
@pytest.mark.parametrize("change", WIDER.values(), ids=list(WIDER))
@pytest.mark.parametrize("is_locked", [False, True], ids=["unlocked", "locked"])
@pytest.mark.parametrize("is_holder", [False, True], ids=["stranger", "holder"])
def test_wider_terms_in_the_row_are_refused_by_whomever_they_were_written(
    olive: Resident, kind: TokenKind, change: dict[str, Any], is_locked: bool, is_holder: bool
) -> None:
    text = make_token(olive, kind, lifetime_days=30)
    use_token(text)
    slot = token_slots.slot_from_row(get_row(text))
    terms = replace(slot.terms, **change)
    if is_holder:
        tokens.write_slot(tokens.reseal_as_holder(text, slot, terms=terms))
    else:
        tokens.write_slot(replace(slot, terms=terms))
    if is_locked:
        olive.lock()

    with pytest.raises(InvalidToken):
        use_token(text)
    assert [token.is_valid for token in services.list_tokens(olive.open_keyring())] == [False]
    assert not services.confirm_token(olive.open_keyring(), token_id=slot.id)


def plant_token(who: Resident, kind: TokenKind) -> str:
    """Write a token into a person's rows that is good in itself, but of another key."""
    keyring = Keyring(owner=who.id, epoch=1, keys={1: secret_bytes(32)})
    token = new_token(new_id())
    terms = token_slots.slot_from_row(get_row(make_token(who, TokenKind.DROP))).terms
    slot = crypto.create_token_slot(
        token,
        terms=replace(terms, kind=kind, scopes=tokens.SCOPES_OF[kind]),
        keyring=keyring,
        vault_public_key=new_vault_keys()[1],
    )
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_accesstoken SET id = %s", [slot.id.hex])
    tokens.write_slot(slot)
    return token.encode()


@KINDS
def test_a_planted_token_is_refused_also_with_a_confirmation(olive: Resident, kind: TokenKind) -> None:
    text = plant_token(olive, kind)

    with pytest.raises(InvalidToken):
        use_token(text)
    # As if the server had confirmed it.
    row = get_row(text)
    row.confirmation = token_slots.register_confirmation(row)
    row.save(update_fields=["confirmation"])
    with pytest.raises(InvalidToken):
        use_token(text)
    if kind is TokenKind.AWAY:
        olive.lock()
        session_registry.clear()
        tokens.forget_process()
        with pytest.raises(KeysDoNotMatch):
            use_token(text)


def test_keys_that_differ_from_those_of_an_open_session_are_refused(owner: Resident) -> None:
    owner.sign_in()
    text = plant_token(owner, TokenKind.AWAY)
    row = get_row(text)
    row.confirmation = token_slots.register_confirmation(row)
    row.save(update_fields=["confirmation"])
    tokens.forget_process()

    # There are no rows to compare with, but a session with other keys.
    with pytest.raises(KeysDoNotMatch):
        use_token(text)
    owner.post("/sign-out/")


def test_a_planted_public_key_of_a_drop_is_refused(olive: Resident) -> None:
    text = make_token(olive, TokenKind.DROP)
    use_token(text)
    slot = token_slots.slot_from_row(get_row(text))
    tokens.write_slot(replace(slot, box=slot.box[:-32] + new_vault_keys()[1]))
    olive.lock()

    with pytest.raises(InvalidToken):
        use_token(text)


def copy_row(text: str) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_accesstoken WHERE id = %s", [parse_token(text).id.hex])
        names = [column[0] for column in cursor.description]
        return dict(zip(names, cursor.fetchone(), strict=True))


def put_back(row: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'fence_accounts_access%'"
        )
        triggers = [sql for (sql,) in cursor.fetchall()]
        names = ", ".join(row)
        for sql in triggers:
            cursor.execute(f"DROP TRIGGER {sql.split(chr(34))[1]}")
        marks = ", ".join(["%s"] * len(row))
        cursor.execute(f"INSERT INTO accounts_accesstoken ({names}) VALUES ({marks})", list(row.values()))
        for sql in triggers:
            cursor.execute(sql)


@pytest.mark.usefixtures("transactional_db")
@KINDS
def test_the_row_of_a_revoked_token_put_back_is_refused(olive: Resident, kind: TokenKind) -> None:
    text = make_token(olive, kind)
    use_token(text)
    row = copy_row(text)
    revoke(olive, text)
    put_back(row)

    with pytest.raises(InvalidToken):
        use_token(text)
    olive.lock()
    with pytest.raises(InvalidToken):
        use_token(text)


def test_the_row_of_a_revoked_token_put_back_is_refused_after_a_restart_too(
    olive: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = make_token(olive, TokenKind.ORDINARY)
    row = copy_row(text)
    revoke(olive, text)
    put_back(row)
    monkeypatch.setattr(revocation_list, "is_revoked", lambda mark: False)

    # The list of ways to unlock does not name it.
    with pytest.raises(InvalidToken):
        use_token(text)


def test_the_list_is_asked_at_every_call_though_it_is_opened_once(
    olive: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, opened = make_token(olive, TokenKind.DROP), []
    load = open_keyrings_module.load_listed_ids
    monkeypatch.setattr(
        open_keyrings_module,
        "load_listed_ids",
        lambda *args, **ids: [opened.append(1), load(*args, **ids)][1],
    )
    use_token(text)
    use_token(text)
    assert len(opened) == 1
    vault = olive.get_vault()
    before = vault.__dict__["ways_in"]

    change_slot_list(olive.open_keyring(), lambda listed: listed.pop(parse_token(text).id))
    with pytest.raises(InvalidToken):
        use_token(text)
    # A list from before, put back by somebody who writes to the database, names it again.
    vault.__dict__["ways_in"] = before
    vault.save(update_fields=["ways_in"])
    use_token(text)
    assert len(opened) == 3


@pytest.mark.parametrize("damage", [b"\2\0\0\0\1", b"\2\0\0\0\1" + bytes(200)], ids=["short", "other"])
@KINDS
def test_a_damaged_list_names_no_token(olive: Resident, kind: TokenKind, damage: bytes) -> None:
    text = make_token(olive, kind)
    use_token(text)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_vault SET ways_in = %s", [damage])

    for _ in range(2):
        with pytest.raises(InvalidToken):
            use_token(text)


@KINDS
def test_a_list_of_another_vault_names_no_token(
    olive: Resident, housemate: Resident, kind: TokenKind
) -> None:
    text = make_token(olive, kind)
    use_token(text)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_vault SET owner_id = x'00' WHERE owner_id = %s", [olive.id.hex])
        cursor.execute(
            "UPDATE accounts_vault SET owner_id = %s WHERE owner_id = %s", [olive.id.hex, housemate.id.hex]
        )

    with pytest.raises(InvalidToken):
        use_token(text)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_vault SET owner_id = %s WHERE owner_id = %s", [housemate.id.hex, olive.id.hex]
        )
        cursor.execute("UPDATE accounts_vault SET owner_id = %s WHERE owner_id = x'00'", [olive.id.hex])
    use_token(text)


# --- Revoked, suspended, deleted ------------------------------------------------------------------


@pytest.mark.parametrize("kind", [TokenKind.ORDINARY, TokenKind.DROP], ids=lambda kind: kind.value)
def test_a_token_that_holds_no_keys_is_revoked_without_another_key(olive: Resident, kind: TokenKind) -> None:
    text, other = make_token(olive, kind), make_token(olive, kind)

    assert not revoke(olive, text)

    assert olive.get_vault().epoch == 1
    assert olive.is_unlocked()
    use_token(other)


@pytest.mark.usefixtures("transactional_db")
def test_a_token_that_holds_keys_is_revoked_by_another_key(olive: Resident) -> None:
    text, other = make_token(olive, TokenKind.AWAY), make_token(olive, TokenKind.ORDINARY)
    elsewhere = olive.sign_in_elsewhere()
    taken = use_token(text).keyring
    assert taken is not None

    assert revoke(olive, text)

    later = olive.write_with(olive.open_keyring(), "After the token")
    with in_force(taken), pytest.raises(crypto.WrongEpoch):
        _ = Entry.objects.get(id=later.id).text
    assert olive.get_vault().epoch == 2
    assert olive.is_unlocked()
    assert not elsewhere.is_unlocked()
    assert elsewhere.get_sign_in()
    assert "After the token" in read_entries(other)


def test_a_row_that_says_it_holds_no_keys_is_not_believed(olive: Resident) -> None:
    text = make_token(olive, TokenKind.AWAY)
    AccessToken.objects.update(kind="ordinary")

    assert revoke(olive, text)
    assert olive.get_vault().epoch == 2


@pytest.mark.parametrize("is_row_changed", [False, True])
def test_a_list_from_before_the_token_does_not_save_it_from_another_key(
    olive: Resident, is_row_changed: bool
) -> None:
    with connection.cursor() as cursor:
        owner = olive.id.hex
        rows = cursor.execute("SELECT ways_in FROM accounts_vault WHERE owner_id = %s", [owner]).fetchall()
        text = make_token(olive, TokenKind.AWAY)
        cursor.execute("UPDATE accounts_vault SET ways_in = %s WHERE owner_id = %s", [rows[0][0], owner])
    if is_row_changed:
        AccessToken.objects.update(kind="ordinary")

    assert revoke(olive, text)
    assert olive.get_vault().epoch == 2


@KINDS
def test_a_suspended_token_works_again_once_its_owner_confirms_it(olive: Resident, kind: TokenKind) -> None:
    text = make_token(olive, kind)
    assert token_slots.suspend_tokens(olive.id) == 1
    (listed,) = services.list_tokens(olive.open_keyring())
    assert listed.is_suspended

    assert services.confirm_token(olive.open_keyring(), token_id=listed.row.id)

    use_token(text)
    (listed,) = services.list_tokens(olive.open_keyring())
    assert not listed.is_suspended


def test_a_housemate_neither_revokes_nor_confirms_a_token(olive: Resident, housemate: Resident) -> None:
    text = make_token(olive, TokenKind.DROP)

    with pytest.raises(AccessToken.DoesNotExist):
        services.confirm_token(housemate.keyring, token_id=parse_token(text).id)
    with pytest.raises(AccessToken.DoesNotExist):
        services.revoke_token(
            housemate.keyring,
            person=housemate.person,
            token_id=parse_token(text).id,
            cookie=housemate.get_cookie(),
        )
    use_token(text)


def test_tokens_go_with_the_account_of_their_owner(olive: Resident, administrator: Resident) -> None:
    text = make_token(olive, TokenKind.DROP)

    delete_person(olive.person)

    assert not AccessToken.objects.exists()
    with pytest.raises(InvalidToken):
        use_token(text)


# --- Limits and uses ------------------------------------------------------------------------------


def test_a_hundred_calls_a_minute_and_a_thousand_an_hour_are_allowed() -> None:
    limits, token_id = CallLimits(), new_id()
    for second in range(100):
        limits.count(token_id, now=second * 0.1)

    with pytest.raises(TooManyCalls) as refused:
        limits.count(token_id, now=10.0)
    assert 49 < refused.value.retry_after <= 50
    limits.count(new_id(), now=10.0)
    for call in range(900):
        limits.count(token_id, now=60.0 + call)
    with pytest.raises(TooManyCalls) as refused:
        limits.count(token_id, now=960.0)
    assert refused.value.retry_after == 3600 - 960
    limits.count(token_id, now=3600.5)


def test_a_call_too_many_is_refused_and_no_failure(olive: Resident) -> None:
    text = make_token(olive, TokenKind.DROP)
    for _ in range(100):
        use_token(text)

    with pytest.raises(TooManyCalls):
        use_token(text)


def test_what_a_token_read_is_counted_by_days(olive: Resident) -> None:
    row, uses = get_row(make_token(olive, TokenKind.ORDINARY)), TokenUses()

    uses.record(row.id, read_count=2)
    uses.record(row.id, read_count=3)
    uses.record(row.id)
    row.refresh_from_db()
    assert (row.read_count, row.read_days) == (2, 1)
    assert row.last_used_at is not None

    uses.write_all()
    AccessToken.objects.update(last_read_on="2026-01-01")
    uses.record(row.id, read_count=7)
    uses.write_all()
    row.refresh_from_db()
    assert (row.read_count, row.read_days) == (12, 2)


def test_a_call_writes_at_most_once_a_minute(olive: Resident, django_assert_num_queries: Any) -> None:
    text = make_token(olive, TokenKind.DROP)
    open_keyrings.clear()
    use_token(text)

    with django_assert_num_queries(1):
        use_token(text)


@KINDS
def test_a_check_asks_two_things_of_the_database_while_the_owner_is_unlocked(
    olive: Resident, kind: TokenKind, django_assert_num_queries: Any
) -> None:
    text = make_token(olive, kind)
    use_token(text)

    with django_assert_num_queries(2):
        use_token(text)
