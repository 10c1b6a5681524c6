"""What the diary does when accounts tells it something."""

import logging
from typing import Any
from uuid import UUID

from accounts.rotation import data_key_turning
from accounts.signals import vault_unlocked
from diary.recaps import receivers as recaps
from diary.replies import receivers as replies
from diary.services.entries import purge_bin
from diary.services.late_drafts import fold_late_drafts
from diary.services.versions import purge_versions
from llamora.crypto import Keyring
from llamora.database import NotWritten

_log = logging.getLogger(__name__)


def tidy_after_unlock(sender: object, *, person_id: UUID, keyring: Keyring, **_: Any) -> None:
    """Fold in the drafts that came while locked, and let go of what is past its thirty days."""
    del sender
    try:
        fold_late_drafts(keyring)
        purge_bin(owner_id=person_id)
        purge_versions(owner_id=person_id)
    except NotWritten as error:
        # Everything stays where it is until the next unlock; nobody is kept out for it.
        _log.warning("Not tidied after an unlock: %s", error.code)


def fold_before_a_turn(sender: object, *, keyring: Keyring, **_: Any) -> None:
    """Fold in what came while locked: after two turns nothing would open it any more."""
    del sender
    try:
        fold_late_drafts(keyring)
    except NotWritten as error:
        _log.warning("Late drafts are not folded in before a rotation: %s", error.code)


def connect() -> None:
    """Listen; called once from `AppConfig.ready`."""
    data_key_turning.connect(fold_before_a_turn, dispatch_uid="diary.fold_before_a_turn")
    replies.connect()
    recaps.connect()
    vault_unlocked.connect(tidy_after_unlock, dispatch_uid="diary.tidy_after_unlock")
