"""Tests of access tokens through rotations: renewed, even if the rotation is killed at any statement."""

from collections.abc import Iterator

import pytest

from accounts.errors import InvalidToken
from accounts.keys import token_slots
from accounts.keys.key_pairs import find_public_key
from accounts.models import AccessToken, SlotKind
from accounts.rotation import services as rotation_services
from accounts.rotation.completion import destroy_former_keys
from accounts.rotation.epoch_change import begin_rotation
from accounts.rotation.reencryption import reencrypt_all
from accounts.sessions.registry import session_registry
from llamora.crypto import TokenKind
from tests import tokens
from tests.crypto.cast import find_keys
from tests.people import NEW_PASSWORD, Resident, register_resident
from tests.rotation.processes import KILLED, die_at_statement, run_forked
from tests.tokens import make_token, read_entries, use_token


@pytest.fixture(autouse=True)
def forget_tokens() -> Iterator[None]:
    with tokens.forgotten_afterwards():
        yield


def make_all(who: Resident) -> dict[TokenKind, str]:
    who.sign_in()
    return {kind: make_token(who, kind) for kind in TokenKind}


def check_all(who: Resident, texts: dict[TokenKind, str]) -> None:
    """Check that every token works, for a person who is signed in and unlocked."""
    written = set(who.written.values())
    assert read_entries(texts[TokenKind.AWAY]) == written
    assert read_entries(texts[TokenKind.ORDINARY]) == written
    dropped = use_token(texts[TokenKind.DROP]).drop
    assert dropped is not None
    assert dropped.public == find_public_key(who.open_keyring())


def test_tokens_work_through_three_rotations_and_within_each(owner: Resident) -> None:
    texts = make_all(owner)

    for _ in range(3):
        begun = begin_rotation(owner.open_slot(), current_cookie=owner.get_cookie())
        assert begun.refused_slots == ()
        check_all(owner, texts)
        reencrypt_all(begun.keyring)
        check_all(owner, texts)
        destroy_former_keys(begun.keyring)
        check_all(owner, texts)
    assert owner.get_vault().epoch == 4


def test_a_token_works_after_a_second_rotation_began_within_the_first(owner: Resident) -> None:
    texts = make_all(owner)

    begin_rotation(owner.open_slot(), current_cookie=owner.get_cookie())
    begin_rotation(owner.open_slot(), current_cookie=owner.get_cookie())
    check_all(owner, texts)
    rotation_services.resume_rotation(owner.open_keyring())

    check_all(owner, texts)


def test_no_former_key_is_left_in_a_box_after_the_last_step(owner: Resident) -> None:
    texts = make_all(owner)
    former = find_keys(owner.open_keyring())
    begun = begin_rotation(owner.open_slot(), current_cookie=owner.get_cookie())
    during = use_token(texts[TokenKind.AWAY]).keyring
    assert during is not None
    assert find_keys(during) & former

    rotation_services.resume_rotation(begun.keyring)

    after = use_token(texts[TokenKind.AWAY]).keyring
    assert after is not None
    assert not find_keys(after) & former


def test_a_token_made_within_a_rotation_reads_both_epochs(owner: Resident) -> None:
    owner.sign_in()
    begin_rotation(owner.open_slot(), current_cookie=owner.get_cookie())

    texts = {kind: make_token(owner, kind) for kind in TokenKind}

    check_all(owner, texts)
    rotation_services.resume_rotation(owner.open_keyring())
    check_all(owner, texts)


def test_a_token_that_its_holder_widened_gets_no_new_key(owner: Resident) -> None:
    from dataclasses import replace

    text = make_all(owner)[TokenKind.AWAY]
    slot = token_slots.slot_from_row(tokens.get_row(text))
    terms = replace(slot.terms, scopes=frozenset({"diary:write", "diary:read"}))
    tokens.write_slot(tokens.reseal_as_holder(text, slot, terms=terms))

    begun = begin_rotation(owner.open_slot(), current_cookie=owner.get_cookie())

    assert [(each.slot_id, each.code) for each in begun.refused_slots] == [(slot.id, "unknown_authenticator")]
    assert tokens.get_row(text).epoch == 1
    with pytest.raises(InvalidToken):
        use_token(text)


