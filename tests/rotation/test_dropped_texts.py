"""Tests that texts sent with a token that can only send arrive, whatever happens meanwhile."""

from collections.abc import Iterator

import pytest

from accounts.errors import InvalidToken
from accounts.models import AccessToken
from accounts.rotation.epoch_change import begin_rotation
from accounts.rotation.services import resume_rotation
from accounts.sessions.registry import session_registry
from accounts.tokens.call_limits import call_limits
from accounts.tokens.services import revoke_token
from diary.inbox.boxes import store_box
from diary.inbox.inbox_text import InboxText
from diary.models import InboxBox, InboxItem
from llamora.crypto import TokenKind, in_force, parse_token
from tests import tokens
from tests.people import Resident
from tests.tokens import make_token, use_token


@pytest.fixture(autouse=True)
def forget_tokens() -> Iterator[None]:
    with tokens.forgotten_afterwards():
        yield


def drop(token: str, text: str, *, who: Resident) -> None:
    """Drop a text as the view of a program's call does."""
    opened = use_token(token)
    assert opened.drop is not None
    store_box(
        owner_id=opened.owner,
        day=who.today,
        text=InboxText.create(text),
        sender_id=opened.id,
        key=opened.drop,
    )


def read_inbox(who: Resident) -> list[tuple[str, str]]:
    with in_force(who.open_keyring()):
        return [(item.body["text"], item.body["from"]) for item in InboxItem.objects.order_by("id")]


def test_a_hundred_of_a_hundred_texts_arrive_after_a_restart_and_three_rotations(owner: Resident) -> None:
    token = make_token(owner.sign_in(), TokenKind.DROP, name="Kitchen tablet")
    owner.post("/sign-out/")
    session_registry.clear()
    tokens.forget_process()

    for number in range(100):
        if number in (25, 50, 75):
            # As the command does it: nothing is opened meanwhile.
            begin_rotation(owner.open_slot())
            resume_rotation(owner.open_keyring())
            call_limits.clear()
        drop(token, f"Text {number}", who=owner)
    assert InboxBox.objects.count() == 100
    owner.sign_in()

    assert owner.get_vault().epoch == 4
    assert read_inbox(owner) == [(f"Text {number}", "Kitchen tablet") for number in range(100)]
    assert not InboxBox.objects.exists()


def test_what_a_token_sent_arrives_although_it_is_revoked_afterwards(owner: Resident) -> None:
    token = make_token(owner.sign_in(), TokenKind.DROP, name="Kitchen tablet")
    owner.lock()
    drop(token, "Before", who=owner)
    owner.post("/unlock/", password=owner.password)
    drop(token, "Just before", who=owner)

    revoke_token(
        owner.open_keyring(),
        person=owner.person,
        token_id=parse_token(token).id,
        cookie=owner.get_cookie(),
    )

    assert read_inbox(owner) == [("Before", "Kitchen tablet"), ("Just before", "Kitchen tablet")]
    assert not AccessToken.objects.exists()
    with pytest.raises(InvalidToken):
        use_token(token)


def test_a_token_of_another_kind_is_no_sender(owner: Resident) -> None:
    from accounts.tokens.services import list_drop_senders

    owner.sign_in()
    texts = {kind: make_token(owner, kind) for kind in TokenKind}

    senders = list_drop_senders(owner.open_keyring())

    assert [sender.id for sender in senders] == [parse_token(texts[TokenKind.DROP]).id]
    AccessToken.objects.filter(kind="away").update(kind="drop", scopes="drop")
    assert len(list_drop_senders(owner.open_keyring())) == 1
