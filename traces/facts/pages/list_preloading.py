"""Threads that decrypt long lists of facts, after an unlock or when a page needs one.

Each person has one thread, at a lower priority than pages. After an unlock it waits a little, unless a page
needs the list, so that it slows down neither the first page nor the opening of the search index. A lock
closes the thread's keyring, which ends it at the next row. A page that is requested meanwhile says how many
facts are decrypted, or waits. No page decrypts a long list itself, unless the thread failed.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeVar
from uuid import UUID

from django.db import connection

from llamora.crypto import CryptoError, Keyring, in_force
from llamora.text_caches import clear_text_caches
from llamora.threads import lower_priority, yield_turn
from traces.facts.models import Fact

_log = logging.getLogger(__name__)
# So many are opened while their page waits, in 40 ms.
MOST_IN_PAGE: Final = 1_000
# So long a page waits before it says that the list is being opened: a short wait shows no other page.
PATIENCE_SECONDS: Final = 0.25
# So long a thread leaves the machine to what else an unlock begins, unless a page needs its list.
HEAD_START_SECONDS: float = 1.0
_STEP: Final = 500
_guard = threading.Lock()
_preloadings: dict[UUID, "_ListPreloading"] = {}
_Row = TypeVar("_Row")


@dataclass(frozen=True, kw_only=True)
class PreloadingProgress:
    """Numbers of a person's facts: decrypted so far, and in all."""

    opened: int
    total: int


class ListNotLoadedError(Exception):
    """Raised while a thread is still loading the list of a person's facts."""

    def __init__(self, progress: PreloadingProgress) -> None:
        super().__init__("The list of facts is being opened")
        self.progress = progress


class _ListPreloading(threading.Thread):
    """Thread that calls `load`, which builds and caches the list of one person."""

    def __init__(self, keyring: Keyring, load: Callable[[], object], *, total: int) -> None:
        super().__init__(name="list of facts", daemon=True)
        # A copy, because the request closes its keyring.
        self._keyring, self._load = keyring.copy(), load
        self.opened, self.total, self.has_failed = 0, total, False
        self._is_needed = threading.Event()

    def run(self) -> None:
        lower_priority()
        self._is_needed.wait(HEAD_START_SECONDS)
        try:
            with in_force(self._keyring):
                self._load()
        except CryptoError:
            # Locked, or in a rotation. What it remembered since the lock goes as well.
            self.has_failed = True
            clear_text_caches()
        except Exception as error:
            # Only the type is logged: what went wrong while reading facts may quote them.
            self.has_failed = True
            _log.error("A list of facts was not opened: %s", type(error).__name__)
        finally:
            self.close()
            connection.close()
            if not self.has_failed:
                _remove(self._keyring.owner, self)

    def hurry(self) -> None:
        """Let the thread begin now instead of later, because a page needs the list."""
        self._is_needed.set()

    def close(self) -> None:
        """Close the keyring, so that no more facts are decrypted."""
        self._keyring.close()
        self.hurry()


def start_preloading(keyring: Keyring, load: Callable[[], object]) -> None:
    """Start a thread that calls `load`, if the person has many facts and no such thread is running.

    None is started after one that failed, so that the page calls `load` itself and meets the same error.
    """
    owner_id = keyring.owner
    total = Fact.objects.for_owner(owner_id).order_by().count()
    if total <= MOST_IN_PAGE:
        return
    with _guard:
        if owner_id not in _preloadings:
            preloading = _preloadings[owner_id] = _ListPreloading(keyring, load, total=total)
            preloading.start()


def iter_counted_rows(owner_id: UUID, rows: Iterator[_Row]) -> Iterator[_Row]:
    """Yield the rows of a person's list, and count the decrypted rows for the progress that pages show."""
    with _guard:
        preloading = _preloadings.get(owner_id)
    for number, row in enumerate(rows, 1):
        if preloading is not None and not number % _STEP:
            preloading.opened = number
        yield row


def wait_for_preloading(owner_id: UUID, *, timeout: float | None = None) -> None:
    """Wait until no thread builds the list of a person; raise ListNotLoadedError after `timeout` seconds."""
    with _guard:
        preloading = _preloadings.get(owner_id)
    if preloading is None:
        return
    preloading.hurry()
    with yield_turn():
        preloading.join(timeout)
    if preloading.is_alive():
        raise ListNotLoadedError(PreloadingProgress(opened=preloading.opened, total=preloading.total))
    _remove(owner_id, preloading)


def has_preloading(owner_id: UUID) -> bool:
    """Return whether a thread that loads a person's list of facts is running, or has failed.

    A failed thread counts until `wait_for_preloading` or `stop_preloading` removes it.
    """
    with _guard:
        return owner_id in _preloadings


def stop_preloading(owner_id: UUID) -> None:
    """Stop the thread that builds the list of a person, at the next fact."""
    with _guard:
        preloading = _preloadings.pop(owner_id, None)
    if preloading is not None:
        preloading.close()


def _remove(owner_id: UUID, preloading: _ListPreloading) -> None:
    with _guard:
        if _preloadings.get(owner_id) is preloading:
            del _preloadings[owner_id]
