"""Errors of notes with stable codes. Each has a sentence for the person; none contains the text of a note.

NoteError
    InvalidNotePath    note_path      a path that no note can have
    NotePathTaken      path_taken     another note or a folder has this path
    InvalidNoteText    not_text       invalid characters, or a binary file where a text is required
    NoteTooLong        too_long       longer than a note of this kind may be
    TooManyNotes       too_many       no more notes can be added
    NoteConflict       conflict       another revision was saved meanwhile; carries the row, sealed
    NoteProtected      protected      a program may not change a note that is its owner's own
    NoteDamaged        damaged        the note cannot be decrypted
"""

# The names say what happened, which reads best where they are raised; the code is the contract.
# ruff: noqa: N818

from typing import ClassVar

from diary import messages
from diary.errors import DiaryError
from diary.models import Note, NoteDraft


class NoteError(DiaryError):
    """Base of the errors of notes."""

    code: ClassVar[str] = "note"


class InvalidNotePath(NoteError):
    """Raised for a path that no note can have; `sentence` says why."""

    code = "note_path"

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence


class NotePathTaken(NoteError):
    """Raised for a path that another note or a folder already has, or that lies below the path of a note."""

    code = "path_taken"
    sentence = messages.NOTE_PATH_TAKEN


class InvalidNoteText(NoteError):
    """Raised for a text that cannot be stored exactly, or a binary file where a text is required."""

    code = "not_text"

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence


class NoteTooLong(NoteError):
    """Raised for a text or a file that is longer than a note of its kind may be."""

    code = "too_long"

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence


class TooManyNotes(NoteError):
    """Raised when a person has the maximum number of notes."""

    code = "too_many"
    sentence = messages.TOO_MANY_NOTES


class NoteConflict(NoteError):
    """Raised when a change is based on another revision than the saved one."""

    code = "conflict"
    sentence = messages.EDIT_CONFLICT

    def __init__(self, row: Note | NoteDraft) -> None:
        super().__init__()
        self.row = row


class NoteProtected(NoteError):
    """Raised when a program would change a note that is its owner's own."""

    code = "protected"
    sentence = messages.NOTE_PROTECTED


class NoteDamaged(NoteError):
    """Raised when a note cannot be decrypted."""

    code = "damaged"
    sentence = messages.DAMAGED_NOTE
