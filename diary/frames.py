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


class Malformed(Exception):  # noqa: N818 - states what is the case
    """A frame that no page of ours sends."""


@dataclass(frozen=True)
class Watch:
    """Asks for the replies of a day, for the person the page belongs to."""

    day: date
    owner: UUID


@dataclass(frozen=True)
class Again:
    """Asks for one reply from the beginning."""

    reply: UUID


def parse(text: str) -> Watch | Again:
    """Return what a frame asks for; raise Malformed."""
    try:
        return _asked(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        # `from None`: the parser's error carries the frame.
        raise Malformed from None


def _asked(frame: Any) -> Watch | Again:
    match frame["type"]:
        case "watch":
            return Watch(day=parse_day(frame["day"]), owner=UUID(frame["owner"]))
        case "again":
            return Again(reply=UUID(frame["reply"]))
    raise Malformed
