"""What accounts tells the apps above it, always after the commit.

`vault_unlocked`  person_id, keyring                a keyring is in force while receivers run
`vault_locked`    person_id, sign_in_id, last       `last`: no unlocked session of that person remains
`person_gone`     person_id                         all their rows are gone; files of theirs must go too

A receiver that fails keeps nobody from getting in or out; it is logged. The keyring of `vault_unlocked` is
closed after the last receiver: whoever needs keys for longer makes a keyring of their own from its data key.
"""

import logging
from typing import Any

from django.dispatch import Signal

logger = logging.getLogger("accounts.signals")


class QuietSignal(Signal):
    """Logs which receiver failed and with what type of error; Django's own line quotes the error's words."""

    def _log_robust_failure(self, receiver: Any, err: BaseException) -> None:
        logger.error(
            "%s failed: %s", getattr(receiver, "__qualname__", "a receiver"), type(err).__name__, exc_info=err
        )


vault_unlocked = QuietSignal()
vault_locked = QuietSignal()
person_deleted = QuietSignal()


# person_id, keyring (in force); after the commit. What was sealed under the snapshot key of before is dead,
# and whoever holds a keyring of before makes a new one from this one's data key.
data_key_rotated = QuietSignal()


# Before anything is turned: what was sealed to the vault's pair can still be opened with it.
data_key_rotating = QuietSignal()
