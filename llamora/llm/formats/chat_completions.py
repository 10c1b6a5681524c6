"""OpenAI's format, `/v1/chat/completions`, with the deviations of other servers.

Parts of a request that a server may refuse:

    max_tokens        newer models of OpenAI require max_completion_tokens
    stream_options    refused by servers that check requests strictly, such as Mistral's
    system            refused by templates of Gemma, Mistral and others: the text precedes the first message
    temperature, ...  sampling parameters: refused by some models, and by servers that check strictly
    response_format   refused by servers without JSON schemas
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from llamora.llm.deltas import ChatMessages, TokenUsage
from llamora.llm.errors import MalformedResponse, is_too_long
from llamora.llm.formats.payloads import PayloadReader, is_error, parse_object, parse_reason, raise_error
from llamora.llm.formats.wire_format import OPENAI, WireFormat, build_bearer_header
from llamora.llm.requests.reply_request import (
    NO_THINKING_SIGN,
    REFUSALS,
    Refused,
    ReplyRequest,
    find_named,
    leave_out,
)
from llamora.llm.requests.sampling import THINKING, Sampling
from llamora.llm.sse import DONE, EventReader

_THOUGHT_FIELDS = ("reasoning_content", "reasoning", "thinking")
_THOUGHT_PARTS = frozenset({"thinking", "reasoning", "thought"})
# Some servers report an error of a template as their own.
_TEMPLATE_FAILURES = REFUSALS | {500, 501}
_SYSTEM_SIGNS = (
    b"system role",  # Gemma, and most others
    b"only user and assistant roles",  # Llama 2, Mistral
    b"roles must alternate",
    b"developer instruction is not enabled",  # Gemini's Gemma
    b"does not support 'system'",  # OpenAI's o1-mini
)
# Parameters with another name elsewhere: in vLLM and SGLang. Servers ignore names that they do not know.
_OTHER_NAMES = {"repeat_penalty": "repetition_penalty"}


@dataclass(frozen=True, kw_only=True)
class ChatCompletionShape:
    """Shape of requests in OpenAI's format: which optional parts of a request the server accepts.

    `refused` contains sampling parameters with their values: if one person's value is refused, because it is
    out of range, other people's values are still sent.
    """

    limit_name: str = "max_tokens"
    has_stream_options: bool = True
    has_system: bool = True
    has_schema: bool = True
    refused: Refused = frozenset()

    def build_body(self, request: ReplyRequest) -> dict[str, Any]:
        """Return the body of a request for a streamed reply."""
        body: dict[str, Any] = {
            **self._select_sampling(request),
            "model": request.model,
            "messages": self.build_messages(request.messages),
            "stream": True,
            self.limit_name: request.max_tokens,
        }
        if self.has_stream_options:
            body["stream_options"] = {"include_usage": True}
        if request.schema is not None and self.has_schema:
            schema = {"name": "answer", "strict": True, "schema": request.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return body

    def _select_sampling(self, request: ReplyRequest) -> dict[str, Any]:
        return leave_out(_add_other_names(request.sampling), self.refused)

    def build_messages(self, messages: ChatMessages) -> list[Mapping[str, str]]:
        """Return the messages in a form that the model's template accepts."""
        if self.has_system:
            return list(messages)
        system = [message["content"] for message in messages if message["role"] == "system"]
        rest = [message for message in messages if message["role"] != "system"]
        first = "\n\n".join([*system, *(message["content"] for message in rest[:1])])
        return [{"role": "user", "content": first}, *rest[1:]]

    def adapt_to_refusal(
        self, status: int, body: bytes, *, request: ReplyRequest
    ) -> "ChatCompletionShape | None":
        """Return a new shape whose requests omit what the server refused, or None if that is unknown.

        `status` and `body` are those of the server's response to `request`.
        """
        text = body[:4096].lower()
        if status not in _TEMPLATE_FAILURES or is_too_long(status, text):
            return None
        other = self
        if any(sign in text for sign in _SYSTEM_SIGNS):
            other = replace(self, has_system=False)
        elif status not in REFUSALS:
            return None
        elif b"max_completion_tokens" in text and b"max_tokens" in text:
            other = replace(self, limit_name="max_completion_tokens")
        elif b"stream_options" in text:
            other = replace(self, has_stream_options=False)
        elif named := self._find_named(text, request):
            other = replace(self, refused=self.refused | named)
        elif b"response_format" in text or b"json_schema" in text:
            other = replace(self, has_schema=False)
        return other if other != self else None

    def _find_named(self, text: bytes, request: ReplyRequest) -> Refused:
        """Return the sampling parameters of a request, with their values, that a refusal names."""
        also = THINKING if NO_THINKING_SIGN in text else frozenset[str]()
        return find_named(text, self._select_sampling(request), also=also)


class ChatCompletionReader(PayloadReader):
    """Reader of a chat completion, from its chunks or from one whole response."""

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
    """Return the first of several alternative replies (the choice with index 0), or None."""
    found = choices if isinstance(choices, list) else []
    return next((choice for choice in found if isinstance(choice, dict) and not choice.get("index")), None)


def _parse_usage(counts: object) -> TokenUsage | None:
    if not isinstance(counts, dict):
        return None
    prompt, reply = counts.get("prompt_tokens"), counts.get("completion_tokens")
    return TokenUsage(prompt, reply) if isinstance(prompt, int) and isinstance(reply, int) else None


def _add_other_names(sampling: Sampling) -> dict[str, Any]:
    """Return sampling parameters with the other names that some servers use for them added."""
    others = {_OTHER_NAMES[name]: value for name, value in sampling.items() if name in _OTHER_NAMES}
    return {**sampling, **others}


def _find_unsupported(sampling: Sampling) -> list[str]:
    """Return an empty list: which parameters are supported depends on the server, not on this format."""
    del sampling
    return []


CHAT_COMPLETIONS = WireFormat(
    name=OPENAI,
    title="OpenAI-compatible",
    path="/v1/chat/completions",
    usual_shape=ChatCompletionShape(),
    build_splitter=EventReader,
    build_reader=ChatCompletionReader,
    build_headers=build_bearer_header,
    find_unsupported=_find_unsupported,
)
