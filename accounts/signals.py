"""Signals from accounts to the apps that depend on it.

`vault_unlocked`     person_id, keyring            after the commit
`vault_opened`       person_id, keyring            at the first request of a browser that was unlocked before
                                                   this process started, or by another process
`vault_locked`       person_id, sign_in_id,        after the commit; `key_id`: the key this session had opened
                     key_id, last                  in this process, or None; `last`: no session has it open
`token_revoking`     person_id, keyring            before an access token is revoked
`person_deleted`     person_id                     after the commit; receivers delete the person's files
`data_key_rotating`  person_id, keyring            before a rotation: the vault's key pair still opens drafts
`data_key_rotated`   person_id, keyring,           after the commit: snapshots sealed under the former key are
                     former_key_id                 unreadable, and longer-lived keyrings must be replaced

An error in a receiver is logged and does not stop the sign-in or sign-out. The keyring is in force while
receivers run and may be closed afterwards; a receiver that needs it longer calls `keyring.copy()`.
"""

import logging
from typing import Any

from django.dispatch import Signal

logger = logging.getLogger("accounts.signals")


class QuietSignal(Signal):
    """Signal that logs only the type of a receiver's error; Django's own signal would log its message."""

    def _log_robust_failure(self, receiver: Any, err: BaseException) -> None:
        logger.error(
            "%s failed: %s", getattr(receiver, "__qualname__", "a receiver"), type(err).__name__, exc_info=err
        )


vault_unlocked = QuietSignal()
vault_opened = QuietSignal()
vault_locked = QuietSignal()
token_revoking = QuietSignal()
person_deleted = QuietSignal()
data_key_rotating = QuietSignal()
data_key_rotated = QuietSignal()
