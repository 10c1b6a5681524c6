"""Table of drafts: texts that are not saved as entries yet.

Draft      one for each day, and one for each entry that is being edited
LateDraft  a draft that arrived while its owner's diary was locked, sealed to their public key
"""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from llamora.fields import SealedModel, SealedTextField, new_id


class Draft(SealedModel):
    """The draft of a new entry of a day (`entry` is null), or of an edit of an entry."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    entry = models.ForeignKey("diary.Entry", on_delete=models.CASCADE, null=True, related_name="drafts")
    # The revision of the entry that is being edited, so that another edit saved meanwhile is a conflict.
    based_on = models.PositiveIntegerField(null=True, blank=True)
    text = SealedTextField(
        label="diary.draft.text",
        bound={
            "day": "diary.draft.day",
            "entry_id": "diary.draft.entry",
            "based_on": "diary.draft.based_on",
            "revision": "diary.draft.revision",
        },
        bound_in_format_1={"day": "diary.draft.day"},
    )
    revision = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["owner", "day"], condition=models.Q(entry=None), name="draft_per_day"
            ),
            models.UniqueConstraint(
                fields=["owner", "entry"], condition=~models.Q(entry=None), name="draft_per_entry"
            ),
        ]

    def __str__(self) -> str:
        return f"Draft {self.id}"


class LateDraft(models.Model):
    """A draft that arrived while its owner's diary was locked, sealed to their public key.

    It belongs to a day, to an entry, or to a note; for a note, `day` is the day it was sent. It has a MAC of
    the browser that sent it; rows without one are older than format 2. See `diary.drafts.late_drafts`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    entry = models.ForeignKey("diary.Entry", on_delete=models.CASCADE, null=True, related_name="+")
    is_of_note = models.BooleanField(default=False)
    # Null for a new note. No foreign key: the note may be deleted meanwhile, and the text is not.
    note_id = models.UUIDField(null=True)
    # No foreign key: that sign-in may be gone when the diary is unlocked.
    sign_in_id = models.UUIDField(null=True)
    # The revision that the page was given for this text, and that of the draft which the page began from.
    revision = models.PositiveIntegerField(default=0)
    follows = models.PositiveIntegerField(default=0)
    box = models.BinaryField()
    mac = models.BinaryField(null=True)
    made_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"Late draft {self.id}"
