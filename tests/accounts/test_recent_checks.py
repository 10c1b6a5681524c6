"""Tests of cached checks of tokens: how little a repeated check does, and what invalidates a cached one.

Changed rows, lists, epochs and clocks are tested with all other refusals, each also after a use of the token.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from accounts.errors import InvalidToken
from accounts.rotation.epoch_change import begin_rotation
from accounts.security.deletion import delete_person
from accounts.sessions import revocation_list
from accounts.tokens import services
from accounts.tokens.recent_checks import recent_checks
from accounts.tokens.verification import admissions
from llamora import crypto
from llamora.crypto import TokenKind, parse_token
from tests import tokens
from tests.people import Resident
from tests.tokens import get_row, make_token, use_token

KINDS = pytest.mark.parametrize("kind", TokenKind, ids=lambda kind: kind.value)


@pytest.fixture(autouse=True)
def forget_tokens() -> Iterator[None]:
    with tokens.forgotten_afterwards():
        yield


@pytest.fixture
def olive(owner: Resident) -> Resident:
    """A person who is unlocked in a browser."""
    return owner.sign_in()


@pytest.fixture
def full_checks(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The ids of the tokens whose slots were opened in full."""
    opened: list[Any] = []
    open_token_slot = crypto.open_token_slot
    monkeypatch.setattr(
        crypto,
        "open_token_slot",
        lambda slot, *args, **keys: [opened.append(slot.id), open_token_slot(slot, *args, **keys)][1],
    )
    return opened


def describe(text: str) -> tuple[object, ...]:
    """Return what a token opens, with the keys themselves."""
    opened = use_token(text)
    keys = opened.keyring
    found = (
        *(opened.owner, opened.terms, opened.drop),
        *(
            ()
            if keys is None
            else (keys.epoch, keys.oldest_epoch, keys.key_id, keys._current, keys._by_header)
        ),
    )
    if keys is not None:
        keys.close()
    return found


def revoke(who: Resident, text: str) -> None:
    services.revoke_token(
        who.open_keyring(), person=who.person, token_id=parse_token(text).id, cookie=who.get_cookie()
    )


@KINDS
def test_a_second_check_opens_the_same_and_no_slot(
    olive: Resident, kind: TokenKind, full_checks: list[Any]
) -> None:
    text = make_token(olive, kind)

    assert describe(text) == describe(text)
    assert full_checks == [parse_token(text).id]


@KINDS
def test_a_row_that_changed_and_back_is_checked_anew(
    olive: Resident, kind: TokenKind, full_checks: list[Any]
) -> None:
    text = make_token(olive, kind)
    use_token(text)
    row = get_row(text)
    before, row.confirmation = row.confirmation, None
    row.save(update_fields=["confirmation"])
    with pytest.raises(InvalidToken):
        use_token(text)
    row.confirmation = before
    row.save(update_fields=["confirmation"])

    use_token(text)

    assert len(full_checks) == 3


ENDS: dict[str, Callable[[Resident], object]] = {
    "lock": lambda who: who.lock(),
    "lock and unlock": lambda who: [who.lock(), who.sign_in()],
    "no more admitted": lambda who: admissions.clear(),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=list(ENDS))
def test_another_keyring_of_the_owner_s_is_another_check(
    olive: Resident, end: Callable[[Resident], object], full_checks: list[Any]
) -> None:
    text = make_token(olive, TokenKind.AWAY)
    use_token(text)

    end(olive)
    use_token(text)

    assert len(full_checks) == 2


@KINDS
def test_a_revoked_id_is_refused_though_the_row_is_the_same(olive: Resident, kind: TokenKind) -> None:
    text = make_token(olive, kind)
    use_token(text)

    revocation_list.revoke_for_good(parse_token(text).id.bytes)

    with pytest.raises(InvalidToken):
        use_token(text)


@pytest.mark.usefixtures("transactional_db")
@pytest.mark.parametrize("end", ["revoked", "locked", "new key", "deleted"])
def test_nothing_is_remembered_of_what_has_ended(olive: Resident, administrator: Resident, end: str) -> None:
    text = make_token(olive, TokenKind.ORDINARY)
    use_token(text)
    assert len(recent_checks) == 1

    match end:
        case "revoked":
            revoke(olive, text)
        case "locked":
            olive.lock()
        case "new key":
            begin_rotation(olive.open_slot(), current_cookie=olive.get_cookie())
        case "deleted":
            delete_person(olive.person)

    assert len(recent_checks) == 0
