"""A scripted server with the API Anthropic Messages, written from its public reference."""

import json
from typing import Any

from tests.fakes.model_server import FakeModelServer, Request
from tests.fakes.script import WireWriter

ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def dump_named(name: str, **values: Any) -> bytes:
    """Return an event as the API sends it: its name, and an object whose type is that name."""
    data = json.dumps({"type": name, **values}, ensure_ascii=False).encode()
    return f"event: {name}\n".encode() + b"data: " + data + b"\n\n"


def dump_delta(kind: str, text: str, *, index: int = 0) -> bytes:
    """Return an event that adds to a block: `kind` is text, thinking or signature."""
    return dump_named("content_block_delta", index=index, delta={"type": f"{kind}_delta", kind: text})


def dump_error(kind: str, message: str) -> bytes:
    return dump_named("error", error={"type": kind, "message": message}, request_id="req_011")


def dump_start() -> bytes:
    message: dict[str, Any] = {
        "id": "msg_011",
        "type": "message",
        "role": "assistant",
        "model": "claude-3-7-sonnet-20250219",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 25, "cache_read_input_tokens": 5, "output_tokens": 1},
    }
    return dump_named("message_start", message=message)


def dump_end(reason: str, count: int = 15) -> bytes:
    delta = {"stop_reason": reason, "stop_sequence": None}
    last = dump_named("message_delta", delta=delta, usage={"output_tokens": count})
    return last + dump_named("message_stop")


class MessagesWriter(WireWriter):
    """Writer of the events of a message; its scripts name reasons of the end as OpenAI does."""

    done = dump_named("message_stop")
    malformed = b'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"text":"hal\n\n'
    _reasons = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}

    def begin(self) -> bytes:
        block = {"type": "text", "text": ""}
        return dump_start() + dump_named("content_block_start", index=0, content_block=block)

    def write_text(self, text: str) -> bytes:
        return dump_delta("text", text)

    def write_thought(self, text: str, *, field: str) -> bytes:
        del field
        return dump_delta("thinking", text)

    def write_end(self, reason: str, count: int) -> bytes:
        return dump_named("content_block_stop", index=0) + dump_end(self._reasons.get(reason, reason), count)

    def write_error(self, status: int, message: str) -> bytes:
        return dump_error(ERROR_TYPES[status], message)

    def build_refusal(self, status: int, message: str) -> Any:
        error = {"type": ERROR_TYPES[status], "message": message}
        return {"type": "error", "error": error, "request_id": "req_011"}


class FakeAnthropicServer(FakeModelServer):
    """A server with `/v1/messages` and `/v1/models`, which takes the key in its own header."""

    reply_path = "/v1/messages"
    wire = MessagesWriter()

    def _wants_json(self, body: Any) -> bool:
        return "format" in body.get("output_config", {})

    def _get_key(self, request: Request) -> str:
        return request.headers.get("x-api-key", "")

    def _page(self, request: Request) -> tuple[int, Any]:
        if request.path.split("?")[0] != "/v1/models":
            return 404, self.wire.build_refusal(404, "Not found")
        head = {"type": "model", "display_name": "M", "created_at": "2025-02-19T00:00:00Z"}
        names = (self.manners.model, *self.manners.also)
        models = [{**head, "id": name, "max_input_tokens": self.manners.context} for name in names]
        return 200, {"data": models, "first_id": names[0], "has_more": False, "last_id": names[-1]}
