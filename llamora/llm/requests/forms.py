"""The form of a request for a reply: servers and models differ in what they accept.

A request is first sent in the usual form. If the server refuses a part of it, the request is sent once more
without that part, and the client remembers the form for this model.

    max_tokens        newer models of OpenAI want max_completion_tokens
    stream_options    servers that check requests strictly, such as Mistral's, refuse it
    system            templates of Gemma, Mistral and others: its text goes in front of the first message
    temperature, ...  sampling parameters: models that allow only their own, servers that check them strictly
    response_format   servers without JSON schemas
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from llamora.llm.deltas import ChatMessages
from llamora.llm.errors import is_too_long
from llamora.llm.requests.sampling import THINKING, Sampling

REFUSALS = frozenset({400, 422})
# Some servers report an error of a template as their own.
_TEMPLATE_FAILURES = REFUSALS | {500, 501}
_SYSTEM_SIGNS = (
    b"system role",  # Gemma, and most others
    b"only user and assistant roles",  # Llama 2, Mistral
    b"roles must alternate",
    b"developer instruction is not enabled",  # Gemini's Gemma
    b"does not support 'system'",  # OpenAI's o1-mini
)
NO_THINKING_SIGN = b"does not support thinking"  # Ollama, about reasoning_effort
# Parameters with another name elsewhere: in vLLM and SGLang. Servers ignore names that they do not know.
_OTHER_NAMES = {"repeat_penalty": "repetition_penalty"}


Refused = frozenset[tuple[str, str]]
"""Parameters that a server refused, each with its value as JSON."""


def find_named(text: bytes, sent: Mapping[str, Any], *, also: Collection[str] = ()) -> Refused:
    """Return the parameters that were sent, with their values, whose names are in the text of a refusal."""
    names = {*re.findall(r"\w+", text.decode("utf-8", "replace")), *also}
    return frozenset((name, json.dumps(value)) for name, value in sent.items() if name in names)


def leave_out(sampling: Mapping[str, Any], refused: Refused) -> dict[str, Any]:
    """Return the parameters without those that a server refused with this value."""
    return {name: value for name, value in sampling.items() if (name, json.dumps(value)) not in refused}


@dataclass(frozen=True, kw_only=True)
class ReplyRequest:
    """The content of a request for a reply.

    schema       the JSON schema of the reply, if any
    window       the context window in tokens that a server is to load the model with, for Ollama
    unload_after   after what time without a reply it is to unload the model, for Ollama; its own if empty
    """

    model: str
    messages: ChatMessages
    max_tokens: int
    sampling: Sampling = field(default_factory=dict)
    schema: Mapping[str, Any] | None = None
    window: int = 0
    unload_after: str = ""

    def list_sampling(self) -> dict[str, Any]:
        """Return the sampling parameters under all their names."""
        others = {_OTHER_NAMES[name]: value for name, value in self.sampling.items() if name in _OTHER_NAMES}
        return {**self.sampling, **others}


@dataclass(frozen=True, kw_only=True)
class RequestForm:
    """The parts of a request that a server accepts.

    `refused` has sampling parameters with their values, so that one person's value, which may be out of the
    server's range, does not take away the parameter from all others.
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
            form = {"name": "answer", "strict": True, "schema": request.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        return body

    def _select_sampling(self, request: ReplyRequest) -> dict[str, Any]:
        return leave_out(request.list_sampling(), self.refused)

    def build_messages(self, messages: ChatMessages) -> list[Mapping[str, str]]:
        """Return the messages in a form that the model's template accepts."""
        if self.has_system:
            return list(messages)
        system = [message["content"] for message in messages if message["role"] == "system"]
        rest = [message for message in messages if message["role"] != "system"]
        first = "\n\n".join([*system, *(message["content"] for message in rest[:1])])
        return [{"role": "user", "content": first}, *rest[1:]]

    def find_other(self, status: int, body: bytes, *, request: ReplyRequest) -> "RequestForm | None":
        """Return the form that the refusal of a request asks for, or None if it asks for none."""
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


USUAL_FORM = RequestForm()
