"""What a tab says on the live socket: ids, never text. Pure.

{"type": "watch", "day": "2026-11-20", "owner": "<uuid>"}   tell me of this day's replies
{"type": "again", "reply": "<uuid>"}                        I missed something; all of it again

Malformed   the frame is none of these; it is not repeated here
"""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from diary.days import parse_day


class MalformedFrame(Exception):  # noqa: N818 - states what is the case
    """A frame that no page of ours sends."""


@dataclass(frozen=True)
class WatchRequest:
    """Asks for the replies of a day, for the person the page belongs to."""

    day: date
    owner: UUID


@dataclass(frozen=True)
class RestartRequest:
    """Asks for one reply from the beginning."""

    reply: UUID


def parse_frame(text: str) -> WatchRequest | RestartRequest:
    """Return what a frame asks for; raise Malformed."""
    try:
        return _parse_request(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        # `from None`: the parser's error carries the frame.
        raise MalformedFrame from None


def _parse_request(frame: Any) -> WatchRequest | RestartRequest:
    match frame["type"]:
        case "watch":
            return WatchRequest(day=parse_day(frame["day"]), owner=UUID(frame["owner"]))
        case "again":
            return RestartRequest(reply=UUID(frame["reply"]))
    raise MalformedFrame
