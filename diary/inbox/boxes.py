"""Sealed boxes: texts that arrive while their owner's diary is locked, opened at the next unlock.

The access token of such a program decrypts nothing. It contains the owner's public key, to which a text is
sealed, and an authenticator, which makes its MAC (`llamora.crypto.access_tokens`). At the unlock the owner's
key derives the same authenticators, and a box with a valid MAC becomes an item of the Inbox. Every other box
stays, and is shown to its owner separately: its sender is unknown. Ids of opened boxes are stored like those
of merged drafts, so that a restored row is not opened again (`accounts.keys.browser_keys`).
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.utils import timezone

from accounts.keys import browser_keys, key_pairs, token_slots
from accounts.keys.row_shapes import count_damaged_rows, delete_damaged_rows
from accounts.tokens.services import list_drop_senders
from diary.errors import InboxFull, ObjectNotFound
from diary.inbox import box_rows
from diary.inbox.inbox_text import InboxText
from diary.inbox.services import MAX_CHARACTERS, MAX_ITEMS, check_day, fits_beside, load_sizes
from diary.models import InboxBox, InboxItem, Origin
from llamora.crypto import DropKey, EnvelopeError, Keyring, in_force
from llamora.database import write_transaction

MAX_LISTED: Final = 20
# So that no number of planted rows makes a page slow.
_MAX_READ: Final = 500
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class BoxSender:
    """An access token that may send boxes: its id, its name, and the key of its MACs (`authenticator`)."""

    id: UUID
    name: str = field(repr=False)
    authenticator: bytes = field(repr=False)


def load_token_senders(keyring: Keyring) -> list[BoxSender]:
    """Return a person's access tokens that can only send texts."""
    return [
        BoxSender(id=sender.id, name=sender.name, authenticator=sender.authenticator)
        for sender in list_drop_senders(keyring)
    ]


SenderLoader = Callable[[Keyring], Iterable[BoxSender]]
_sender_loaders: list[SenderLoader] = []


def register_senders(load: SenderLoader) -> None:
    """Register a function that returns senders of boxes for a keyring's owner.

    A second registration has no effect.
    """
    if load not in _sender_loaders:
        _sender_loaders.append(load)


# --- Storing ---------------------------------------------------------------------------------------------


def store_box(*, owner_id: UUID, day: date, text: InboxText, sender_id: UUID, key: DropKey) -> UUID:
    """Encrypt and store a text for its owner, whose diary may be locked; return the id of its row.

    If the sender does not say when the text was written, the present time is stored with it, since the box
    may be opened much later. Raise DayNotBegun or InboxFull.
    """
    check_day(day)
    text = text if text.written_at else replace(text, written_at=timezone.now())
    row = InboxBox(owner_id=owner_id, day=day, sender_id=sender_id)
    box_rows.seal_row(row, text, key=key)
    with write_transaction():
        _check_room(row, key=key)
        row.save(force_insert=True)
    return row.id


def _check_room(row: InboxBox, *, key: DropKey) -> None:
    """Raise InboxFull if too many boxes of this sender wait; rows without a valid MAC do not count."""
    sizes = [
        len(other.box)
        for other in box_rows.iter_rows_of(row.owner_id, sender_id=row.sender_id)
        if box_rows.is_sent_with(other, key.authenticator)
    ]
    if len(sizes) >= MAX_ITEMS or sum(sizes) + len(row.box) > 2 * MAX_CHARACTERS:
        raise InboxFull


# --- Opening ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Opener:
    """The keys and senders with which the boxes of a person are opened and checked."""

    keyring: Keyring
    senders: dict[UUID, BoxSender]
    pairs: list[key_pairs.VaultKeyPair]
    may_be_opened_before: Callable[[UUID], bool]
    # The lengths of the waiting items, by sender; read once, since a full Inbox takes a while to read.
    sizes: dict[UUID | None, list[int]]

    @classmethod
    def load(cls, keyring: Keyring) -> "_Opener":
        """Load the keys and senders for a person's boxes; raise EnvelopeError if the vault is damaged."""
        with in_force(keyring):
            return cls(
                keyring=keyring,
                senders={sender.id: sender for load in _sender_loaders for sender in load(keyring)},
                pairs=key_pairs.load_key_pairs(keyring),
                may_be_opened_before=browser_keys.build_merge_check(keyring),
                sizes=load_sizes(keyring.owner),
            )

    def find_sender(self, row: InboxBox) -> BoxSender | None:
        """Return the sender of a box if they are verified, else None.

        Return None also if the box may have been opened before.
        """
        sender = self.senders.get(row.sender_id)
        if sender is None or self.may_be_opened_before(row.id):
            return None
        return sender if box_rows.is_sent_with(row, sender.authenticator) else None

    def open_text(self, row: InboxBox) -> InboxText | None:
        """Return the decrypted content of a box, whoever sent it.

        Return None if the box does not open, or if its content is invalid.
        """
        return box_rows.open_text(row, self.pairs)


def open_boxes(keyring: Keyring) -> int:
    """Decrypt all boxes whose MAC is valid, and make each an Inbox item; return the number of new items.

    Each item is added in a transaction of its own. A box waits while the Inbox has no room for it. An expired
    token stays known as long as a box of it waits; afterwards its boxes cannot be verified any more. A
    keyring of format 1 opens nothing; the first unlock replaces it.
    """
    if keyring.is_of_format_1:
        return 0
    if not box_rows.exists(keyring.owner):
        token_slots.forget_expired(keyring.owner, spared=())
        return 0
    try:
        with write_transaction():
            browser_keys.renew_merged_ids(keyring)
        opener = _Opener.load(keyring)
        count = sum(_open_box(box_id, opener=opener) for box_id in box_rows.list_ids(keyring.owner))
        token_slots.forget_expired(keyring.owner, spared=_iter_waiting_senders(opener))
    except EnvelopeError as error:
        _log.warning("Texts sent to the Inbox could not be read (%s): %s", error.code, keyring.owner)
        return 0
    return count


def _iter_waiting_senders(opener: _Opener) -> Iterator[UUID]:
    """Yield the sender of each box that waits until the Inbox has room."""
    for box_id in box_rows.list_ids(opener.keyring.owner):
        row = InboxBox.objects.filter(id=box_id).first()
        sender = opener.find_sender(row) if row else None
        if row is not None and sender is not None and opener.open_text(row) is not None:
            yield sender.id


def _open_box(box_id: UUID, *, opener: _Opener) -> bool:
    with in_force(opener.keyring), write_transaction():
        row = InboxBox.objects.filter(id=box_id).first()
        sender = opener.find_sender(row) if row else None
        content = opener.open_text(row) if row and sender else None
        if row is None or sender is None or content is None:
            return False
        text = replace(
            InboxText.create(content.text, source=sender.name, sender_id=sender.id),
            written_at=content.written_at,
        )
        sizes = opener.sizes.setdefault(sender.id, [])
        if not fits_beside(text, sizes):
            return False
        InboxItem.objects.create(
            id=row.id, owner_id=row.owner_id, day=row.day, origin=Origin.PROGRAM, body=text.to_json()
        )
        row.delete()
        browser_keys.add_merged_id(opener.keyring, box_id)
    sizes.append(len(text.text))
    return True


# --- Boxes that could not be checked ---------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class UncheckedBox:
    """A box whose sender could not be verified; `text` is None if it cannot be decrypted either."""

    id: UUID
    day: date
    sent_at: datetime
    text: str | None = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ClosedBoxes:
    """Closed boxes, not moved into the Inbox: a list of the unverified ones, and the number of the others.

    The others wait until the Inbox has room.
    """

    unchecked: list[UncheckedBox]
    waiting_count: int


def list_closed_boxes(keyring: Keyring, *, limit: int = MAX_LISTED) -> ClosedBoxes:
    """Return the closed boxes, not moved into the Inbox: the unverified ones, and the number of the others.

    The others wait until the Inbox has room. Boxes are read from the oldest on, until `limit` unverified ones
    are found; only those read are counted. Call inside `in_force(keyring)`.
    """
    unchecked: list[UncheckedBox] = []
    waiting_count = 0
    for box in _iter_closed(keyring) if box_rows.exists(keyring.owner) else ():
        if box is None:
            waiting_count += 1
            continue
        unchecked.append(box)
        if len(unchecked) == limit:
            break
    return ClosedBoxes(unchecked=unchecked, waiting_count=waiting_count)


def _iter_closed(keyring: Keyring) -> Iterator[UncheckedBox | None]:
    """Yield each box that could not be verified, and None for each that waits until the Inbox has room."""
    try:
        opener: _Opener | None = _Opener.load(keyring)
    except EnvelopeError:
        opener = None
    for box_id in box_rows.list_ids(keyring.owner)[:_MAX_READ]:
        row = InboxBox.objects.filter(id=box_id).first()
        if row is None:
            continue
        content = opener.open_text(row) if opener else None
        if opener and content and opener.find_sender(row):
            yield None
            continue
        text = content.text if content else None
        yield UncheckedBox(id=row.id, day=row.day, sent_at=row.made_at, text=text)


def count_damaged_boxes(owner_id: UUID) -> int:
    """Return the number of boxes that can't be read at all."""
    return count_damaged_rows(InboxBox, owner_id)


def delete_unchecked_box(*, owner_id: UUID, box_id: UUID) -> None:
    """Delete a box for good; raise ObjectNotFound."""
    with write_transaction():
        # In SQL: Django would load the row, which may be damaged.
        if box_id not in box_rows.list_ids(owner_id):
            raise ObjectNotFound
        InboxBox.objects.filter(owner_id=owner_id, id=box_id).delete()


def delete_damaged_boxes(owner_id: UUID) -> None:
    """Delete the boxes that can't be read at all."""
    with write_transaction():
        delete_damaged_rows(InboxBox, owner_id)
