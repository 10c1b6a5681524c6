"""Goes on with an unfinished rotation in a thread of its own, for as long as its owner is unlocked.

It may be left at any moment, the end of the process included: the next unlock goes on from there.
"""

import logging
import threading
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.errors import AccountsError
from accounts.keys.keyrings import get_former_key
from accounts.rotation.errors import RotationStopped
from accounts.rotation.services import resume_rotation
from accounts.signals import vault_locked, vault_unlocked
from llamora.crypto import CryptoError, Keyring
from llamora.database import NotWritten
from llamora.threads import yield_turn

_log = logging.getLogger(__name__)
_guard = threading.Lock()
_running: dict[UUID, "_RotationThread"] = {}


class _RotationThread(threading.Thread):
    """One person's rotation, from where it stands to its end."""

    def __init__(self, keyring: Keyring) -> None:
        super().__init__(name="rotation", daemon=True)
        # Its own: the keyring it was started with is closed after the request.
        self._keyring = keyring.own_copy()
        self.stopping = threading.Event()

    def run(self) -> None:
        try:
            moved = resume_rotation(self._keyring, stop=self.stopping.is_set)
            _log.info("A rotation is finished; %d envelopes were sealed anew.", moved.envelopes)
        except RotationStopped:
            return
        except (AccountsError, CryptoError, NotWritten) as error:
            _log.warning("A rotation is not finished yet: %s", error.code)
        except Exception as error:
            # By its kind alone: a driver's error can quote what was to be written.
            _log.error("A rotation was broken off: %s", type(error).__name__)
        finally:
            self._keyring.close()
            with _guard:
                _running.pop(self._keyring.owner, None)
            connection.close()


def start(keyring: Keyring) -> bool:
    """Go on with the rotation of the keyring's owner; return whether one is unfinished."""
    if get_former_key(keyring.owner) is None:
        return False
    with _guard:
        if keyring.owner not in _running:
            _running[keyring.owner] = work = _RotationThread(keyring)
            work.start()
    return True


def stop(owner: UUID, *, timeout: float | None = None) -> None:
    """Stop after the batch at hand; with a time-out, wait for that."""
    with _guard:
        work = _running.get(owner)
    if work is not None:
        work.stopping.set()
        if timeout is not None:
            with yield_turn():
                work.join(timeout)


def stop_all(*, timeout: float = 1.0) -> None:
    """Stop everybody's, for the end of the server."""
    with _guard:
        owners = list(_running)
    for owner in owners:
        stop(owner)
    for owner in owners:
        stop(owner, timeout=timeout / len(owners))


def _resume_after_unlock(sender: object, *, keyring: Keyring, **_: Any) -> None:
    del sender
    start(keyring)


def _stop_after_last_lock(sender: object, *, person_id: UUID, last: bool, **_: Any) -> None:
    del sender
    if last:
        stop(person_id)


def connect() -> None:
    """Listen; called once from `AppConfig.ready`."""
    vault_unlocked.connect(_resume_after_unlock, dispatch_uid="accounts.rotation.go_on")
    vault_locked.connect(_stop_after_last_lock, dispatch_uid="accounts.rotation.stop")
