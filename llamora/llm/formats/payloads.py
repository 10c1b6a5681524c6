"""Base class of the readers of streamed events, one for each wire format, and errors in such events."""

import json
from abc import ABC, abstractmethod
from typing import Any

from llamora.llm.deltas import TokenUsage
from llamora.llm.errors import MalformedResponse, error_for_response

# How servers name a reply that was cut off at its limit; those that filtered it; those that failed.
_LENGTH_REASONS = frozenset(
    {"length", "max_tokens", "model_length", "max_output_tokens", "model_context_window_exceeded"}
)
_FILTER_REASONS = frozenset(
    {
        "content_filter",
        "safety",
        "refusal",
        "recitation",
        "prohibited_content",
        "blocklist",
        "spii",
        "sensitive",
    }
)
_FAILURE_REASONS = frozenset({"error", "abort", "cancelled"})
_scan = json.JSONDecoder().raw_decode


class PayloadReader(ABC):
    """Base class that collects the text, the thinking and the end of one reply from its events.

    Each wire format has a subclass.

    text, thought   text and thinking that the parser has not fetched yet
    reason          the reason for the end, once an event has stated it
    usage           the numbers of tokens, once an event has stated them
    ended           whether the reply is over, so that later events are ignored
    """

    def __init__(self) -> None:
        self.text: list[str] = []
        self.thought: list[str] = []
        self.reason: str | None = None
        self.usage: TokenUsage | None = None
        self.ended = False

    @abstractmethod
    def read(self, payload: bytes) -> None:
        """Read the text, the thinking and the end of the reply from one event; raise a ModelError."""


def parse_object(text: str) -> tuple[dict[str, Any], int]:
    """Return the first JSON object in a text, and its end; raise MalformedResponse."""
    try:
        found = _scan(text)
    except (ValueError, RecursionError):
        raise MalformedResponse from None
    if not isinstance(found[0], dict):
        raise MalformedResponse
    return found


def parse_reason(reason: object) -> str:
    """Return our name for the reason for which a reply ended: stop, length, content_filter or error."""
    name = str(reason).lower()
    if name in _LENGTH_REASONS:
        return "length"
    if name in _FILTER_REASONS:
        return "content_filter"
    return "error" if name in _FAILURE_REASONS else "stop"


def is_error(event: dict[str, Any]) -> bool:
    """Return whether an event reports an error without a field `error`, as some servers do."""
    return bool(event.get("detail")) or (
        isinstance(event.get("message"), str) or "error" in (event.get("object"), event.get("type"))
    )


def raise_error(event: dict[str, Any], *, status: int | None = None) -> None:
    """Raise the ModelError that an event reports; `status` is its HTTP status, if the event states one."""
    error = event.get("error") or event
    found = error.get("code") if isinstance(error, dict) and status is None else status
    raise error_for_response(found if isinstance(found, int) else 500, json.dumps(event).encode())
