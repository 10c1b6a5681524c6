"""OpenAI's format, `/v1/chat/completions`, with all that other servers do differently."""

from typing import Any

from llamora.llm.deltas import TokenUsage
from llamora.llm.errors import MalformedResponse
from llamora.llm.formats.payloads import PayloadReader, is_error, parse_object, parse_reason, raise_error
from llamora.llm.formats.wire_format import OPENAI, WireFormat, build_bearer_header
from llamora.llm.requests.forms import USUAL_FORM
from llamora.llm.requests.sampling import Sampling
from llamora.llm.sse import DONE, EventReader

_THOUGHT_FIELDS = ("reasoning_content", "reasoning", "thinking")
_THOUGHT_PARTS = frozenset({"thinking", "reasoning", "thought"})


class ChatCompletionReader(PayloadReader):
    """Reader of the chunks of a chat completion, and of a whole one."""

    def read(self, payload: bytes) -> None:
        """Read the text, the thinking and the end of the reply from one event."""
        if payload.endswith(DONE) and payload.strip() == DONE:
            self.ended = True
            return
        # Bytes that are not UTF-8 become surrogates, for `SurrogateJoiner`.
        text = payload.decode("utf-8", "surrogateescape").lstrip()
        while True:
            event, end = parse_object(text)
            choices = event.get("choices")
            if choices:
                self._read_choices(choices)
            if event.get("error") or (not choices and is_error(event)):
                raise_error(event)
            if usage := event.get("usage"):
                self.usage = _parse_usage(usage)
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
            self.reason = self.reason or ("stop" if message else None)
        if not isinstance(message, dict):
            raise MalformedResponse
        if content := message.get("content") or message.get("refusal"):
            if isinstance(content, str):
                self.text.append(content)
            else:
                self._read_parts(content)
        for field in _THOUGHT_FIELDS:
            if field in message and isinstance(message[field], str) and message[field]:
                self.thought.append(message[field])
                break
        if reason := choice.get("finish_reason"):
            self.reason = parse_reason(reason)

    def _read_parts(self, content: object) -> None:
        """Read a content that is a list of typed parts."""
        for part in content if isinstance(content, list) else []:
            text, is_thought = _read_part(part)
            (self.thought if is_thought else self.text).append(text)


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


def _find_first_reply(choices: object) -> dict[str, Any] | None:
    """Return the choice with the index 0, if it is among these."""
    found = choices if isinstance(choices, list) else []
    return next((choice for choice in found if isinstance(choice, dict) and not choice.get("index")), None)


def _parse_usage(counts: object) -> TokenUsage | None:
    if not isinstance(counts, dict):
        return None
    prompt, reply = counts.get("prompt_tokens"), counts.get("completion_tokens")
    return TokenUsage(prompt, reply) if isinstance(prompt, int) and isinstance(reply, int) else None


def _find_unknown(sampling: Sampling) -> list[str]:
    """Return nothing: what a server does not know is told by the server, in a refusal."""
    del sampling
    return []


CHAT_COMPLETIONS = WireFormat(
    name=OPENAI,
    title="OpenAI-compatible",
    path="/v1/chat/completions",
    usual_shape=USUAL_FORM,
    build_splitter=EventReader,
    build_reader=ChatCompletionReader,
    build_headers=build_bearer_header,
    find_unknown=_find_unknown,
)
