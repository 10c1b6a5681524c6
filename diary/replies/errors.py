"""Errors of replies, with stable codes and a sentence for the person.

ReplyRefused             refused    a reply was not started
    TooManyReplies       too_many   the person has too many replies in progress
    NoModel              no_model   there is no model to write it
    EntryDamaged         damaged    the entry cannot be decrypted
    ReplyKindNotFound    style_deleted   its custom reply style was deleted
    ReplyKindUntrusted   style_imported  its custom reply style came with an import
    SkillNotApproved     skill_not_approved  the present revision of its skill was not approved
InvalidReplyKind         invalid_style   the fields of a custom reply style are invalid
"""

from typing import ClassVar

from diary import messages


class ReplyRefused(Exception):  # noqa: N818 - an answer to the person, not a fault
    """Base of the errors of a reply that cannot be started."""

    code: ClassVar[str] = "refused"
    sentence: str = messages.REPLY_REFUSED

    def __str__(self) -> str:
        return self.code


class TooManyReplies(ReplyRefused):
    """Raised when a person already has the maximum number of replies in progress."""

    code = "too_many"
    sentence = messages.TOO_MANY_REPLIES


class NoModel(ReplyRefused):
    """Raised when there is no model that could write a reply; the sentence says why."""

    code = "no_model"

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence


class EntryDamaged(ReplyRefused):
    """Raised when the entry to reply to cannot be decrypted."""

    code = "damaged"
    sentence = messages.NO_REPLY_TO_DAMAGED


class ReplyKindNotFound(ReplyRefused):
    """Raised when a reply is retried in a custom style that was deleted."""

    code = "style_deleted"
    sentence = messages.REPLY_STYLE_DELETED


class ReplyKindUntrusted(ReplyRefused):
    """Raised when a reply is requested in an imported style that the person has not claimed."""

    code = "style_imported"
    sentence = messages.REPLY_STYLE_IMPORTED


class SkillNotApproved(ReplyRefused):
    """Raised when a reply is requested in the style of a skill whose present revision is not approved."""

    code = "skill_not_approved"
    sentence = messages.SKILL_NOT_APPROVED


class InvalidReplyKind(Exception):  # noqa: N818 - an answer to the person, not a fault
    """Raised for invalid fields of a custom reply style; does not quote them."""

    code: ClassVar[str] = "invalid_style"

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence
