"""Errors of Ask.

AskRefused              a question that is not answered, with its code; no text of it
    QuestionInvalid     empty, too_long, not_text
    TooManyQuestions    too_many
    IndexNotReady       locked     the owner's diary is locked, so that there is no index of it
                        opening    it is being opened: asking again in a moment helps
"""

from typing import Final


class AskRefused(Exception):  # noqa: N818 - an answer to whoever asks, not a fault
    """Base of what is said instead of an answer; each has a code and contains no text."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class QuestionInvalid(AskRefused):
    """Raised for a text that cannot be a question."""


class TooManyQuestions(AskRefused):
    """Raised while too many answers of one person are being written."""

    def __init__(self) -> None:
        super().__init__("too_many")


LOCKED: Final = "locked"
OPENING: Final = "opening"


class IndexNotReady(AskRefused):
    """Raised while there is no open index to search.

    Nothing is opened for a program whose owner is locked: to read a whole diary for one question would take
    minutes, and leave it in memory while nobody has unlocked it.
    """
