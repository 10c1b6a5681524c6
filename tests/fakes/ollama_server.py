"""A scripted server with Ollama's own API, written from its public reference."""

import json
from typing import Any

from tests.fakes.model_server import FakeModelServer, Request
from tests.fakes.script import WireWriter

HEAD = {"model": "llama3.2", "created_at": "2023-08-04T08:52:19.385406455-07:00"}


def dump_line(content: str = "", /, **message: Any) -> bytes:
    """Return a line that adds to a reply."""
    values = {"role": "assistant", "content": content, **message}
    return json.dumps({**HEAD, "message": values, "done": False}, ensure_ascii=False).encode() + b"\n"


def dump_last(reason: str | None = "stop", content: str = "", count: int = 5) -> bytes:
    """Return the last line of a reply; older versions give no reason."""
    values: dict[str, Any] = {**HEAD, "message": {"role": "assistant", "content": content}, "done": True}
    if reason is not None:
        values["done_reason"] = reason
    counts = {"total_duration": 4883583458, "load_duration": 1334875, "prompt_eval_count": 26}
    return json.dumps({**values, **counts, "eval_count": count}).encode() + b"\n"


def dump_failure(message: str) -> bytes:
    """Return a line that reports an error."""
    return json.dumps({"error": message}).encode() + b"\n"


class ChatWriter(WireWriter):
    """Writer of the lines of a reply."""

    content_type = "application/x-ndjson"
    done = dump_last()
    malformed = b'{"model":"llama3.2","message":{"role":"assistant","content":"hal\n'

    def write_text(self, text: str) -> bytes:
        return dump_line(text)

    def write_thought(self, text: str, *, field: str) -> bytes:
        del field
        return dump_line(thinking=text)

    def write_end(self, reason: str, count: int) -> bytes:
        return dump_last(reason, count=count)

    def write_error(self, status: int, message: str) -> bytes:
        del status
        return dump_failure(message)

    def build_refusal(self, status: int, message: str) -> Any:
        del status
        return {"error": message}


class FakeOllamaServer(FakeModelServer):
    """A server with `/api/chat`, and the pages with the models that Ollama has and has loaded."""

    reply_path = "/api/chat"
    schema_field = "format"
    wire = ChatWriter()

    def _page(self, request: Request) -> tuple[int, Any]:
        names = (self.manners.model, *self.manners.also)
        tags = [{"name": name, "model": name, "details": {"parameter_size": "3.2B"}} for name in names]
        pages: dict[str, Any] = {
            "/v1/models": {"object": "list", "data": [{"id": name, "object": "model"} for name in names]},
            "/api/version": {"version": "0.12.6"},
            "/api/tags": {"models": tags},
            "/api/ps": {"models": [{"name": names[0], "model": names[0], "context_length": 4096}]},
            "/api/show": {
                "details": {"family": "llama", "parameter_size": "3.2B"},
                "model_info": {
                    "general.architecture": "llama",
                    "llama.context_length": self.manners.context,
                },
                "capabilities": ["completion"],
            },
        }
        if request.path in pages:
            return 200, pages[request.path]
        return 404, {"error": "404 page not found"}
