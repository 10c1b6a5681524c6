"""Parser of a streamed reply, from bytes to deltas.

bytes -> events (sse) -> text and thought (JSON) -> whole characters (surrogates) -> no markup (think_filter)
"""

import json
from typing import Any

from llamora.llm.deltas import Delta, StreamEnd, TokenUsage
from llamora.llm.errors import (
    ConnectionDropped,
    MalformedResponse,
    ModelError,
    RepetitionDetected,
    error_for_response,
)
from llamora.llm.repetition import RepetitionDetector
from llamora.llm.sse import EventReader
from llamora.llm.surrogates import SurrogateJoiner
from llamora.llm.think_filter import ThinkFilter

_DONE = b"[DONE]"
_THOUGHT_FIELDS = ("reasoning_content", "reasoning", "thinking")
_scan = json.JSONDecoder().raw_decode


def _parse_event(payload: bytes) -> dict[str, Any]:
    """Return an event as an object; bytes that are not UTF-8 become surrogates, for `SurrogateJoiner`."""
    try:
        event, _ = _scan(payload.decode("utf-8", "surrogateescape").lstrip())
    except (ValueError, RecursionError):
        raise MalformedResponse from None
    if not isinstance(event, dict):
        raise MalformedResponse
    return event


def _get_content_text(content: object) -> str:
    """Return the text of a `content` field: a string, or a list of typed parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    texts = (part.get("text") for part in parts if isinstance(part, dict))
    return "".join(text for text in texts if isinstance(text, str))


def _parse_usage(counts: object) -> TokenUsage | None:
    if not isinstance(counts, dict):
        return None
    prompt, reply = counts.get("prompt_tokens"), counts.get("completion_tokens")
    return TokenUsage(prompt, reply) if isinstance(prompt, int) and isinstance(reply, int) else None


class StreamParser:
    """Parser of one reply; set `thinks_first` if the model's replies are known to begin inside thinking."""

    def __init__(self, *, thinks_first: bool = False) -> None:
        self.ended = False
        self._events = EventReader()
        self._think_filter = ThinkFilter(thinks_first=thinks_first)
        self._joiners = (SurrogateJoiner(), SurrogateJoiner())
        self._detectors = (RepetitionDetector(), RepetitionDetector())
        self._reason: str | None = None
        self._usage: TokenUsage | None = None
        # The error after the last text of a read; raised by `close`, once that text was returned.
        self._broken: ModelError | None = None
        self._text: list[str] = []
        self._thought: list[str] = []
        # Events since the last delta: some only add to a character or a tag that is not complete yet.
        self._pieces = 0

    def feed(self, chunk: bytes) -> Delta | None:
        """Return the text that this chunk adds to the reply, or None."""
        return self._parse_events(self._events.feed(chunk))

    def close(self) -> Delta | None:
        """Return the rest of the reply; raise a ModelError if the stream ended too early."""
        if self._broken is not None:
            raise self._broken
        try:
            last = self._parse_events(self._events.close())
        except MalformedResponse:
            # Half an event is a stream that broke off.
            raise ConnectionDropped from None
        if not self.ended and self._reason is None:
            raise ConnectionDropped
        text, thought, _ = self._think_filter.close(is_whole=self._reason != "length")
        if text or thought:
            last = last or Delta()
            last = last._replace(text=last.text + text, thought=last.thought + thought)
        return last and last._replace(pieces=last.pieces + self._pieces)

    @property
    def thinks_first_was_wrong(self) -> bool:
        """Whether the reply did not begin inside thinking although `thinks_first` was set."""
        return self._think_filter.thinks_first_was_wrong

    def finish(self) -> StreamEnd:
        """Return the end of the stream: its reason and its numbers of tokens."""
        return StreamEnd(self._reason or "stop", self._usage)

    def _parse_events(self, payloads: list[bytes]) -> Delta | None:
        for payload in payloads:
            try:
                self._read_event(payload)
            except ModelError as error:
                if not self._text and not self._thought:
                    raise
                self._broken, self.ended = error, True
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
        if self._detectors[0].feed(filtered.text) or (thought and self._detectors[1].feed(thought)):
            raise RepetitionDetected
        if filtered.text or thought or filtered.withdraw:
            pieces, self._pieces = self._pieces, 0
            return Delta(filtered.text, thought, pieces, filtered.withdraw)
        return None

    def _read_event(self, payload: bytes) -> None:
        """Read the text, the thinking and the end of the reply from one event."""
        if payload.strip() == _DONE:
            self.ended = True
            return
        event = _parse_event(payload)
        choices = event.get("choices")
        if choices:
            self._read_choice(choices)
        elif "error" in event:
            self._raise_error(event["error"], payload)
        if event.get("usage"):
            self._usage = _parse_usage(event["usage"])

    def _read_choice(self, choices: object) -> None:
        choice = choices[0] if isinstance(choices, list) else None
        if not isinstance(choice, dict):
            raise MalformedResponse
        message = choice.get("delta") or choice.get("message") or {}
        if not isinstance(message, dict):
            raise MalformedResponse
        if content := message.get("content"):
            self._text.append(_get_content_text(content))
        for field in _THOUGHT_FIELDS:
            if field in message and isinstance(message[field], str) and message[field]:
                self._thought.append(message[field])
                break
        if reason := choice.get("finish_reason"):
            self._reason = "length" if reason == "length" else "stop"

    def _raise_error(self, error: object, payload: bytes) -> None:
        status = error.get("code") if isinstance(error, dict) else None
        raise error_for_response(status if isinstance(status, int) else 500, payload)
