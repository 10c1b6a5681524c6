"""Errors of Ask.

AskRefused              a refused question, with a code; contains no text of it
    QuestionInvalid     empty, too_long, not_text
    TooManyQuestions    too_many
    IndexNotReady       locked     the owner's diary is locked, so that its index is closed
                        opening    the index is being opened; ask again soon
"""

from typing import Final


class AskRefused(Exception):  # noqa: N818 - an answer to whoever asks, not a fault
    """Base of the errors of a refused question; each has a code and contains no text."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class QuestionInvalid(AskRefused):
    """Raised for a text that is not valid as a question."""


class TooManyQuestions(AskRefused):
    """Raised if too many answers of one person are in progress."""

    def __init__(self) -> None:
        super().__init__("too_many")


LOCKED: Final = "locked"
OPENING: Final = "opening"


class IndexNotReady(AskRefused):
    """Raised if the owner's search index is not open: the diary is locked, or the index is being opened.

    An index is not opened for a program while its owner is locked: reading a whole diary for one question
    would take minutes, and leave it in memory while nobody has unlocked it.
    """
