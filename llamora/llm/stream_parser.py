"""Parser of a streamed reply, from bytes to deltas.

bytes -> events (sse) -> text and thought (JSON) -> whole characters (surrogates) -> no markup (think_filter)
"""

import json
from typing import Any

from llamora.llm.deltas import Delta, StreamEnd, TokenUsage
from llamora.llm.errors import (
    ConnectionDropped,
    ContentFiltered,
    MalformedResponse,
    ModelError,
    ModelServerFailed,
    RepetitionDetected,
    ThoughtUntilLimit,
    error_for_response,
)
from llamora.llm.repetition import RepetitionDetector
from llamora.llm.sse import DONE, EventReader
from llamora.llm.surrogates import SurrogateJoiner
from llamora.llm.think_filter import ThinkFilter

_THOUGHT_FIELDS = ("reasoning_content", "reasoning", "thinking")
_THOUGHT_PARTS = frozenset({"thinking", "reasoning", "thought"})
# How servers name a reply that was cut off at its limit; those that filtered it; those that failed.
_LENGTH_REASONS = frozenset({"length", "max_tokens", "model_length", "max_output_tokens"})
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


def _parse_event(text: str) -> tuple[dict[str, Any], int]:
    """Return the first object of a text, and its end."""
    try:
        found = _scan(text)
    except (ValueError, RecursionError):
        raise MalformedResponse from None
    if not isinstance(found[0], dict):
        raise MalformedResponse
    return found


def _read_part(part: object) -> tuple[str, bool]:
    """Return the text of one part of a content, and whether it is thinking."""
    if isinstance(part, str):
        return part, False
    if not isinstance(part, dict):
        return "", False
    is_thought = part.get("type") in _THOUGHT_PARTS or part.get("thought") is True
    found = part.get("thinking") or part.get("text")
    if isinstance(found, list):
        found = "".join(_read_part(inner)[0] for inner in found)
    return (found if isinstance(found, str) else ""), is_thought


def _is_error(event: dict[str, Any]) -> bool:
    """Return whether an event without a choice and without `error` reports an error, as some servers do."""
    return bool(event.get("detail")) or (
        isinstance(event.get("message"), str) or "error" in (event.get("object"), event.get("type"))
    )


def _find_first_reply(choices: object) -> dict[str, Any] | None:
    """Return the choice with the index 0, if it is among these."""
    found = choices if isinstance(choices, list) else []
    return next((choice for choice in found if isinstance(choice, dict) and not choice.get("index")), None)


def _parse_usage(counts: object) -> TokenUsage | None:
    if not isinstance(counts, dict):
        return None
    prompt, reply = counts.get("prompt_tokens"), counts.get("completion_tokens")
    return TokenUsage(prompt, reply) if isinstance(prompt, int) and isinstance(reply, int) else None


def _parse_reason(reason: object) -> str:
    """Return why the reply ended in our words: stop, length, content_filter or error."""
    name = str(reason).lower()
    if name in _LENGTH_REASONS:
        return "length"
    if name in _FILTER_REASONS:
        return "content_filter"
    return "error" if name in _FAILURE_REASONS else "stop"


