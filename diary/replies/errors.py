"""Errors of replies, with stable codes and a sentence for the person.

ReplyRefused             refused    a reply was not started
    TooManyReplies       too_many   the person has too many replies in progress
    EntryDamaged         damaged    the entry cannot be decrypted
    ReplyKindNotFound    no_way     its custom reply style was deleted
InvalidReplyKind         wish       the fields of a custom reply style are invalid
"""

from typing import ClassVar


class ReplyRefused(Exception):  # noqa: N818 - an answer to the person, not a fault
    """Raised when a reply cannot be started."""

    code: ClassVar[str] = "refused"
    sentence: ClassVar[str] = "This could not be answered now."

    def __str__(self) -> str:
        return self.code


class TooManyReplies(ReplyRefused):
    """Raised when a person already has the maximum number of replies in progress."""

    code = "too_many"
    sentence = (
        "Several replies are already on their way to you. Wait for one of them, or stop one, then ask again."
    )


class EntryDamaged(ReplyRefused):
    """Raised when the entry to reply to cannot be decrypted."""

    code = "damaged"
    sentence = (
        "This entry cannot be opened, so it cannot be answered. A backup made before may still hold it."
    )


class ReplyKindNotFound(ReplyRefused):
    """Raised when a reply is retried and its custom style was deleted."""

    code = "no_way"
    sentence = "The way this was asked for is not there any more. Choose another under the entry."


class InvalidReplyKind(Exception):  # noqa: N818 - an answer to the person, not a fault
    """Raised for invalid fields of a custom reply style; contains none of their text."""

    code: ClassVar[str] = "wish"

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence
