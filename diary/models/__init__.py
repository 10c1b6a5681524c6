"""The models of the diary; other modules import them from here.

entries   Entry, Origin, TRUSTED_ORIGINS, Version
drafts    Draft, LateDraft
replies   Reply, ReplyKind, CustomReplyKind
derived   Opening, Recap
inbox     ImportClaim, InboxBox, InboxItem
notes     Note, NoteDraft, NoteVersion
"""

from diary.models.derived import Opening, Recap
from diary.models.drafts import Draft, LateDraft
from diary.models.entries import (
    TRUSTED_ORIGINS,
    Entry,
    EntryManager,
    EntryQuerySet,
    Origin,
    Version,
    month_day_expression,
)
from diary.models.inbox import ImportClaim, InboxBox, InboxItem
from diary.models.notes import Note, NoteDraft, NoteVersion
from diary.models.replies import CustomReplyKind, Reply, ReplyKind

__all__ = [
    "TRUSTED_ORIGINS",
    "CustomReplyKind",
    "Draft",
    "Entry",
    "EntryManager",
    "EntryQuerySet",
    "ImportClaim",
    "InboxBox",
    "InboxItem",
    "LateDraft",
    "Note",
    "NoteDraft",
    "NoteVersion",
    "Opening",
    "Origin",
    "Recap",
    "Reply",
    "ReplyKind",
    "Version",
    "month_day_expression",
]
