"""Attacks with a copied database and one access token: which values they decrypt, without this project.

Each token has one kind and scope. The independent reader extracts the keys from its slot; each key is tried
on every encrypted value of the database.
"""

from pathlib import Path

import pytest
from django.db import connection

from accounts.rotation.epoch_change import begin_rotation
from accounts.rotation.services import resume_rotation
from llamora.crypto import SCOPES, Context, TokenKind, get_realm
from llamora.ops.backup.snapshot import copy_database
from tests import tokens
from tests.people import Resident
from tests.rotation.expected_state import list_envelopes
from tests.rotation.independent_reader import CannotOpenError, open_envelope
from tests.rotation.independent_token_reader import open_token
from tests.tokens import make_token

READING = [(kind, scope) for kind in (TokenKind.ORDINARY, TokenKind.AWAY) for scope in sorted(SCOPES)]
EVERY = [*((kind, scope) for kind, scope in READING if scope != "drop"), (TokenKind.DROP, "drop")]


@pytest.fixture
def olive(owner: Resident) -> Resident:
    return owner.sign_in()


def copy_to(folder: Path) -> Path:
    copied = folder / "copied.sqlite3"
    copied.unlink(missing_ok=True)
    copy_database(Path(connection.settings_dict["NAME"]), copied)
    return copied


def is_opened(envelope: bytes, context: Context, key: bytes) -> bool:
    try:
        open_envelope(
            envelope,
            key=key,
            row=context.row.bytes,
            owner=context.owner.bytes,
            purpose=context.purpose,
            label=context.label,
            bound=dict(context.bound),
        )
    except CannotOpenError:
        return False
    return True


def test_a_copied_database_and_one_token_give_its_realms_and_nothing_else(
    olive: Resident, tmp_path: Path
) -> None:
    with tokens.forgotten_afterwards():
        texts = {(kind, scope): make_token(olive, kind, scopes=frozenset({scope})) for kind, scope in EVERY}
    sealed = list_envelopes(olive.id)
    assert {get_realm(context.label).value for _, context in sealed} == {"content", "vault"}
    copied = copy_to(tmp_path)

    for (kind, scope), text in texts.items():
        keys = open_token(copied, text)

        realms = {realm.value for realm in SCOPES[scope]} if kind is TokenKind.AWAY else set()
        assert set(keys) == {(1, realm) for realm in realms}
        opened = [
            context.label
            for envelope, context in sealed
            if any(is_opened(envelope, context, key) for key in keys.values())
        ]
        wanted = [context.label for _, context in sealed if get_realm(context.label).value in realms]
        assert opened == wanted


def test_the_token_gives_keys_of_both_epochs_within_a_rotation_and_of_one_afterwards(
    olive: Resident, tmp_path: Path
) -> None:
    with tokens.forgotten_afterwards():
        text = make_token(olive, TokenKind.AWAY)
        before = open_token(copy_to(tmp_path), text)
        begun = begin_rotation(olive.open_slot(), current_cookie=olive.get_cookie())
        during = open_token(copy_to(tmp_path), text)
        resume_rotation(begun.keyring)
        after = open_token(copy_to(tmp_path), text)

    assert set(before) == {(1, "content")}
    assert set(during) == {(1, "content"), (2, "content")}
    assert set(after) == {(2, "content")}
    assert during == before | after


def test_a_revoked_token_gives_no_key_of_what_is_written_later(olive: Resident, tmp_path: Path) -> None:
    from accounts.tokens.services import revoke_token
    from llamora.crypto import parse_token

    with tokens.forgotten_afterwards():
        text = make_token(olive, TokenKind.AWAY)
        taken = open_token(copy_to(tmp_path), text)
        revoke_token(
            olive.open_keyring(),
            person=olive.person,
            token_id=parse_token(text).id,
            cookie=olive.get_cookie(),
        )
        olive.write_with(olive.open_keyring(), "After the token")
    copied = copy_to(tmp_path)

    with pytest.raises(CannotOpenError, match="no such token"):
        open_token(copied, text)
    later = [each for each in list_envelopes(olive.id) if each[0][1:5] == b"\0\0\0\2"]
    assert later
    assert not any(is_opened(envelope, context, key) for envelope, context in later for key in taken.values())
