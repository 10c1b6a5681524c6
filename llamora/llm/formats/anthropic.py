"""Anthropic's Messages format, `/v1/messages`, according to the public API reference.

In a request, the instructions (`system`) are separate from the messages, and `max_tokens` is required. A
reply is a stream of events, each an object with a type:

    message_start         the number of tokens of the prompt
    content_block_start   the beginning of a block of text or thinking
    content_block_delta   text_delta, thinking_delta; others (signatures, citations) are no part of a reply
    content_block_stop, ping, and unknown types
                          are ignored
    message_delta         the reason for the end, and the number of tokens of the reply
    message_stop          the end
    error                 an error, possibly in the middle of a reply

How a request controls thinking depends on the model. Newer models accept an effort, and decide themselves how
much they think. Others accept a budget in tokens. A few accept neither.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from llamora.llm.deltas import ChatMessages, TokenUsage
from llamora.llm.errors import MalformedResponse, is_too_long
from llamora.llm.formats.payloads import PayloadReader, is_error, parse_object, parse_reason, raise_error
from llamora.llm.formats.wire_format import ANTHROPIC, WireFormat
from llamora.llm.requests.reply_request import REFUSALS, Refused, ReplyRequest, find_named, leave_out
from llamora.llm.requests.sampling import Sampling
from llamora.llm.sse import EventReader

API_VERSION: Final = "2023-06-01"
_NAMES: Final = {"temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "stop": "stop_sequences"}
_EFFORT: Final = "reasoning_effort"
_HIGHEST_TEMPERATURE: Final = 1
_EFFORTS: Final = {"minimal": "low", "low": "low", "medium": "medium", "high": "high"}
# Tokens of thinking where a model is given a budget, beside those of the reply.
_BUDGETS: Final = {"low": 1024, "medium": 4096, "high": 8192}
# Which of them may be set while a model thinks.
_ALLOWED_WHILE_THINKING: Final = frozenset({"stop_sequences"})
_STATUSES: Final = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
ADAPTIVE, BUDGET, NONE = "adaptive", "budget", ""


@dataclass(frozen=True, kw_only=True)
class MessagesShape:
    """Shape of requests in Anthropic's format: which optional parts of a request the server accepts."""

    thinking: str = ADAPTIVE
    has_effort: bool = True
    has_schema: bool = True
    refused: Refused = frozenset()

    def build_body(self, request: ReplyRequest) -> dict[str, Any]:
        """Return the body of a request for a streamed reply."""
        thinking, budget = self._build_thinking(request)
        body: dict[str, Any] = {
            **self._select_sampling(request),
            "model": request.model,
            "messages": self.build_messages(request.messages),
            "stream": True,
            "max_tokens": request.max_tokens + budget,
        }
        system = [message["content"] for message in request.messages if message["role"] == "system"]
        if any(text.strip() for text in system):
            body["system"] = "\n\n".join(system)
        if thinking:
            body["thinking"] = thinking
        if output := self._build_output(request, thinking):
            body["output_config"] = output
        return body

    def build_messages(self, messages: ChatMessages) -> list[Mapping[str, str]]:
        """Return the messages except instructions (sent apart) and empty ones (which the server refuses)."""
        return [message for message in messages if message["role"] != "system" and message["content"].strip()]

    def adapt_to_refusal(self, status: int, body: bytes, *, request: ReplyRequest) -> "MessagesShape | None":
        """Return a new shape whose requests omit what the server refused, or None if that is unknown.

        `status` and `body` are those of the server's response to `request`.
        """
        text = body[:4096].lower()
        if status not in REFUSALS or is_too_long(status, text):
            return None
        other = self
        sent = self.build_body(request)
        named = find_named(text, self._select_sampling(request))
        if "output_config" in sent and (b"effort" in text or b"output_config" in text):
            is_effort = "effort" in sent["output_config"] and b"format" not in text
            other = replace(self, has_effort=False) if is_effort else replace(self, has_schema=False)
        elif "thinking" in sent and (b"thinking" in text or b"budget_tokens" in text):
            other = replace(self, thinking=BUDGET if self.thinking == ADAPTIVE else NONE)
        elif named:
            # Of two that can't be set together, one is enough.
            both = {name for name, _ in named} == {"temperature", "top_p"}
            other = replace(
                self, refused=self.refused | {one for one in named if not both or one[0] == "top_p"}
            )
        return other if other != self else None

    def _build_thinking(self, request: ReplyRequest) -> tuple[dict[str, Any], int]:
        """Return the field `thinking` of a request, and the tokens of thinking to add to `max_tokens`."""
        effort = request.sampling.get(_EFFORT)
        if effort is None or self.thinking == NONE:
            return {}, 0
        if effort == "none":
            return {"type": "disabled"}, 0
        if self.thinking == ADAPTIVE:
            return {"type": "adaptive"}, 0
        budget = _BUDGETS[_EFFORTS[effort]]
        return {"type": "enabled", "budget_tokens": budget}, budget

    def _build_output(self, request: ReplyRequest, thinking: Mapping[str, Any]) -> dict[str, Any]:
        output: dict[str, Any] = {}
        if thinking.get("type") == "adaptive" and self.has_effort:
            output["effort"] = _EFFORTS[request.sampling[_EFFORT]]
        if request.schema is not None and self.has_schema:
            output["format"] = {"type": "json_schema", "schema": request.schema}
        return output

    def _select_sampling(self, request: ReplyRequest) -> dict[str, Any]:
        known = {
            _NAMES[name]: value
            for name, value in request.sampling.items()
            if name in _NAMES and _is_in_range(name, value)
        }
        if self._build_thinking(request)[0].get("type") in ("adaptive", "enabled"):
            known = {name: value for name, value in known.items() if name in _ALLOWED_WHILE_THINKING}
        return leave_out(known, self.refused)


