"""Notes: the files of a workspace, which instruct and inform the assistant, sealed under the realm `notes`.

Readable without a key: the number of notes, the times of change, revisions and origins, and padded sizes;
never a text, a name or a folder. The keys of this realm decrypt no entry.

    Note         one file, by its path: the persona, standing requests, reference notes, skills, ...
    NoteVersion  the content of a note before a change, stored for thirty days
    NoteDraft    the draft of an edit of a note, or of a new note
"""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from diary.models.entries import TRUSTED_ORIGINS, Origin
from llamora.fields import MacField, SealedBytesField, SealedJSONField, SealedModel, SealedTextField

NOTE_PATH_INDEX_LABEL = "diary.note.path_index"

_NOTE_BOUND = {
    "revision": "diary.note.revision",
    "origin": "diary.note.origin",
    "approved_revision": "diary.note.approved_revision",
}


class Note(SealedModel):
    """One file of a person's workspace: a text, or the bytes of a binary file."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    # Blind index of the path.
    path_index = models.BinaryField(max_length=32)
    revision = models.PositiveIntegerField(default=1)
    origin = models.CharField(max_length=16, choices=Origin.choices, default=Origin.OWN, editable=False)
    # The revision of a skill that its owner wrote or approved; only at this one is it used.
    approved_revision = models.PositiveIntegerField(null=True, editable=False)
    # {"path", "size", "source"}: see `diary.notes.note_metadata`. Read for a list, without the text.
    head = SealedJSONField(
        label="diary.note.head", bound={"path_index": "diary.note.path_index", **_NOTE_BOUND}
    )
    # One of the two; a text with its line ends as they came.
    text = SealedTextField(label="diary.note.text", bound=_NOTE_BOUND, null=True)
    data = SealedBytesField(label="diary.note.data", bound=_NOTE_BOUND, null=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    mac = MacField(
        label="diary.note.mac",
        bound={"created_at": "diary.note.created_at", "updated_at": "diary.note.updated_at"},
    )

    class Meta:
        ordering = ("created_at", "id")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "path_index"], name="note_once_per_path")
        ]

    def __str__(self) -> str:
        return f"Note {self.id}"

    @property
    def is_trusted(self) -> bool:
        """Whether the owner wrote or claimed the note; the origin is authenticated with the content."""
        return self.origin in TRUSTED_ORIGINS


class NoteVersion(SealedModel):
    """The content of a note before a change."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    note = models.ForeignKey(Note, on_delete=models.CASCADE, related_name="versions", db_index=False)
    revision = models.PositiveIntegerField()
    origin = models.CharField(max_length=16, choices=Origin.choices, editable=False)
    text = SealedTextField(
        label="diary.note_version.text",
        bound={
            "note_id": "diary.note_version.note",
            "revision": "diary.note_version.revision",
            "origin": "diary.note_version.origin",
        },
        null=True,
    )
    data = SealedBytesField(
        label="diary.note_version.data",
        bound={
            "note_id": "diary.note_version.note",
            "revision": "diary.note_version.revision",
            "origin": "diary.note_version.origin",
        },
        null=True,
    )
    written_at = models.DateTimeField()
    replaced_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "note version"
        ordering = ("-revision",)
        indexes: ClassVar = [models.Index(fields=["owner", "replaced_at"], name="note_version_by_age")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["note", "revision"], name="note_version_once")
        ]

    def __str__(self) -> str:
        return f"Note version {self.id}"


class NoteDraft(SealedModel):
    """The draft of an edited note, or of a new note (`note` is null). `body` is {"path", "text"}."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    note = models.ForeignKey(Note, on_delete=models.CASCADE, null=True, related_name="drafts")
    # The revision of the note that is being edited, so that another change saved meanwhile is a conflict.
    based_on = models.PositiveIntegerField(null=True, blank=True)
    body = SealedJSONField(
        label="diary.note_draft.body",
        bound={
            "note_id": "diary.note_draft.note",
            "based_on": "diary.note_draft.based_on",
            "revision": "diary.note_draft.revision",
        },
    )
    revision = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "note draft"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["owner"], condition=models.Q(note=None), name="note_draft_of_new_note"
            ),
            models.UniqueConstraint(
                fields=["owner", "note"], condition=~models.Q(note=None), name="note_draft_per_note"
            ),
        ]

    def __str__(self) -> str:
        return f"Note draft {self.id}"
