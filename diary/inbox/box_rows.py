"""Rows of texts that arrived while their owner's diary was locked: sealing, checking and opening them.

    box   crypto.seal_to of the text as in `diary.inbox.inbox_text`, in JSON, UTF-8
    mac   crypto.compute_drop_mac with the authenticator of the access token that sent it

    context   purpose "drop", label "diary.inbox_item.box", row, owner; bound: day, sender

Whoever can write to the database can insert any row. So rows are read through `list_ids`, which returns only
rows of a valid shape, and the content of a box is trusted only after its MAC was checked.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Final
from uuid import UUID

from django.conf import settings

from accounts.keys.key_pairs import VaultKeyPair
from accounts.keys.row_shapes import list_sound_ids, register_longest
from diary.inbox.inbox_text import InboxText
from diary.models import InboxBox
from llamora.crypto import (
    Context,
    DropKey,
    EnvelopeError,
    NotAuthentic,
    check_drop_mac,
    compute_drop_mac,
    open_sealed,
    seal_to,
)

# Six bytes for each character of the longest text, as JSON writes control characters, and padding.
MAX_BOX: Final = 7 * settings.MAX_TEXT + 4096
# Rows that are loaded at once.
_BATCH: Final = 50
register_longest(InboxBox, "box", MAX_BOX)


def seal_row(row: InboxBox, text: InboxText, *, key: DropKey) -> None:
    """Encrypt the text into `row.box` and set `row.mac`; all other columns must be set before."""
    context = _build_context(row)
    row.box = seal_to(key.public, json.dumps(text.to_json(), ensure_ascii=False).encode(), context=context)
    row.mac = compute_drop_mac(key.authenticator, box=row.box, context=context)


def is_sent_with(row: InboxBox, authenticator: bytes) -> bool:
    """Return whether a token sent the row, and the row is unchanged.

    `authenticator` is the key with which the token computes MACs.
    """
    try:
        check_drop_mac(authenticator, bytes(row.mac), box=bytes(row.box), context=_build_context(row))
    except NotAuthentic:
        return False
    return True


def open_text(row: InboxBox, pairs: Iterable[VaultKeyPair]) -> InboxText | None:
    """Return the decrypted content of a row, or None if no key pair opens it or the content is invalid.

    The key pair to which it was sealed may be older than the current one. The public key is no secret, so the
    content may be from anyone: check the sender with `is_sent_with`.
    """
    context = _build_context(row)
    for pair in pairs:
        try:
            plaintext = open_sealed(pair.private, pair.public, bytes(row.box), context=context)
        except EnvelopeError:
            continue
        try:
            return InboxText.from_json(json.loads(plaintext))
        except (ValueError, RecursionError):
            return None
    return None


def _build_context(row: InboxBox) -> Context:
    bound = (
        ("diary.inbox_item.day", row.day.isoformat().encode()),
        ("diary.inbox_item.sender", row.sender_id.bytes),
    )
    return Context(purpose="drop", label="diary.inbox_item.box", row=row.id, owner=row.owner_id, bound=bound)


def list_ids(owner_id: UUID) -> list[UUID]:
    """Return the ids of an owner's undamaged rows, oldest first."""
    return sorted(list_sound_ids(InboxBox, owner_id))


def iter_rows_of(owner_id: UUID, *, sender_id: UUID) -> Iterator[InboxBox]:
    """Yield an owner's undamaged rows that name this sender."""
    ids = list_ids(owner_id)
    for first in range(0, len(ids), _BATCH):
        yield from InboxBox.objects.filter(id__in=ids[first : first + _BATCH], sender_id=sender_id)


def exists(owner_id: UUID) -> bool:
    """Return whether an owner has any row, damaged or not."""
    return InboxBox.objects.filter(owner_id=owner_id).exists()
