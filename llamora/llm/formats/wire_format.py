"""Interface of a wire format, and the names of formats in settings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from llamora.llm.deltas import ChatMessages
from llamora.llm.formats.payloads import PayloadReader
from llamora.llm.requests.reply_request import ReplyRequest
from llamora.llm.requests.sampling import Sampling

AUTO: Final = "auto"
"""The name that stands for no format: the format is found out by probing the server."""
OPENAI, ANTHROPIC, OLLAMA = "openai", "anthropic", "ollama"
NAMES: Final = (AUTO, OPENAI, ANTHROPIC, OLLAMA)


class BodySplitter(Protocol):
    """Interface of incremental splitters, which split a response body into the payloads of its events."""

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the payloads that this chunk completes, in order."""

    def close(self) -> list[bytes]:
        """Return the rest of the body as a last payload, if there is any."""


class RequestShape(Protocol):
    """Interface of request shapes: a shape says which optional parts of a request a server accepts."""

    def build_body(self, request: ReplyRequest) -> dict[str, Any]:
        """Return the body of a request for a streamed reply."""

    def build_messages(self, messages: ChatMessages) -> list[Mapping[str, str]]:
        """Return the messages in a form that the model's template accepts."""

    def adapt_to_refusal(self, status: int, body: bytes, *, request: ReplyRequest) -> "RequestShape | None":
        """Return a new shape whose requests omit what the server refused, or None if that is unknown.

        `status` and `body` are those of the server's response to `request`.
        """


@dataclass(frozen=True, kw_only=True)
class WireFormat:
    """A wire format: its names, and the functions that build requests and parse replies.

    name              the name in settings
    title             the name for people
    path              the path for requests of replies
    usual_shape       the shape of the first request to a model
    build_headers     returns the headers for an API key, which may be empty
    find_unsupported  returns the names of sampling parameters that the format does not support
    """

    name: str
    title: str
    path: str
    usual_shape: RequestShape
    build_splitter: Callable[[], BodySplitter]
    build_reader: Callable[[], PayloadReader]
    build_headers: Callable[[str], dict[str, str]]
    find_unsupported: Callable[[Sampling], list[str]]


def build_bearer_header(api_key: str) -> dict[str, str]:
    """Return the Authorization header with an API key (RFC 6750), which most servers accept."""
    return {"Authorization": f"Bearer {api_key}"} if api_key else {}
