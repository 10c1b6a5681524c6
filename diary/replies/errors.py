"""Why a reply was not begun: one small tree with stable codes.

ReplyRefused   `code` and `sentence`
    TooMany    too_many   one person has enough replies under way
    Damaged    damaged    the entry cannot be opened
    NoSuchWay  no_way     it was asked for in a way of the person's own that is gone
RefusedWish    wish       a way of answering cannot be kept as it is
"""

from typing import ClassVar


class ReplyRefused(Exception):  # noqa: N818 - an answer to the person, not a fault
    """A reply was not begun."""

    code: ClassVar[str] = "refused"
    sentence: ClassVar[str] = "This could not be answered now."

    def __str__(self) -> str:
        return self.code


class TooManyReplies(ReplyRefused):
    """Raised when a person has as many replies under way as one may."""

    code = "too_many"
    sentence = (
        "Several replies are already on their way to you. Wait for one of them, or stop one, then ask again."
    )


class EntryDamaged(ReplyRefused):
    """Raised for an entry whose sealed bytes do not open."""

    code = "damaged"
    sentence = (
        "This entry cannot be opened, so it cannot be answered. A backup made before may still hold it."
    )


class ReplyKindNotFound(ReplyRefused):
    """Raised when a reply is asked for again in a way that is not there any more."""

    code = "no_way"
    sentence = "The way this was asked for is not there any more. Choose another under the entry."


class InvalidReplyKind(Exception):  # noqa: N818 - an answer to the person, not a fault
    """Raised for a way of answering that cannot be kept; holds none of its words."""

    code: ClassVar[str] = "wish"

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence
