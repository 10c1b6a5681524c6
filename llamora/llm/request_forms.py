"""The form of a request for a reply: servers and models differ in what they accept.

A request is first sent in the usual form. If the server refuses a part of it, the request is sent once more
without that part, and the client remembers the form for this model.

    max_tokens        newer models of OpenAI want max_completion_tokens
    stream_options    servers that check requests strictly, such as Mistral's, refuse it
    system            templates of Gemma, Mistral and others: its text goes in front of the first message
    temperature       models that allow only their own
    response_format   servers without JSON schemas
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from llamora.llm.deltas import ChatMessages
from llamora.llm.errors import is_too_long

_REFUSALS = frozenset({400, 422})
# Some servers report an error of a template as their own.
_TEMPLATE_FAILURES = _REFUSALS | {500, 501}
_SYSTEM_SIGNS = (
    b"system role",  # Gemma, and most others
    b"only user and assistant roles",  # Llama 2, Mistral
    b"roles must alternate",
    b"developer instruction is not enabled",  # Gemini's Gemma
    b"does not support 'system'",  # OpenAI's o1-mini
)


@dataclass(frozen=True, kw_only=True)
class ReplyRequest:
    """The content of a request for a reply; `schema` is the JSON schema of the reply, if any."""

    model: str
    messages: ChatMessages
    max_tokens: int
    temperature: float | None = None
    schema: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class RequestForm:
    """The parts of a request that a server accepts."""

    limit_name: str = "max_tokens"
    has_stream_options: bool = True
    has_system: bool = True
    has_temperature: bool = True
    has_schema: bool = True

    def build_body(self, request: ReplyRequest) -> dict[str, Any]:
        """Return the body of a request for a streamed reply."""
        body: dict[str, Any] = {
            "model": request.model,
            "messages": self.build_messages(request.messages),
            "stream": True,
            self.limit_name: request.max_tokens,
        }
        if self.has_stream_options:
            body["stream_options"] = {"include_usage": True}
        if request.schema is not None and self.has_schema:
            form = {"name": "answer", "strict": True, "schema": request.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        if request.temperature is not None and self.has_temperature:
            body["temperature"] = request.temperature
        return body

    def build_messages(self, messages: ChatMessages) -> list[Mapping[str, str]]:
        """Return the messages in a form that the model's template accepts."""
        if self.has_system:
            return list(messages)
        system = [message["content"] for message in messages if message["role"] == "system"]
        rest = [message for message in messages if message["role"] != "system"]
        first = "\n\n".join([*system, *(message["content"] for message in rest[:1])])
        return [{"role": "user", "content": first}, *rest[1:]]

    def find_other(self, status: int, body: bytes) -> "RequestForm | None":
        """Return the form that a refusal asks for, or None if it asks for none."""
        text = body[:4096].lower()
        if status not in _TEMPLATE_FAILURES or is_too_long(status, text):
            return None
        other = self
        if any(sign in text for sign in _SYSTEM_SIGNS):
            other = replace(self, has_system=False)
        elif status not in _REFUSALS:
            return None
        elif b"max_completion_tokens" in text and b"max_tokens" in text:
            other = replace(self, limit_name="max_completion_tokens")
        elif b"stream_options" in text:
            other = replace(self, has_stream_options=False)
        elif b"temperature" in text:
            other = replace(self, has_temperature=False)
        elif b"response_format" in text or b"json_schema" in text:
            other = replace(self, has_schema=False)
        return other if other != self else None


USUAL_FORM = RequestForm()
