"""Idempotency keys: a program that repeats a call without having got a response stores nothing twice.

The program sends a key with a call that stores something. The transaction that saves the row also saves a
digest of the key, a digest of the content and the id of the row. So an interrupted call can be repeated, even
after a restart of the server. The digests are keyed with the token's secret. They are stored for three days.

A call that stores many rows uses several transactions. It first looks for its key (`find_stored`), and saves
the key in the last transaction (`store_once`). In the earlier transactions, the id of each row is derived
from the key and the content (`derive_row_id`), so that a repeated call continues after the rows that exist.
"""

import hmac
from collections.abc import Callable
from datetime import timedelta
from typing import Final, NamedTuple
from uuid import UUID

from accounts.errors import IdempotencyKeyReused
from accounts.models import IdempotencyKey
from llamora.clock.services import get_cutoff
from llamora.crypto import TokenText
from llamora.database import FIRST_MOMENT, write_transaction

KEY_LIFETIME: Final = timedelta(days=3)


class StoredOnce(NamedTuple):
    """Result of a call: the id of its row, and whether this call stored it."""

    row_id: UUID
    is_new: bool


def find_stored(token: TokenText, *, key: str, content: bytes) -> StoredOnce | None:
    """Return what a call with `key` stored before, or None; raise IdempotencyKeyReused for other content."""
    earlier = IdempotencyKey.objects.filter(id=_compute_id(token, key), token_id=token.id).first()
    if earlier is None:
        return None
    if not hmac.compare_digest(bytes(earlier.body_digest), token.compute_digest("body", content)):
        raise IdempotencyKeyReused
    return StoredOnce(earlier.result_id, is_new=False)


def derive_row_id(token: TokenText, *, key: str, content: bytes, number: int) -> UUID:
    """Return the id for a row of a call, the same at each repetition with this key, content and number."""
    said = token.compute_digest("body", content) + number.to_bytes(4, "big") + key.encode()
    return UUID(bytes=token.compute_digest("row", said)[:16])


def store_once(token: TokenText, *, key: str, content: bytes, store: Callable[[], UUID]) -> StoredOnce:
    """Run `store`, unless an earlier call with this key has run it.

    `store` saves a row and returns its id. `store` and the saving of the key are one transaction. Without a
    key (""), `store` always runs, and no transaction is begun here. Raise IdempotencyKeyReused if the earlier
    call had other content.
    """
    if not key:
        return StoredOnce(store(), is_new=True)
    with write_transaction():
        earlier = find_stored(token, key=key, content=content)
        if earlier is not None:
            return earlier
        row_id = store()
        _delete_expired(token.id)
        IdempotencyKey.objects.create(
            id=_compute_id(token, key),
            token_id=token.id,
            body_digest=token.compute_digest("body", content),
            result_id=row_id,
        )
    return StoredOnce(row_id, is_new=True)


def _compute_id(token: TokenText, key: str) -> UUID:
    return UUID(bytes=token.compute_digest("key", key.encode())[:16])


def _delete_expired(token_id: UUID) -> None:
    before = get_cutoff(KEY_LIFETIME)
    if before is not None:
        keys = IdempotencyKey.objects.filter(token_id=token_id)
        keys.filter(used_at__gte=FIRST_MOMENT, used_at__lt=before).delete()
