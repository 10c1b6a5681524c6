"""Threads that carry out claims of large imports ("This is mine") while the diaries are unlocked.

A thread may end at any moment, for example with the process; the next unlock continues its work.
"""

import logging
import threading
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.keys.keyrings import copy_with_former_keys
from accounts.signals import data_key_rotated, person_deleted, vault_locked, vault_opened, vault_unlocked
from diary.origins.services import continue_claims, has_claims
from llamora.crypto import CryptoError, KeyId, Keyring, in_force
from llamora.database import NotWritten

_log = logging.getLogger(__name__)
_guard = threading.Lock()
_running: dict[KeyId, "_ClaimThread"] = {}


class _ClaimThread(threading.Thread):
    """Thread that continues the claims of one person."""

    def __init__(self, keyring: Keyring) -> None:
        super().__init__(name="import claim", daemon=True)
        # A copy, because the request closes its keyring.
        self._keyring = copy_with_former_keys(keyring)
        self.stopping = threading.Event()

    def run(self) -> None:
        try:
            with in_force(self._keyring):
                count = continue_claims(self._keyring.owner, is_stopped=self.stopping.is_set)
            _log.info("%d entries of imports became their owner's own.", count)
        except (CryptoError, NotWritten) as error:
            _log.warning("An import is not all its owner's own yet: %s", error.code)
        except Exception as error:
            # Only the type is logged: a database error can quote what was to be written.
            _log.error("Making an import its owner's own was stopped: %s", type(error).__name__)
        finally:
            self._keyring.close()
            with _guard:
                if _running.get(self._keyring.key_id) is self:
                    del _running[self._keyring.key_id]
            connection.close()


def start_claim_thread(keyring: Keyring) -> bool:
    """Continue the unfinished claims of a person's imports in a thread.

    Return False if there are none.
    """
    if keyring.is_of_format_1 or not has_claims(keyring.owner):
        return False
    with _guard:
        if keyring.key_id not in _running:
            _running[keyring.key_id] = thread = _ClaimThread(keyring)
            thread.start()
    return True


def stop_claim_threads(owner: UUID, *, timeout: float | None = None) -> None:
    """Stop the threads of a person after their current batches; with a timeout, wait for their end."""
    with _guard:
        threads = [thread for key_id, thread in _running.items() if key_id.owner == owner]
    for thread in threads:
        thread.stopping.set()
        if timeout is not None:
            thread.join(timeout)


def _start_after_unlock(sender: object, *, keyring: Keyring, **_: Any) -> None:
    del sender
    start_claim_thread(keyring)


def _stop_after_last_lock(
    sender: object, *, person_id: UUID, key_id: KeyId | None, last: bool, **_: Any
) -> None:
    del sender
    if last and key_id is not None:
        stop_claim_threads(person_id)


def _start_with_next_key(sender: object, *, person_id: UUID, keyring: Keyring, **_: Any) -> None:
    del sender
    stop_claim_threads(person_id)
    start_claim_thread(keyring)


def _stop_after_deletion(sender: object, *, person_id: UUID, **_: Any) -> None:
    del sender
    stop_claim_threads(person_id)


def connect() -> None:
    """Connect the receivers; called once from `AppConfig.ready`."""
    vault_unlocked.connect(_start_after_unlock, dispatch_uid="diary.import_claims.unlocked")
    vault_opened.connect(_start_after_unlock, dispatch_uid="diary.import_claims.opened")
    data_key_rotated.connect(_start_with_next_key, dispatch_uid="diary.import_claims.rotated")
    vault_locked.connect(_stop_after_last_lock, dispatch_uid="diary.import_claims.locked")
    person_deleted.connect(_stop_after_deletion, dispatch_uid="diary.import_claims.deleted")
