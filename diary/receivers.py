"""Signal receivers of the diary, and the display names of its models in the data inventory.

The inventory is `accounts.security.data_inventory`.
"""

import logging
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models.signals import post_delete

from accounts.rotation.blind_indexes import BlindIndex, register_blind_index
from accounts.security.data_inventory import RowLabel, register_label
from accounts.signals import (
    data_key_rotated,
    data_key_rotating,
    person_deleted,
    token_revoking,
    vault_locked,
    vault_unlocked,
)
from diary import hooks
from diary.drafts.late_drafts import merge_late_drafts
from diary.entries.services import purge_bin
from diary.generation.page_tasks import register_sections
from diary.history.services import purge_versions
from diary.inbox.boxes import open_boxes
from diary.inbox.services import purge_inbox
from diary.models import (
    CustomReplyKind,
    Draft,
    Entry,
    ImportClaim,
    InboxItem,
    Note,
    NoteDraft,
    NoteVersion,
    Opening,
    Recap,
    Reply,
    Version,
)
from diary.models.notes import NOTE_PATH_INDEX_LABEL
from diary.notes.services import purge_note_versions
from diary.notes.workspace.note_rows import (
    NOTE_ROW_SIGNATURE,
    VERSION_ROW_SIGNATURE,
    build_draft_rule,
    build_note_rule,
    build_version_rule,
    insert_note_row,
    skip_row,
)
from diary.openings import presenters as openings_presenters
from diary.recaps.services import delete_recap
from diary.rendering import page_texts
from diary.rendering.html_cache import html_cache
from diary.replies import presenters as replies_presenters
from llamora.crypto import KeyId, Keyring
from llamora.database import NotWritten
from llamora.inference.interruption import mark_interrupted
from llamora.inference.registry import registry

_log = logging.getLogger(__name__)


def connect() -> None:
    """Connect the receivers; called once from `AppConfig.ready`."""
    vault_unlocked.connect(merge_and_purge_after_unlock, dispatch_uid="diary.tidy_after_unlock")
    data_key_rotating.connect(merge_late_drafts_before_rotation, dispatch_uid="diary.fold_before_a_turn")
    token_revoking.connect(open_boxes_before_revocation, dispatch_uid="diary.inbox.open_before_revocation")
    vault_locked.connect(interrupt_jobs, dispatch_uid="diary.replies.interrupt")
    vault_locked.connect(_forget_html_after_lock, dispatch_uid="diary.html_cache.locked")
    data_key_rotated.connect(_forget_html, dispatch_uid="diary.html_cache.rotated")
    person_deleted.connect(_forget_html, dispatch_uid="diary.html_cache.deleted")
    data_key_rotated.connect(interrupt_jobs_of_former_key, dispatch_uid="diary.replies.new_key")
    post_delete.connect(_delete_recap, sender=Entry, dispatch_uid="diary.recaps.destroyed")
    registry.on_startup(partial(mark_interrupted, Reply))
    register_sections(replies_presenters.find_section)
    register_sections(openings_presenters.find_section)
    page_texts.connect()
    hooks.register_signature("diary.note", NOTE_ROW_SIGNATURE)
    hooks.register_signature("diary.noteversion", VERSION_ROW_SIGNATURE)
    hooks.register_export_rule("diary.note", build_note_rule)
    hooks.register_export_rule("diary.noteversion", build_version_rule)
    hooks.register_export_rule("diary.notedraft", build_draft_rule)
    hooks.register_row_import("notes", insert_note_row)
    hooks.register_row_import("note_versions", skip_row)
    hooks.register_row_import("note_drafts", skip_row)
    register_blind_index(
        BlindIndex(
            model=Note, column="path_index", label=NOTE_PATH_INDEX_LABEL, value=lambda note: note.head["path"]
        )
    )


def register_inventory_labels() -> None:
    """Register display names of the diary's models for the data inventory; called from `AppConfig.ready`."""
    register_label(Entry, RowLabel(one="entry", many="entries"))
    register_label(Version, RowLabel(one="earlier version of an entry", many="earlier versions of entries"))
    register_label(Draft, RowLabel(one="draft", many="drafts"))
    register_label(Reply, RowLabel(one="reply of the model", many="replies of the model"))
    register_label(Opening, RowLabel(one="opening of a day", many="openings of days"))
    register_label(Recap, RowLabel(one="recap of a day", many="recaps of days"))
    register_label(
        ImportClaim,
        RowLabel(one="import that is being marked as yours", many="imports that are being marked as yours"),
    )
    register_label(InboxItem, RowLabel(one="text in the Inbox", many="texts in the Inbox"))
    register_label(Note, RowLabel(one="note", many="notes"))
    register_label(NoteVersion, RowLabel(one="earlier version of a note", many="earlier versions of notes"))
    register_label(NoteDraft, RowLabel(one="draft of a note", many="drafts of notes"))
    register_label(CustomReplyKind, RowLabel(one="reply style", many="reply styles"))


def merge_and_purge_after_unlock(sender: object, *, person_id: UUID, keyring: Keyring, **_: Any) -> None:
    """Merge late drafts, decrypt boxes into Inbox items, and purge what expired after thirty days."""
    del sender
    try:
        open_boxes(keyring)
        merge_late_drafts(keyring)
        purge_bin(owner_id=person_id)
        purge_versions(owner_id=person_id)
        purge_inbox(owner_id=person_id)
        purge_note_versions(owner_id=person_id)
    except NotWritten as error:
        # Everything stays until the next unlock; this one must not fail for it.
        _log.warning("Expired entries and drafts could not be cleaned up after an unlock: %s", error.code)


def merge_late_drafts_before_rotation(sender: object, *, keyring: Keyring, **_: Any) -> None:
    """Merge late drafts before a rotation, since after two rotations no key would open them."""
    del sender
    try:
        merge_late_drafts(keyring)
    except NotWritten as error:
        _log.warning("Drafts sent after a lock could not be saved before a key change: %s", error.code)


def open_boxes_before_revocation(sender: object, *, keyring: Keyring, **_: Any) -> None:
    """Open the boxes of a token before it is revoked: afterwards nobody can check who sent them."""
    del sender
    try:
        open_boxes(keyring)
    except NotWritten as error:
        _log.warning("Texts sent to the Inbox could not be saved before a revocation: %s", error.code)


def interrupt_jobs(*, key_id: KeyId | None, last: bool, **_: Any) -> None:
    """Interrupt the jobs that were started with a key, when the last session with this key ends."""
    if last and key_id is not None:
        registry.interrupt(key_id, reason="locked")


def interrupt_jobs_of_former_key(*, former_key_id: KeyId, **_: Any) -> None:
    """Interrupt the jobs that were started with a key that a rotation replaced.

    Their texts could not be saved.
    """
    registry.interrupt(former_key_id, reason="new_key")


def _forget_html_after_lock(sender: object, *, person_id: UUID, last: bool, **_: Any) -> None:
    del sender
    if last:
        html_cache.forget(person_id)


def _forget_html(sender: object, *, person_id: UUID, **_: Any) -> None:
    del sender
    html_cache.forget(person_id)


def _delete_recap(sender: object, *, instance: Entry, **_: Any) -> None:
    del sender
    # A recap may quote an entry that is deleted for good.
    delete_recap(owner_id=instance.owner_id, day=instance.day)
