"""Parsers of posted fields that only forms of notes have."""

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django import forms as django_forms
from django.http import HttpRequest

from diary import messages
from diary.entries.forms import SubmittedText, parse_submitted_text
from diary.notes.drafts import SubmittedNoteDraft
from diary.notes.errors import InvalidNotePath
from diary.notes.kind_descriptions import KIND_DESCRIPTIONS, build_path
from diary.notes.kinds import MAX_PATH, NoteKind, derive_kind, match_newlines
from diary.notes.queries import NoteText

_PASSAGE_NUMBERS: Final = 3
_LONGEST_NUMBER: Final = 9
# What a form shows again of a name that is too long.
_MAX_SHOWN: Final = 4 * MAX_PATH


@dataclass(frozen=True, kw_only=True)
class NewNoteForm:
    """A posted new note: its typed name, its text, and the revision of its draft."""

    kind: NoteKind
    name: str = field(repr=False)
    sent: SubmittedText = field(repr=False)

    @property
    def text(self) -> str:
        """The text to save."""
        return match_newlines(self.sent.text, like=None)

    @property
    def typed_path(self) -> str:
        """The path that is saved with the draft.

        If the name is empty, this is a path that no saved note can have.
        """
        return build_path(self.kind, self.name)

    def get_path(self) -> str:
        """Return the path of the new note; raise InvalidNotePath for a name invalid for this kind."""
        if KIND_DESCRIPTIONS[self.kind].name_label and not self.name:
            raise InvalidNotePath(messages.NOTE_PATH_EMPTY)
        path = self.typed_path
        if self.kind is NoteKind.SKILL and derive_kind(path) is not NoteKind.SKILL:
            raise InvalidNotePath(messages.SKILL_NAME_HAS_FOLDER)
        return path

    def to_draft(self) -> SubmittedNoteDraft:
        """Return the draft of the note."""
        return SubmittedNoteDraft(
            text=self.text,
            path=self.typed_path,
            revision=self.sent.revision,
            previous_text=self.sent.previous_text,
        )


def parse_new_note(request: HttpRequest, kind: NoteKind) -> NewNoteForm:
    """Return the submitted HTML form of a new note of this kind."""
    name = parse_name(request, "note_name")
    return NewNoteForm(kind=kind, name=name, sent=parse_submitted_text(request))


def parse_name(request: HttpRequest, field_name: str) -> str:
    """Return the submitted value of an HTML form field that has one line."""
    return request.POST.get(field_name, "").strip()[:_MAX_SHOWN]


def parse_edit_draft(request: HttpRequest, note_id: UUID, *, saved: str | None) -> SubmittedNoteDraft:
    """Return the submitted draft of an edit, with the same kind of line ends as the saved text."""
    sent = parse_submitted_text(request)
    return SubmittedNoteDraft(
        note_id=note_id,
        text=match_newlines(sent.text, like=saved),
        revision=sent.revision,
        based_on=sent.based_on,
        previous_text=sent.previous_text and match_newlines(sent.previous_text, like=saved),
    )


@dataclass(frozen=True, kw_only=True)
class NotePassage:
    """The passage of a note that a link points to: the note's revision, and offsets in its stripped text."""

    revision: int
    start: int
    end: int

    def cut_from(self, note: NoteText) -> str:
        """Return a copy of the words at this passage of a note, or "" if the note has changed since."""
        is_same = note.revision == self.revision and note.text is not None
        return (note.text or "").strip()[self.start : self.end] if is_same else ""


def parse_passage(request: HttpRequest) -> NotePassage | None:
    """Return the passage that the URL names, or None."""
    numbers = request.GET.get("passage", "").split(".")
    if len(numbers) != _PASSAGE_NUMBERS or not all(_is_number(each) for each in numbers):
        return None
    revision, start, end = (int(each) for each in numbers)
    return NotePassage(revision=revision, start=start, end=end)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER


class WorkspaceForm(django_forms.Form):
    """HTML form to upload a zip of a workspace. If a folder is chosen, the page first packs it into a zip."""

    file = django_forms.FileField(
        label="Or a zip of the folder",
        allow_empty_file=True,
        error_messages={"required": messages.WORKSPACE_NO_ZIP},
        widget=django_forms.FileInput(attrs={"accept": ".zip,application/zip"}),
        help_text="At most 4 MB. Nothing is imported before you have seen what is in it.",
    )
