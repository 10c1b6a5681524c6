"""Programs in tests that send texts to the Inbox of a person whose diary is locked."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from accounts.keys import key_pairs
from diary.inbox import boxes
from diary.inbox.boxes import BoxSender, store_box
from diary.inbox.inbox_text import InboxText
from llamora.crypto import DropKey, Keyring, secret_bytes
from llamora.fields import new_id
from tests.people import Resident


@dataclass(kw_only=True)
class Program:
    """A program with the public key of its owner, and an authenticator."""

    owner: Resident
    key: DropKey
    id: UUID = field(default_factory=new_id)
    name: str = "Kitchen tablet"

    def send(self, text: str, *, owner: Resident | None = None) -> UUID:
        """Send a text for today without its owner's key."""
        to = owner or self.owner
        return store_box(
            owner_id=to.id,
            day=to.today,
            text=InboxText.create(text, source="who I say I am", sender_id=new_id()),
            sender_id=self.id,
            key=self.key,
        )


def create_program(owner: Resident, *, name: str = "Kitchen tablet") -> Program:
    """Return a program that nobody has registered."""
    public = key_pairs.find_public_key(owner.keyring)
    assert public is not None
    return Program(owner=owner, key=DropKey(public=public, authenticator=secret_bytes(32)), name=name)


@contextmanager
def registered(*programs: Program) -> Iterator[None]:
    """Let these programs be senders in the block, and no others."""

    def load(keyring: Keyring) -> Iterator[BoxSender]:
        return (
            BoxSender(id=one.id, name=one.name, authenticator=one.key.authenticator)
            for one in programs
            if one.owner.id == keyring.owner
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boxes, "_sender_loaders", [load])
        yield
