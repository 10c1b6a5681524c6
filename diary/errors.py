"""Errors of the diary with stable codes. The errors of invalid texts are in `diary.entries.text_validation`.

ObjectNotFound       404           no such row, or another person's row; both give the same response
DiaryError
    EditConflict     conflict      another tab saved another revision; carries the current row, sealed
    DayNotBegun      not_yet       a day that has not begun anywhere on earth
    LateDraftRefused no_key_here   a late draft without a confirmed public key, or one of too many
    InboxFull        inbox_full    too many texts of one sender wait in the Inbox
    InboxChanged     inbox_changed the Inbox differs from what the page showed
    ImportChanged    import_changed  an import differs from what its page showed
"""

# The names say what happened, which reads best where they are raised; the code is the contract.
# ruff: noqa: N818

from typing import ClassVar, TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404

from diary import messages
from diary.models import Draft, Entry


class ObjectNotFound(Http404):
    """Raised for a row that does not exist or belongs to another person; both give the same 404 page."""


_ModelT = TypeVar("_ModelT", bound=Model)


def get_first_or_404(rows: QuerySet[_ModelT]) -> _ModelT:
    """Return the first row of a queryset; raise ObjectNotFound if it is empty."""
    row = rows.first()
    if row is None:
        raise ObjectNotFound
    return row


class DiaryError(Exception):
    """Base of the diary's errors; none contains a person's text."""

    code: ClassVar[str] = "diary"
    sentence: str = ""

    def __str__(self) -> str:
        return self.code


class EditConflict(DiaryError):
    """Raised when a change is based on another revision than the saved one."""

    code = "conflict"
    sentence = messages.EDIT_CONFLICT

    def __init__(self, row: Entry | Draft) -> None:
        super().__init__()
        self.row = row


class DayNotBegun(DiaryError):
    """Raised when something is saved on a future day."""

    code = "not_yet"

    def __init__(self, *, is_clock_behind: bool) -> None:
        super().__init__()
        self.sentence = messages.DAY_NOT_BEGUN_BY_CLOCK if is_clock_behind else messages.DAY_NOT_BEGUN


class LateDraftRefused(DiaryError):
    """Raised when a draft cannot be stored for a locked diary; its text then stays only in the page."""

    code = "no_key_here"
    sentence = messages.DRAFT_ONLY_IN_PAGE


class InboxFull(DiaryError):
    """Raised when too many texts of one sender, or too much text, wait in the Inbox."""

    code = "inbox_full"
    sentence = messages.INBOX_FULL


class InboxChanged(DiaryError):
    """Raised when the texts to accept differ from those that the page showed."""

    code = "inbox_changed"
    sentence = messages.INBOX_CHANGED


class ImportChanged(DiaryError):
    """Raised when a person claims an import that has changed since their page showed it."""

    code = "import_changed"
    sentence = messages.IMPORT_CHANGED
