"""The HTML of texts of unlocked people, in memory: never on the disk, dropped at a lock and at a rotation.

    key     BLAKE2b-128 of the text, keyed with bytes that only the data key in force gives

A text is found only under the key that decrypted it, so HTML is never shown for an envelope that was not
authenticated, such as one swapped on the disk. A lock starts a new generation of the person's cache; HTML
whose rendering began in an earlier generation is shown once and not cached.
"""

import sys
import threading
from collections import Counter, OrderedDict
from hashlib import blake2b
from typing import Final, NamedTuple
from uuid import UUID

from accounts.sessions.registry import session_registry
from llamora.crypto import KeyId, Keyring

MAX_BYTES: Final = 8 * 1024 * 1024  # of all people
MAX_BYTES_PER_PERSON: Final = 4 * 1024 * 1024
_LABEL: Final = "diary.html_cache"
_KEY_BYTES: Final = 16


class CachedHtml(NamedTuple):
    """The HTML of a text, and the cost of rendering it, in the units of `RenderBudget`."""

    html: str
    units: int

    @property
    def size(self) -> int:
        """The size in memory, in bytes."""
        return sys.getsizeof(self.html)


class CacheKey(NamedTuple):
    """The cache key of a text's HTML, made of the owner's data key, a counter and the text's digest.

    `key_id` is the id of the data key, and `digest` a BLAKE2 digest. The counter `generation` grows when the
    cached HTML of the person is removed.
    """

    key_id: KeyId
    generation: int
    digest: bytes


class HtmlCache:
    """An LRU cache of HTML for each person, bounded in bytes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_key: OrderedDict[KeyId, OrderedDict[bytes, CachedHtml]] = OrderedDict()
        self._sizes: Counter[KeyId] = Counter()
        self._generations: Counter[UUID] = Counter()

    def build_key(self, text: str, keyring: Keyring, *, has_links: bool = True) -> CacheKey:
        """Return the cache key for the HTML of a text that was decrypted with this keyring.

        HTML with links and HTML without links have different keys.
        """
        secret = keyring.blind_index(label=_LABEL, value="")
        content = text.encode("utf-8", "surrogatepass")
        person = b"" if has_links else b"no links"
        digest = blake2b(content, key=secret, digest_size=_KEY_BYTES, person=person).digest()
        with self._lock:
            return CacheKey(keyring.key_id, self._generations[keyring.owner], digest)

    def get(self, key: CacheKey) -> CachedHtml | None:
        """Return the HTML of a text, or None."""
        with self._lock:
            texts = self._by_key.get(key.key_id)
            found = texts.get(key.digest) if texts else None
            if texts and found:
                texts.move_to_end(key.digest)
                self._by_key.move_to_end(key.key_id)
            return found

    def add(self, key: CacheKey, cached: CachedHtml) -> None:
        """Add the HTML of a text, unless its owner locked the diary since the key was built."""
        if cached.size > MAX_BYTES_PER_PERSON:
            return
        with self._lock:
            if self._generations[key.key_id.owner] != key.generation:
                return
            is_first = key.key_id not in self._by_key
            texts = self._by_key.setdefault(key.key_id, OrderedDict())
            if key.digest not in texts:
                texts[key.digest] = cached
                self._sizes[key.key_id] += cached.size
            self._by_key.move_to_end(key.key_id)
            self._make_room(key.key_id)
        # Race with a lock: it deletes its row before it sends its signal, so that one of the two sees the
        # other.
        if is_first and not session_registry.is_unlocked(key.key_id):
            self.forget(key.key_id.owner)

    def _make_room(self, key_id: KeyId) -> None:
        while self._sizes[key_id] > MAX_BYTES_PER_PERSON:
            self._drop_oldest(key_id)
        while self._sizes.total() > MAX_BYTES:
            self._drop_oldest(next(iter(self._by_key)))

    def _drop_oldest(self, key_id: KeyId) -> None:
        _, dropped = self._by_key[key_id].popitem(last=False)
        self._sizes[key_id] -= dropped.size
        if not self._by_key[key_id]:
            del self._by_key[key_id], self._sizes[key_id]

    def forget(self, owner: UUID) -> None:
        """Drop all HTML of a person, including HTML that is still being rendered."""
        with self._lock:
            self._generations[owner] += 1
            for key_id in [key_id for key_id in self._by_key if key_id.owner == owner]:
                del self._by_key[key_id], self._sizes[key_id]

    def size(self, owner: UUID) -> int:
        """Return how many bytes a person's HTML takes in memory."""
        with self._lock:
            return sum(size for key_id, size in self._sizes.items() if key_id.owner == owner)


html_cache = HtmlCache()
