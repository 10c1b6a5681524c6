"""A cache of values of unlocked people, such as the names of their traces: loaded once, dropped at a lock.

A change that comes while a value is being built is applied to it afterwards. A value that is forgotten while
it is being built, as at a lock, is used once and not cached.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, ClassVar, Final, Generic, TypeVar
from uuid import UUID

from django.conf import settings

from accounts.sessions.registry import session_registry
from llamora.crypto import KeyId, current_realm_keyring

SWEEP_SECONDS: Final = 20.0
_V = TypeVar("_V")


class _Build(Generic[_V]):
    """A value that is being built, and the changes to apply to it afterwards."""

    def __init__(self, owner_id: UUID) -> None:
        self.owner_id = owner_id
        self.changes: list[Callable[[_V], None]] = []
        self.is_forgotten = False


class UnlockedCache(Generic[_V]):
    """A cache of one value for each person with an unlocked diary. A value is found by the id of their keys.

    `load` builds the value of a person whose keyring is in force. `close` is called for a value that is
    dropped, so that whoever still uses it holds no more words than needed.
    """

    _caches: ClassVar[list["UnlockedCache[Any]"]] = []
    _sweeper: ClassVar[threading.Thread | None] = None
    _start_lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, load: Callable[[UUID], _V], *, close: Callable[[_V], None] | None = None) -> None:
        self._load, self._close = load, close
        self._lock = threading.Lock()
        self._values: dict[KeyId, _V] = {}
        self._used_at: dict[KeyId, float] = {}
        self._builds: set[_Build[_V]] = set()
        self._caches.append(self)

    def get_current(self) -> _V:
        """Return the value of the person whose keyring is in force; raise VaultLocked if there is none."""
        key_id = current_realm_keyring().key_id
        value = self.find_current()
        if value is not None:
            return value
        build: _Build[_V] = _Build(key_id.owner)
        with self._lock:
            self._builds.add(build)
        try:
            value = self._load(key_id.owner)
        except BaseException:
            with self._lock:
                self._builds.remove(build)
            raise
        with self._lock:
            self._builds.remove(build)
            for change in build.changes:
                change(value)
            if not build.is_forgotten:
                self._values[key_id] = value
        self._start_sweeper()
        # Race with a lock: it deletes its row before it sends its signal, so that one of the two sees the
        # other.
        if not session_registry.is_unlocked(key_id):
            self.forget(key_id.owner)
        return value

    def find_current(self) -> _V | None:
        """Return the cached value of the person whose keyring is in force, or None; raise VaultLocked."""
        key_id = current_realm_keyring().key_id
        with self._lock:
            self._used_at[key_id] = time.monotonic()
            return self._values.get(key_id)

    def has_value(self, owner_id: UUID) -> bool:
        """Return whether a value of this person is cached."""
        return bool(self.list_values(owner_id))

    def list_values(self, owner_id: UUID) -> list[_V]:
        """Return the cached values of this person, one for each of their keys in use.

        Whoever has only the keys of a realm may read them for these keys alone. This does not count as use.
        """
        with self._lock:
            return [value for key_id, value in self._values.items() if key_id.owner == owner_id]

    def update(self, owner_id: UUID, change: Callable[[_V], None]) -> None:
        """Change a person's cached values in place. Values that are being built are changed when complete."""
        with self._lock:
            for build in self._builds:
                if build.owner_id == owner_id:
                    build.changes.append(change)
            values = [value for key_id, value in self._values.items() if key_id.owner == owner_id]
        for value in values:
            change(value)

    def forget(self, owner_id: UUID) -> None:
        """Drop a person's values, including one that is being built."""
        with self._lock:
            for build in self._builds:
                build.is_forgotten = build.is_forgotten or build.owner_id == owner_id
            forgotten = [key_id for key_id in self._used_at if key_id.owner == owner_id]
            values = [self._values.pop(key_id) for key_id in forgotten if key_id in self._values]
            for key_id in forgotten:
                del self._used_at[key_id]
        if self._close is not None:
            for value in values:
                self._close(value)

    def sweep(self, *, now: float | None = None) -> None:
        """Drop values that were not used within the idle limit. `now` is a time of `time.monotonic`.

        A lock for idleness sends no signal.
        """
        since = (time.monotonic() if now is None else now) - 60 * settings.IDLE_MINUTES
        with self._lock:
            unused = [key_id for key_id, used_at in self._used_at.items() if used_at < since]
        for key_id in unused:
            self.forget(key_id.owner)

    @classmethod
    def _start_sweeper(cls) -> None:
        """Start the one thread that sweeps all caches."""
        with UnlockedCache._start_lock:
            if UnlockedCache._sweeper is None:
                UnlockedCache._sweeper = threading.Thread(
                    target=cls._run_sweeper, name="traces-sweep", daemon=True
                )
                UnlockedCache._sweeper.start()

    @classmethod
    def _run_sweeper(cls) -> None:
        pause = threading.Event()
        while not pause.wait(SWEEP_SECONDS):
            for cache in list(cls._caches):
                cache.sweep()
