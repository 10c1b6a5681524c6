"""The HTML of texts of unlocked people, in memory: never on the disk, dropped at a lock and at a rotation.

    key     BLAKE2b-128 of the text, keyed with bytes that only the data key in force gives

So a text is found only under the key that opened it, and only once it was opened and authenticated: an
envelope that was exchanged on the disk shows nothing of another's. A lock begins another generation; HTML
whose rendering began in an earlier one is shown once and not cached.
"""

import sys
import threading
from collections import Counter, OrderedDict
from datetime import timedelta
from hashlib import blake2b
from typing import Final, NamedTuple
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts.models import Unlock
from llamora.crypto import Keyring

MAX_BYTES: Final = 8 * 1024 * 1024  # of all people
MAX_BYTES_PER_PERSON: Final = 4 * 1024 * 1024
_LABEL: Final = "diary.html_cache"
_KEY_BYTES: Final = 16


class CachedHtml(NamedTuple):
    """The HTML of a text, and the units that its formatting cost."""

    html: str
    units: int

    @property
    def size(self) -> int:
        """Its bytes in memory."""
        return sys.getsizeof(self.html)


class CacheKey(NamedTuple):
    """Key of a text: its owner, the generation of the owner's cache, and the keyed digest."""

    owner: UUID
    generation: int
    digest: bytes


def _is_unlocked(owner: UUID) -> bool:
    since = timezone.now() - timedelta(minutes=settings.IDLE_MINUTES)
    return Unlock.objects.filter(sign_in__person_id=owner, last_active__gt=since).exists()


class HtmlCache:
    """The HTML of texts by person, within a bound on its bytes; what was not used for longest is dropped."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_owner: OrderedDict[UUID, OrderedDict[bytes, CachedHtml]] = OrderedDict()
        self._sizes: Counter[UUID] = Counter()
        self._generations: Counter[UUID] = Counter()

    def build_key(self, text: str, keyring: Keyring) -> CacheKey:
        """Return the key of a text that was opened with this keyring."""
        secret = keyring.blind_index(label=_LABEL, value="")
        digest = blake2b(text.encode("utf-8", "surrogatepass"), key=secret, digest_size=_KEY_BYTES).digest()
        with self._lock:
            return CacheKey(keyring.owner, self._generations[keyring.owner], digest)

    def get(self, key: CacheKey) -> CachedHtml | None:
        """Return the HTML of a text, or None."""
        with self._lock:
            texts = self._by_owner.get(key.owner)
            found = texts.get(key.digest) if texts else None
            if texts and found:
                texts.move_to_end(key.digest)
                self._by_owner.move_to_end(key.owner)
            return found

    def add(self, key: CacheKey, cached: CachedHtml) -> None:
        """Add the HTML of a text, unless its owner locked since the key was built."""
        if cached.size > MAX_BYTES_PER_PERSON:
            return
        with self._lock:
            if self._generations[key.owner] != key.generation:
                return
            is_first = key.owner not in self._by_owner
            texts = self._by_owner.setdefault(key.owner, OrderedDict())
            if key.digest not in texts:
                texts[key.digest] = cached
                self._sizes[key.owner] += cached.size
            self._by_owner.move_to_end(key.owner)
            self._make_room(key.owner)
        # Race with a lock: it deletes its row before it sends its signal, so that one of the two sees the
        # other.
        if is_first and not _is_unlocked(key.owner):
            self.forget(key.owner)

    def _make_room(self, owner: UUID) -> None:
        while self._sizes[owner] > MAX_BYTES_PER_PERSON:
            self._drop_oldest(owner)
        while self._sizes.total() > MAX_BYTES:
            self._drop_oldest(next(iter(self._by_owner)))

    def _drop_oldest(self, owner: UUID) -> None:
        _, dropped = self._by_owner[owner].popitem(last=False)
        self._sizes[owner] -= dropped.size
        if not self._by_owner[owner]:
            del self._by_owner[owner], self._sizes[owner]

    def forget(self, owner: UUID) -> None:
        """Drop everything of a person, including what is being rendered."""
        with self._lock:
            self._generations[owner] += 1
            self._by_owner.pop(owner, None)
            self._sizes.pop(owner, None)

    def size(self, owner: UUID) -> int:
        """Return the bytes of a person's HTML in memory."""
        with self._lock:
            return self._sizes[owner]


html_cache = HtmlCache()
