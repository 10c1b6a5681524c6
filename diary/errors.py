"""What the diary refuses, besides texts (`diary.texts`): one small tree with stable codes.

NotThere      404          no such thing, or somebody else's: never told apart
DiaryError
    Conflict  conflict     changed by somebody meanwhile; carries the row as it is now, sealed
    NotYet    not_yet      a day that has begun nowhere on earth
    NoKeyHere no_key_here  locked, and this process has not seen the person's vault open
"""

# The names follow what happened, as callers read them; the code is the contract.
# ruff: noqa: N818

from typing import ClassVar

from django.http import Http404

from diary.models import Draft, Entry


class ObjectNotFound(Http404):
    """Raised for what does not exist and for what is somebody else's; its page is the same 404."""


class DiaryError(Exception):
    """Base of what the diary refuses on purpose; no text is ever in one."""

    code: ClassVar[str] = "diary"
    sentence: ClassVar[str] = ""

    def __str__(self) -> str:
        return self.code


class EditConflict(DiaryError):
    """Raised when what was changed is not what the change was based on."""

    code = "conflict"
    sentence = "This was changed somewhere else meanwhile."

    def __init__(self, row: Entry | Draft) -> None:
        super().__init__()
        self.row = row


class DayNotBegun(DiaryError):
    """Raised when something is to be kept on a day to come."""

    code = "not_yet"
    sentence = "This day has not begun yet. Copy your words and keep them on today's page."


class PublicKeyUnknown(DiaryError):
    """Raised when a draft cannot be sealed to its locked owner; it must stay in the page."""

    code = "no_key_here"
    sentence = "The diary is locked, so this draft is only in this page. Unlock it to save it."
