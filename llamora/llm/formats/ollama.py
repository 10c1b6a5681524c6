"""Ollama's own format, `/api/chat`, according to its public reference.

Only this format can set the context window with which Ollama loads the model (`num_ctx`). With OpenAI's
format, Ollama uses a small default, and silently cuts off the beginning of a longer prompt. Here the request
sets `truncate` to false, so that a prompt that is too long is an error.

A reply is a stream of JSON lines:

    {"message": {"content": "It ", "thinking": ""}, "done": false}
    {"message": {"content": ""}, "done": true, "done_reason": "stop", "prompt_eval_count": 9, "eval_count": 5}
    {"error": "..."}

    think         whether the model thinks, and for a few models how much: low, medium, high
    keep_alive    how long the model stays loaded after the reply
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from llamora.llm.deltas import ChatMessages, TokenUsage
from llamora.llm.errors import MalformedResponse, is_too_long
from llamora.llm.formats.json_lines import LineSplitter
from llamora.llm.formats.payloads import PayloadReader, is_error, parse_object, parse_reason, raise_error
from llamora.llm.formats.wire_format import OLLAMA, WireFormat, build_bearer_header
from llamora.llm.requests.reply_request import (
    NO_THINKING_SIGN,
    REFUSALS,
    Refused,
    ReplyRequest,
    find_named,
    leave_out,
)
from llamora.llm.requests.sampling import THINKING, Sampling

_OPTIONS: Final = frozenset(
    {
        "temperature",
        "top_p",
        "top_k",
        "min_p",
        "repeat_penalty",
        "stop",
        "seed",
        "presence_penalty",
        "frequency_penalty",
        "repeat_last_n",
        "typical_p",
        "mirostat",
        "mirostat_tau",
        "mirostat_eta",
    }
)
_LEVELS: Final = {"minimal": "low", "low": "low", "medium": "medium", "high": "high"}
LEVEL, SWITCH, NONE = "level", "switch", ""


@dataclass(frozen=True, kw_only=True)
class ChatShape:
    """Shape of requests in Ollama's format: which optional parts of a request the server accepts.

    `thinking` says which values of `think` the server accepts: levels, true and false, or none.
    """

    thinking: str = LEVEL
    has_schema: bool = True
    refused: Refused = frozenset()

    def build_body(self, request: ReplyRequest) -> dict[str, Any]:
        """Return the body of a request for a streamed reply."""
        options = {**self._select_options(request), "num_predict": request.max_tokens}
        if request.window:
            options["num_ctx"] = request.window
        body: dict[str, Any] = {
            "model": request.model,
            "messages": self.build_messages(request.messages),
            "stream": True,
            "truncate": False,
            "options": options,
        }
        if request.unload_after:
            body["keep_alive"] = request.unload_after
        if (think := self._find_think(request.sampling)) is not None:
            body["think"] = think
        if request.schema is not None and self.has_schema:
            body["format"] = request.schema
        return body

    def build_messages(self, messages: ChatMessages) -> list[Mapping[str, str]]:
        """Return the messages unchanged."""
        return list(messages)

    def adapt_to_refusal(self, status: int, body: bytes, *, request: ReplyRequest) -> "ChatShape | None":
        """Return a new shape whose requests omit what the server refused, or None if that is unknown.

        `status` and `body` are those of the server's response to `request`.
        """
        text = body[:4096].lower()
        if status not in REFUSALS or is_too_long(status, text):
            return None
        other, think = self, self._find_think(request.sampling)
        if think is not None and NO_THINKING_SIGN in text:
            other = replace(self, thinking=NONE)
        elif think is not None and b"think" in text:
            other = replace(self, thinking=SWITCH if isinstance(think, str) else NONE)
        elif named := find_named(text, self._select_options(request)):
            other = replace(self, refused=self.refused | named)
        elif request.schema is not None and b"format" in text:
            other = replace(self, has_schema=False)
        return other if other != self else None

    def _find_think(self, sampling: Sampling) -> str | bool | None:
        """Return the value of `think`; None if nothing was chosen, or if the model accepts no `think`."""
        if self.thinking == NONE:
            return None
        effort = sampling.get("reasoning_effort")
        if effort is not None:
            level: str | bool = _LEVELS.get(effort, False)
            return level if self.thinking == LEVEL else bool(level)
        switches = sampling.get("chat_template_kwargs")
        return all(switches.values()) if isinstance(switches, dict) else None

    def _select_options(self, request: ReplyRequest) -> dict[str, Any]:
        known = {name: value for name, value in request.sampling.items() if name in _OPTIONS}
        return leave_out(known, self.refused)


class ChatLineReader(PayloadReader):
    """Reader of a reply in Ollama's format, from its JSON lines or from one whole response."""

    def read(self, payload: bytes) -> None:
        """Read the text, the thinking and the end of the reply from one line."""
        text = payload.decode("utf-8", "surrogateescape").strip()
        while text and not self.ended:
            line, end = parse_object(text)
            self._read_line(line)
            text = text[end:].lstrip()

    def _read_line(self, line: dict[str, Any]) -> None:
        message = line.get("message")
        if line.get("error") or (is_error(line) and not line.get("done")):
            raise_error(line, status=_find_status(line))
        if isinstance(message, dict):
            for field, parts in (("content", self.text), ("thinking", self.thought)):
                if isinstance(message.get(field), str) and message[field]:
                    parts.append(message[field])
        elif message is not None:
            raise MalformedResponse
        if line.get("done") is True:
            self.reason = parse_reason(line.get("done_reason") or "stop")
            prompt, reply = line.get("prompt_eval_count"), line.get("eval_count")
            if isinstance(prompt, int) and isinstance(reply, int):
                self.usage = TokenUsage(prompt, reply)
            self.ended = True


def _find_status(line: Mapping[str, Any]) -> int | None:
    """Return the HTTP status that Ollama adds to some errors in the middle of a stream, or None."""
    status = line.get("status_code") or line.get("statusCode")
    return status if isinstance(status, int) else None


def find_unsupported(sampling: Sampling) -> list[str]:
    """Return the names of the parameters that this format does not support."""
    return [name for name in sampling if name not in _OPTIONS and name not in THINKING]


CHAT = WireFormat(
    name=OLLAMA,
    title="Ollama",
    path="/api/chat",
    usual_shape=ChatShape(),
    build_splitter=LineSplitter,
    build_reader=ChatLineReader,
    build_headers=build_bearer_header,
    find_unsupported=find_unsupported,
)
