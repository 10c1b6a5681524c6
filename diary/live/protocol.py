"""Frames that a tab sends on the live socket: ids, never text. Pure.

{"type": "watch", "day": "2026-11-20", "owner": "<uuid>"}         follow the replies of this day
{"type": "watch", "conversation": "<uuid>", "owner": "<uuid>"}    follow the answers of this conversation
{"type": "again", "reply": "<uuid>"}                              send this reply again from its beginning
"""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from diary.days import parse_day


class MalformedFrame(Exception):  # noqa: N818 - states what is the case
    """Raised for a frame that our pages never send. The error contains nothing of the frame."""


@dataclass(frozen=True)
class WatchRequest:
    """A request to follow the generations of one page. `subject` is its day, or its conversation's id.

    `owner` is the person whose page it is.
    """

    subject: date | UUID
    owner: UUID


@dataclass(frozen=True)
class RestartRequest:
    """A request to send the text of a reply or an answer once more, from its beginning."""

    reply: UUID


def parse_frame(text: str) -> WatchRequest | RestartRequest:
    """Return the request in a frame; raise MalformedFrame."""
    try:
        return _parse_request(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        # `from None`: the error of the parser contains the frame.
        raise MalformedFrame from None


def _parse_request(frame: Any) -> WatchRequest | RestartRequest:
    match frame["type"]:
        case "watch":
            is_day = "day" in frame
            subject = parse_day(frame["day"]) if is_day else UUID(frame["conversation"])
            return WatchRequest(subject=subject, owner=UUID(frame["owner"]))
        case "again":
            return RestartRequest(reply=UUID(frame["reply"]))
    raise MalformedFrame
