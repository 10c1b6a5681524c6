"""A cache of rows that were decrypted, so that a search need not decrypt a row that it finds again.

A row is looked up by a digest of the whole row as stored and of the epoch of its data key: a row that anybody
changed, with or without that key, is decrypted again.
"""

import marshal
from collections import OrderedDict
from collections.abc import Iterable
from hashlib import blake2b
from threading import Lock
from typing import Any, Final, NamedTuple
from uuid import UUID

from llamora.crypto import current_realm_keyring
from llamora.database import CachedIdQuery
from llamora.database.cached_sql import StoredRow
from llamora.fields import SealedModel

_MAX_ROWS: Final = 2000
# Without references, which would differ between equal rows.
_MARSHAL_VERSION: Final = 2


class DecryptedRow(NamedTuple):
    """The id of a decrypted row, and the origin of its text."""

    id: UUID
    origin: str


class DecryptedRowCache:
    """A cache of the ids and origins of decrypted rows. The decrypted texts are not in the cache.

    An index has one cache. It has at most 2,000 rows, each found by a BLAKE2 digest of the row as stored. If
    the cache is full, the row that was added first is removed.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._rows: OrderedDict[bytes, DecryptedRow] = OrderedDict()

    def list_decryptable(
        self, query: CachedIdQuery[Any], ids: Iterable[UUID], *, owner: UUID, field: str
    ) -> list[DecryptedRow]:
        """Return the rows with these ids that can be decrypted.

        A keyring with the realm of these rows must be in force.
        """
        epoch, found = current_realm_keyring().epoch, list[DecryptedRow]()
        for stored in query.fetch_stored(ids, owner_id=owner):
            digest = _compute_digest(epoch, stored)
            with self._lock:
                known = self._rows.get(digest)
            if known is None:
                (row,) = query.convert([stored])
                known = _open(row, field)
                if known is not None:
                    self._add(digest, known)
            if known is not None:
                found.append(known)
        return found

    def _add(self, digest: bytes, row: DecryptedRow) -> None:
        with self._lock:
            self._rows[digest] = row
            while len(self._rows) > _MAX_ROWS:
                self._rows.popitem(last=False)


def _open(row: SealedModel, field: str) -> DecryptedRow | None:
    if row.open_or(field, None) is None:
        return None
    origin: Any = row.origin  # type: ignore[attr-defined]  # of entries and of facts
    return DecryptedRow(row.id, str(origin))


def _compute_digest(epoch: int, stored: StoredRow) -> bytes:
    return blake2b(marshal.dumps((epoch, *stored), _MARSHAL_VERSION), digest_size=32).digest()