def test_a_token_that_the_list_does_not_name_gets_no_new_key(owner: Resident) -> None:
    texts = make_all(owner)
    row = tokens.get_row(texts[TokenKind.AWAY])
    with_old_list = owner.get_vault().__dict__["ways_in"]
    later = make_token(owner, TokenKind.AWAY)
    vault = owner.get_vault()
    vault.__dict__["ways_in"] = with_old_list
    vault.save(update_fields=["ways_in"])

    begun = begin_rotation(owner.open_slot(), current_cookie=owner.get_cookie())

    assert [each.code for each in begun.refused_slots] == ["not_listed"]
    with pytest.raises(InvalidToken):
        use_token(later)
    assert tokens.get_row(texts[TokenKind.AWAY]).epoch == row.epoch + 1


def test_a_new_password_leaves_tokens_and_a_reset_after_a_compromise_ends_them(owner: Resident) -> None:
    texts = make_all(owner)
    begin_rotation(
        owner.open_slot(),
        new_secrets={SlotKind.PASSWORD: NEW_PASSWORD},
        current_cookie=owner.get_cookie(),
    )
    owner.password = NEW_PASSWORD
    check_all(owner, texts)

    begin_rotation(
        owner.open_slot(),
        new_secrets={SlotKind.PASSWORD: NEW_PASSWORD},
        current_cookie=owner.get_cookie(),
        leaves_other_slots=False,
    )

    assert not AccessToken.objects.exists()
    for text in texts.values():
        with pytest.raises(InvalidToken):
            use_token(text)


def test_a_suspended_token_stays_suspended(owner: Resident) -> None:
    texts = make_all(owner)
    token_slots.suspend_tokens()

    begin_rotation(owner.open_slot(), current_cookie=owner.get_cookie())

    for text in texts.values():
        with pytest.raises(InvalidToken):
            use_token(text)


def test_a_damaged_row_of_a_token_stops_no_rotation(owner: Resident) -> None:
    texts = make_all(owner)
    AccessToken.objects.filter(id=tokens.get_row(texts[TokenKind.AWAY]).id).update(scopes="everything")

    begun = begin_rotation(owner.open_slot(), current_cookie=owner.get_cookie())

    assert [each.code for each in begun.refused_slots] == ["forged_slot"]
    assert read_entries(texts[TokenKind.ORDINARY]) == set(owner.written.values())


def rotate_and_die(owner: Resident, *, at: int) -> bool:
    """Rotate in a process that exits at its nth statement; return whether it got that far."""
    opened, here = owner.open_slot(), owner.create_session()

    def rotate() -> None:
        die_at_statement(at)
        keyring = begin_rotation(opened, current_cookie=here).keyring
        reencrypt_all(keyring, batch=2)
        destroy_former_keys(keyring)

    code = run_forked(rotate)
    assert code in (0, KILLED)
    return code == KILLED


def open_away_keys(text: str) -> set[bytes]:
    opened = use_token(text).keyring
    assert opened is not None
    return find_keys(opened)


def kill_at_every(*, step: int) -> int:
    """Kill a rotation at every `step`th statement; return the number of kills."""
    deaths, at = 0, 1
    while True:
        tokens.forget_process()
        owner = register_resident(f"Olive {at}", entries=3)
        texts = make_all(owner)
        is_killed = rotate_and_die(owner, at=at)
        # As after the restart of what was killed.
        session_registry.clear()
        tokens.forget_process()
        owner.sign_in()
        check_all(owner, texts)
        rotation_services.resume_rotation(owner.open_keyring())
        check_all(owner, texts)
        assert open_away_keys(texts[TokenKind.AWAY]) <= find_keys(owner.open_keyring().copy())
        if not is_killed:
            return deaths
        deaths, at = deaths + 1, at + step


@pytest.mark.usefixtures("transactional_db")
def test_tokens_work_after_a_death_at_many_statements() -> None:
    assert kill_at_every(step=29) > 2


@pytest.mark.slow
@pytest.mark.usefixtures("transactional_db")
def test_tokens_work_after_a_death_at_every_statement() -> None:
    assert kill_at_every(step=1) > 60