class MessagesReader(PayloadReader):
    """Reader of a reply, from its events or from one whole response."""

    def __init__(self) -> None:
        super().__init__()
        self._prompt_tokens = 0

    def read(self, payload: bytes) -> None:
        """Read the text, the thinking and the end of the reply from one event."""
        text = payload.decode("utf-8", "surrogateescape").strip()
        while text:
            event, end = parse_object(text)
            self._read_event(event)
            text = text[end:].lstrip()

    def _read_event(self, event: dict[str, Any]) -> None:
        kind = event.get("type")
        if kind == "content_block_delta":
            self._read_block(event.get("delta"))
        elif kind == "content_block_start":
            self._read_block(event.get("content_block"))
        elif kind == "message_start":
            message = event.get("message")
            self._read_usage(message.get("usage") if isinstance(message, dict) else None)
        elif kind == "message_delta":
            self._read_end(event.get("delta"), event.get("usage"))
        elif kind == "message_stop":
            self.ended = True
        elif kind == "message":
            self._read_whole(event)
        elif event.get("error") or is_error(event):
            error = event.get("error")
            name = error.get("type") if isinstance(error, dict) else None
            raise_error(event, status=_STATUSES.get(name) if isinstance(name, str) else None)

    def _read_block(self, block: object) -> None:
        if not isinstance(block, dict):
            raise MalformedResponse
        kind = block.get("type")
        if kind in ("text", "text_delta") and isinstance(block.get("text"), str):
            self.text.append(block["text"])
        elif kind in ("thinking", "thinking_delta") and isinstance(block.get("thinking"), str):
            self.thought.append(block["thinking"])

    def _read_end(self, delta: object, usage: object) -> None:
        if isinstance(delta, dict) and delta.get("stop_reason"):
            self.reason = parse_reason(delta["stop_reason"])
        self._read_usage(usage)

    def _read_whole(self, message: dict[str, Any]) -> None:
        blocks = message.get("content")
        if not isinstance(blocks, list):
            raise MalformedResponse
        for block in blocks:
            self._read_block(block)
        self.reason = parse_reason(message.get("stop_reason") or "end_turn")
        self._read_usage(message.get("usage"))
        self.ended = True

    def _read_usage(self, usage: object) -> None:
        """Read the numbers of tokens.

        That of the prompt comes at the beginning of the stream, without cached tokens, which are added here.
        """
        if not isinstance(usage, dict):
            return
        parts = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
        prompt = sum(usage[name] for name in parts if isinstance(usage.get(name), int))
        self._prompt_tokens = prompt or self._prompt_tokens
        if isinstance(reply := usage.get("output_tokens"), int):
            self.usage = TokenUsage(self._prompt_tokens, reply)


def build_headers(api_key: str) -> dict[str, str]:
    """Return the headers of a request: the version of the format, and the key if there is one."""
    headers = {"anthropic-version": API_VERSION}
    return {**headers, "x-api-key": api_key} if api_key else headers


def find_unsupported(sampling: Sampling) -> list[str]:
    """Return the names of the given parameters that this format does not support with these values."""
    return [
        name
        for name, value in sampling.items()
        if name != _EFFORT and not (name in _NAMES and _is_in_range(name, value))
    ]


def _is_in_range(name: str, value: Any) -> bool:
    return name != "temperature" or value <= _HIGHEST_TEMPERATURE


MESSAGES = WireFormat(
    name=ANTHROPIC,
    title="Anthropic Messages",
    path="/v1/messages",
    usual_shape=MessagesShape(),
    build_splitter=EventReader,
    build_reader=MessagesReader,
    build_headers=build_headers,
    find_unsupported=find_unsupported,
)
