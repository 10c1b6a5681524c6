"""From the bytes of a streamed reply to deltas.

bytes -> events (sse) -> text and thought (JSON) -> whole characters -> without markup -> Delta
"""

import json
from typing import Any

from llamora.llm.characters import Mender
from llamora.llm.deltas import Delta, Finish, Usage
from llamora.llm.errors import Dropped, Malformed, ModelError, Repetition, from_answer
from llamora.llm.markup import Sieve
from llamora.llm.repetition import Guard
from llamora.llm.sse import EventReader

_DONE = b"[DONE]"
_THOUGHT_FIELDS = ("reasoning_content", "reasoning", "thinking")
_scan = json.JSONDecoder().raw_decode


def _parsed(payload: bytes) -> dict[str, Any]:
    """The event as an object. Bytes that are no UTF-8 stay as halves for the mender."""
    try:
        event, _ = _scan(payload.decode("utf-8", "surrogateescape").lstrip())
    except (ValueError, RecursionError):
        raise Malformed from None
    if not isinstance(event, dict):
        raise Malformed
    return event


def _plain(content: object) -> str:
    """Text of a `content` field: a string, or a list of typed parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    texts = (part.get("text") for part in parts if isinstance(part, dict))
    return "".join(text for text in texts if isinstance(text, str))


def _usage(counts: object) -> Usage | None:
    if not isinstance(counts, dict):
        return None
    prompt, reply = counts.get("prompt_tokens"), counts.get("completion_tokens")
    return Usage(prompt, reply) if isinstance(prompt, int) and isinstance(reply, int) else None


class Reading:
    """One reply as it comes in; `thinks_first` when its model is known to begin in the midst of thinking."""

    def __init__(self, *, thinks_first: bool = False) -> None:
        self.ended = False
        self._events = EventReader()
        self._sieve = Sieve(thinks_first=thinks_first)
        self._menders = (Mender(), Mender())
        self._guards = (Guard(), Guard())
        self._reason: str | None = None
        self._usage: Usage | None = None
        # What broke the stream off behind words that came with it; raised by `close`, once they are told.
        self._broken: ModelError | None = None
        self._text: list[str] = []
        self._thought: list[str] = []
        # Events since the last delta: some only add to a character or a tag that is not whole yet.
        self._pieces = 0

    def feed(self, chunk: bytes) -> Delta | None:
        """What this chunk adds for a person to read."""
        return self._delta(self._events.feed(chunk))

    def close(self) -> Delta | None:
        """The last of it; raises when the stream broke off before its end."""
        if self._broken is not None:
            raise self._broken
        try:
            last = self._delta(self._events.close())
        except Malformed:
            # Half an event is a stream that broke off.
            raise Dropped from None
        if not self.ended and self._reason is None:
            raise Dropped
        text, thought, _ = self._sieve.close(is_whole=self._reason != "length")
        if text or thought:
            last = last or Delta()
            last = last._replace(text=last.text + text, thought=last.thought + thought)
        return last and last._replace(pieces=last.pieces + self._pieces)

    @property
    def was_wrong(self) -> bool:
        """Whether the model did not begin with thinking where it was held to."""
        return self._sieve.was_wrong

    def finish(self) -> Finish:
        """How it ended."""
        return Finish(self._reason or "stop", self._usage)

    def _delta(self, payloads: list[bytes]) -> Delta | None:
        for payload in payloads:
            try:
                self._take(payload)
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
        return self._sorted(text, thought)

    def _sorted(self, text: str, apart: str) -> Delta | None:
        text, apart = self._menders[0].feed(text), self._menders[1].feed(apart)
        sifted = self._sieve.feed(text, thought_apart=bool(apart))
        thought = apart + sifted.thought
        if self._sieve.ended:
            self.ended = True
        if self._guards[0].feed(sifted.text) or (thought and self._guards[1].feed(thought)):
            raise Repetition
        if sifted.text or thought or sifted.withdraw:
            pieces, self._pieces = self._pieces, 0
            return Delta(sifted.text, thought, pieces, sifted.withdraw)
        return None

    def _take(self, payload: bytes) -> None:
        """One event."""
        if payload.strip() == _DONE:
            self.ended = True
            return
        event = _parsed(payload)
        choices = event.get("choices")
        if choices:
            self._take_choice(choices)
        elif "error" in event:
            self._refuse(event["error"], payload)
        if event.get("usage"):
            self._usage = _usage(event["usage"])

    def _take_choice(self, choices: object) -> None:
        choice = choices[0] if isinstance(choices, list) else None
        if not isinstance(choice, dict):
            raise Malformed
        said = choice.get("delta") or choice.get("message") or {}
        if not isinstance(said, dict):
            raise Malformed
        if content := said.get("content"):
            self._text.append(_plain(content))
        for field in _THOUGHT_FIELDS:
            if field in said and isinstance(said[field], str) and said[field]:
                self._thought.append(said[field])
                break
        if reason := choice.get("finish_reason"):
            self._reason = "length" if reason == "length" else "stop"

    def _refuse(self, error: object, payload: bytes) -> None:
        status = error.get("code") if isinstance(error, dict) else None
        raise from_answer(status if isinstance(status, int) else 500, payload)
