"""Background threads that resume an unfinished rotation while its owner's vault is unlocked.

A thread may be killed at any moment, for example by the end of the process; the next unlock resumes the
rotation.
"""

import logging
import threading
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.errors import AccountsError
from accounts.keys.former_keys import list_file_epochs
from accounts.keys.keyrings import list_former_keys
from accounts.rotation.errors import RotationStopped
from accounts.rotation.services import resume_rotation
from accounts.signals import vault_locked, vault_unlocked
from llamora.crypto import CryptoError, KeyId, Keyring
from llamora.database import NotWritten
from llamora.threads import yield_turn

_log = logging.getLogger(__name__)
_guard = threading.Lock()
_running: dict[KeyId, "_RotationThread"] = {}


class _RotationThread(threading.Thread):
    """Thread that resumes one person's rotation."""

    def __init__(self, keyring: Keyring) -> None:
        super().__init__(name="rotation", daemon=True)
        # A copy, because the request closes its keyring.
        self._keyring = keyring.copy()
        self.stopping = threading.Event()

    def run(self) -> None:
        try:
            result = resume_rotation(self._keyring, stop=self.stopping.is_set)
            _log.info("A key change is finished: %d values were encrypted again.", result.envelopes)
            if result.damaged:
                _log.warning("After a key change, %d values can't be decrypted.", len(result.damaged))
        except RotationStopped:
            return
        except (AccountsError, CryptoError, NotWritten) as error:
            _log.warning("A key change is not finished yet: %s", error.code)
        except Exception as error:
            # Only the type is logged: a database error can quote what was to be written.
            _log.error("A key change was stopped: %s", type(error).__name__)
        finally:
            self._keyring.close()
            with _guard:
                _running.pop(self._keyring.key_id, None)
            connection.close()


def start_rotation_thread(keyring: Keyring) -> bool:
    """Resume the owner's rotation in a thread.

    Return False if there is nothing to resume: no row and no file of a former key is left.
    """
    # A file is left where the process died before it was destroyed.
    has_files = any(epoch < keyring.epoch for epoch in list_file_epochs(keyring.owner))
    if not has_files and not list_former_keys(keyring.owner):
        return False
    with _guard:
        if keyring.key_id not in _running:
            _running[keyring.key_id] = thread = _RotationThread(keyring)
            thread.start()
    return True


def stop_rotation_thread(key_id: KeyId, *, timeout: float | None = None) -> None:
    """Stop the rotation that has this new key, after its current batch.

    With a timeout, wait at most that long for the end of the thread.
    """
    with _guard:
        thread = _running.get(key_id)
    if thread is not None:
        thread.stopping.set()
        if timeout is not None:
            with yield_turn():
                thread.join(timeout)


def stop_rotation_threads_of(owner: UUID, *, timeout: float) -> None:
    """Stop a person's rotations after their current batches, and wait for each until the timeout."""
    with _guard:
        key_ids = [key_id for key_id in _running if key_id.owner == owner]
    for key_id in key_ids:
        stop_rotation_thread(key_id, timeout=timeout)


def stop_rotation_threads(*, timeout: float = 1.0) -> None:
    """Stop all rotations after their current batches, and wait for them until the timeout."""
    with _guard:
        key_ids = list(_running)
    for key_id in key_ids:
        stop_rotation_thread(key_id)
    for key_id in key_ids:
        stop_rotation_thread(key_id, timeout=timeout / len(key_ids))


def _resume_after_unlock(sender: object, *, keyring: Keyring, **_: Any) -> None:
    del sender
    start_rotation_thread(keyring)


def _stop_after_last_lock(sender: object, *, key_id: KeyId | None, last: bool, **_: Any) -> None:
    del sender
    if last and key_id is not None:
        stop_rotation_thread(key_id)


def connect() -> None:
    """Connect the receivers; called once from `AppConfig.ready`."""
    vault_unlocked.connect(_resume_after_unlock, dispatch_uid="accounts.rotation.go_on")
    vault_locked.connect(_stop_after_last_lock, dispatch_uid="accounts.rotation.stop")
