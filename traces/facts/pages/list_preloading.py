"""Threads that decrypt long lists of facts in advance, after an unlock and before the first page of facts.

Each person has one thread, at a lower priority than pages. A lock closes its keyring, which ends the thread
at the next row. A page that is requested meanwhile waits for it, since decrypting in both would take twice as
long.
"""

import logging
import threading
from collections.abc import Callable
from typing import Final
from uuid import UUID

from django.db import connection

from llamora.crypto import CryptoError, Keyring, in_force
from llamora.text_caches import clear_text_caches
from llamora.threads import lower_priority, yield_turn
from traces.facts.models import Fact

_log = logging.getLogger(__name__)
# So many are opened while their page waits, in 40 ms.
MOST_IN_PAGE: Final = 1_000
_guard = threading.Lock()
_preloadings: dict[UUID, "_ListPreloading"] = {}


class _ListPreloading(threading.Thread):
    """Thread that calls `load`, which builds and caches the list of one person."""

    def __init__(self, keyring: Keyring, load: Callable[[], object]) -> None:
        super().__init__(name="list of facts", daemon=True)
        # A copy, because the request closes its keyring.
        self._keyring, self._load = keyring.copy(), load

    def run(self) -> None:
        lower_priority()
        try:
            with in_force(self._keyring):
                self._load()
        except CryptoError:
            # Locked, or in a rotation. What it remembered since the lock goes as well.
            clear_text_caches()
        except Exception as error:
            # Only the type is logged: what went wrong while reading facts may quote them.
            _log.error("A list of facts was not opened: %s", type(error).__name__)
        finally:
            self.close()
            connection.close()
            _remove(self._keyring.owner, self)

    def close(self) -> None:
        """Close the keyring, so that no more facts are decrypted."""
        self._keyring.close()


def start_preloading(keyring: Keyring, load: Callable[[], object]) -> None:
    """Start a thread that calls `load` for a person with many facts, unless one is running."""
    owner_id = keyring.owner
    if not Fact.objects.for_owner(owner_id).order_by()[MOST_IN_PAGE : MOST_IN_PAGE + 1].exists():
        return
    with _guard:
        if owner_id not in _preloadings:
            preloading = _preloadings[owner_id] = _ListPreloading(keyring, load)
            preloading.start()


def wait_for_preloading(owner_id: UUID) -> None:
    """Wait until no thread builds the list of a person."""
    with _guard:
        preloading = _preloadings.get(owner_id)
    if preloading is not None:
        with yield_turn():
            preloading.join()


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
