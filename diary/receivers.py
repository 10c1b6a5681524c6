"""What the diary does when accounts tells it something."""

import logging
from typing import Any
from uuid import UUID

from django.db.models.signals import post_delete

from accounts.security.data_inventory import RowLabel, register_label
from accounts.signals import data_key_rotating, vault_locked, vault_unlocked
from diary.drafts.late_drafts import merge_late_drafts
from diary.entries.services import purge_bin
from diary.history.services import purge_versions
from diary.models import CustomReplyKind, Draft, Entry, Opening, Recap, Reply, Version
from diary.recaps import services as recaps_services
from diary.replies import services as replies_services
from llamora.crypto import Keyring
from llamora.database import NotWritten
from llamora.inference.registry import registry

# MERGED diary.replies.receivers: What replies do when accounts tells that a vault is locking, and when the
# process begins to serve.
# MERGED diary.recaps.receivers: What is made from an entry does not outlive it.
# MERGED diary.holdings: What the rows of a diary are called where a person is told what they have.


def interrupt_jobs(*, person_id: UUID, last: bool, **_: Any) -> None:
    """End a person's jobs with their last unlocked session."""
    if last:
        registry.interrupt(person_id, reason="locked")


def connect_replies() -> None:
    """Listen; called once from `AppConfig.ready`."""
    vault_locked.connect(interrupt_jobs, dispatch_uid="diary.replies.interrupt")
    registry.on_startup(replies_services.mark_interrupted)


def _delete_recap(sender: object, *, instance: Entry, **_: Any) -> None:
    del sender
    recaps_services.delete_recap(owner_id=instance.owner_id, day=instance.day)


def connect_recaps() -> None:
    """Listen; called once from `AppConfig.ready`."""
    post_delete.connect(_delete_recap, sender=Entry, dispatch_uid="diary.recaps.destroyed")


_log = logging.getLogger(__name__)


def tidy_after_unlock(sender: object, *, person_id: UUID, keyring: Keyring, **_: Any) -> None:
    """Fold in the drafts that came while locked, and let go of what is past its thirty days."""
    del sender
    try:
        merge_late_drafts(keyring)
        purge_bin(owner_id=person_id)
        purge_versions(owner_id=person_id)
    except NotWritten as error:
        # Everything stays where it is until the next unlock; nobody is kept out for it.
        _log.warning("Not tidied after an unlock: %s", error.code)


def merge_before_rotation(sender: object, *, keyring: Keyring, **_: Any) -> None:
    """Fold in what came while locked: after two turns nothing would open it any more."""
    del sender
    try:
        merge_late_drafts(keyring)
    except NotWritten as error:
        _log.warning("Late drafts are not folded in before a rotation: %s", error.code)


def connect() -> None:
    """Listen; called once from `AppConfig.ready`."""
    data_key_rotating.connect(merge_before_rotation, dispatch_uid="diary.fold_before_a_turn")
    connect_replies()
    connect_recaps()
    vault_unlocked.connect(tidy_after_unlock, dispatch_uid="diary.tidy_after_unlock")


def register_inventory_labels() -> None:
    """Say it; called once from `AppConfig.ready`."""
    register_label(Entry, RowLabel(one="entry", many="entries"))
    register_label(Version, RowLabel(one="earlier version of an entry", many="earlier versions of entries"))
    register_label(Draft, RowLabel(one="draft", many="drafts"))
    register_label(Reply, RowLabel(one="reply of the model", many="replies of the model"))
    register_label(Opening, RowLabel(one="opening of a day", many="openings of days"))
    register_label(Recap, RowLabel(one="recap of a day", many="recaps of days"))
    register_label(CustomReplyKind, RowLabel(one="way of answering", many="ways of answering"))