class StreamParser:
    """Parser of one reply; set `thinks_first` if the model's replies are known to begin inside thinking."""

    def __init__(self, *, thinks_first: bool = False) -> None:
        self.ended = False
        self._events = EventReader()
        self._think_filter = ThinkFilter(thinks_first=thinks_first)
        self._joiners = (SurrogateJoiner(), SurrogateJoiner())
        self._detectors = (RepetitionDetector(), RepetitionDetector())
        self._reason: str | None = None
        self._has_thought = False
        self._usage: TokenUsage | None = None
        # The error after the last text of a read; raised by `close` or `finish`, once that text was returned.
        self._broken: ModelError | None = None
        self._text: list[str] = []
        self._thought: list[str] = []
        # Events since the last delta: some only add to a character or a tag that is not complete yet.
        self._pieces = 0

    def feed(self, chunk: bytes) -> Delta | None:
        """Return the text that this chunk adds to the reply, or None."""
        return self._parse_events(self._events.feed(chunk))

    def close(self) -> Delta | None:
        """Return the rest of the reply; raise a ModelError if the stream ended too early, or badly."""
        if self._broken is not None:
            raise self._broken
        try:
            # After the end, the rest may be half an event.
            last = None if self.ended else self._parse_events(self._events.close())
        except MalformedResponse:
            # Half an event is a stream that broke off.
            raise ConnectionDropped from None
        if not self.ended and self._reason is None:
            raise ConnectionDropped
        text, thought, _ = self._think_filter.close(is_whole=self._reason != "length")
        self._has_thought |= bool(thought)
        if text or thought:
            last = last or Delta()
            last = last._replace(text=last.text + text, thought=last.thought + thought)
        return last and last._replace(pieces=last.pieces + self._pieces)

    @property
    def thinks_first_was_wrong(self) -> bool:
        """Whether the reply did not begin inside thinking although `thinks_first` was set."""
        return self._think_filter.thinks_first_was_wrong

    def finish(self) -> StreamEnd:
        """Return the end of the stream: its reason and its numbers of tokens.

        Raise a ModelError if the server says that this is not the model's own end.
        """
        if self._broken is not None:
            raise self._broken
        if self._reason == "content_filter":
            raise ContentFiltered
        if self._reason == "error":
            raise ModelServerFailed
        if self._reason == "length" and self._has_thought and not self._think_filter.has_text:
            raise ThoughtUntilLimit
        return StreamEnd(self._reason or "stop", self._usage)

    def _parse_events(self, payloads: list[bytes]) -> Delta | None:
        for payload in payloads:
            try:
                self._read_event(payload)
            except ModelError as error:
                if not self._text and not self._thought:
                    raise
                self._broken, self.ended = error, True
            if self.ended:
                # What follows in the same read is no part of this reply.
                break
        if not self._text and not self._thought:
            return None
        self._pieces += len(self._text) + len(self._thought)
        text, thought = "".join(self._text), "".join(self._thought)
        self._text.clear()
        self._thought.clear()
        return self._build_delta(text, thought)

    def _build_delta(self, text: str, apart: str) -> Delta | None:
        text, apart = self._joiners[0].feed(text), self._joiners[1].feed(apart)
        filtered = self._think_filter.feed(text, thought_apart=bool(apart))
        thought = apart + filtered.thought
        if self._think_filter.ended:
            self.ended = True
        if thought:
            self._has_thought = True
        if self._detectors[0].feed(filtered.text) or (thought and self._detectors[1].feed(thought)):
            # The text before the repetition may have come in the same read.
            self._broken, self.ended = RepetitionDetected(), True
        if filtered.text or thought or filtered.withdraw:
            pieces, self._pieces = self._pieces, 0
            return Delta(filtered.text, thought, pieces, filtered.withdraw)
        return None

    def _read_event(self, payload: bytes) -> None:
        """Read the text, the thinking and the end of the reply from one event."""
        if payload.endswith(DONE) and payload.strip() == DONE:
            self.ended = True
            return
        # Bytes that are not UTF-8 become surrogates, for `SurrogateJoiner`.
        text = payload.decode("utf-8", "surrogateescape").lstrip()
        while True:
            event, end = _parse_event(text)
            choices = event.get("choices")
            if choices:
                self._read_choices(choices)
            if event.get("error") or (not choices and _is_error(event)):
                self._raise_error(event)
            if usage := event.get("usage"):
                self._usage = _parse_usage(usage)
            # More objects without a blank line between them, or without any.
            if end == len(text) or not (text := text[end:].lstrip()).startswith("{"):
                break

    def _read_choices(self, choices: object) -> None:
        choice = choices[0] if isinstance(choices, list) else None
        if not isinstance(choice, dict):
            raise MalformedResponse
        if choice.get("index"):
            # One of several replies, of which only the first is read.
            if (found := _find_first_reply(choices)) is None:
                return
            choice = found
        message = choice.get("delta")
        if message is None:
            message = choice.get("message") or {}
            # A whole response needs no end.
            self._reason = self._reason or ("stop" if message else None)
        if not isinstance(message, dict):
            raise MalformedResponse
        if content := message.get("content") or message.get("refusal"):
            if isinstance(content, str):
                self._text.append(content)
            else:
                self._read_parts(content)
        for field in _THOUGHT_FIELDS:
            if field in message and isinstance(message[field], str) and message[field]:
                self._thought.append(message[field])
                break
        if reason := choice.get("finish_reason"):
            self._reason = _parse_reason(reason)

    def _read_parts(self, content: object) -> None:
        """Read a content that is a list of typed parts."""
        for part in content if isinstance(content, list) else []:
            text, is_thought = _read_part(part)
            (self._thought if is_thought else self._text).append(text)

    def _raise_error(self, event: dict[str, Any]) -> None:
        error = event.get("error") or event
        status = error.get("code") if isinstance(error, dict) else None
        raise error_for_response(status if isinstance(status, int) else 500, json.dumps(event).encode())
