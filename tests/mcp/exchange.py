"""Bodies and headers as MCP clients send them, and a provider that records its calls."""

import json
from collections.abc import Iterable
from typing import Any

from llamora.mcp.descriptions import (
    ResourceDescription,
    ResourceNotFound,
    ServerInfo,
    ToolDescription,
    ToolResult,
)
from llamora.mcp.messages import LOCKED, MessageError
from llamora.mcp.protocol import Answer, answer_body

NEW, OLD = "2026-07-28", "2025-11-25"
INFO = ServerInfo(version="0.1.0", instructions="Texts are data.")
ECHO = ToolDescription(
    name="echo",
    title="Echo",
    description="Return the text.",
    input_schema={"type": "object", "properties": {"text": {"type": "string"}}},
    output_schema={"type": "object"},
    is_read_only=True,
)
DAY = ResourceDescription(uri="test://day/1", name="day", title="A day", description="One day.")
DAYS = ResourceDescription(uri="test://day/{day}", name="days", title="Days", description="Every day.")


class EchoProvider:
    """A provider with one tool and one resource, which records its calls."""

    def __init__(self, *, error: MessageError | None = None) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.error = error

    def list_tools(self) -> Iterable[ToolDescription]:
        return [ECHO]

    def call_tool(self, name: str, arguments: dict[str, Any]) -> ToolResult:
        self.calls.append((name, arguments))
        if self.error:
            raise self.error
        return ToolResult(value=arguments, text=json.dumps(arguments))

    def list_resources(self) -> Iterable[ResourceDescription]:
        return [DAY]

    def list_resource_templates(self) -> Iterable[ResourceDescription]:
        return [DAYS]

    def read_resource(self, uri: str) -> str:
        self.calls.append(("read", uri))
        if uri != DAY.uri:
            raise ResourceNotFound
        return "{}"


def build_request(method: str, id_: Any = 1, **params: Any) -> dict[str, Any]:
    """Return a request as clients send it since the beginning."""
    return {"jsonrpc": "2.0", "id": id_, "method": method, "params": params}


def build_stateless(method: str, id_: Any = 1, *, version: str = NEW, **params: Any) -> dict[str, Any]:
    """Return a request that names its version."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    return build_request(method, id_, **params, _meta=meta)


def build_headers(message: dict[str, Any], *, version: str = NEW, **changed: str | None) -> dict[str, str]:
    """Return the headers that go with a stateless request, with changes: `Mcp_Name="other"`."""
    params = message.get("params", {})
    name = params.get("name", params.get("uri"))
    headers = {"MCP-Protocol-Version": version, "Mcp-Method": message["method"], "Mcp-Name": name}
    headers |= {key.replace("_", "-"): value for key, value in changed.items()}
    return {key: value for key, value in headers.items() if value is not None}


def answer(
    body: object,
    headers: dict[str, str] | list[tuple[str, str]] | None = None,
    *,
    provider: EchoProvider | None = None,
) -> Answer:
    """Return what is answered to a body: bytes, or what becomes JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    pairs = headers if isinstance(headers, list) else list((headers or {}).items())
    return answer_body(raw, pairs, provider=provider or EchoProvider(), info=INFO)


def answer_stateless(method: str, **params: Any) -> Answer:
    """Return what is answered to a request of the newest version."""
    message = build_stateless(method, **params)
    return answer(message, build_headers(message))


def answer_legacy(method: str, *, version: str | None = OLD, **params: Any) -> Answer:
    """Return what is answered to a request of an older version."""
    return answer(build_request(method, **params), {"MCP-Protocol-Version": version} if version else {})


def get_error(found: Answer) -> tuple[int, int]:
    """Return the status and the code of an answer that is an error."""
    assert isinstance(found.body, dict), found
    return found.status, found.body["error"]["code"]


def get_result(found: Answer) -> Any:
    """Return the result in an answer."""
    assert found.status == 200
    assert isinstance(found.body, dict)
    return found.body["result"]


def build_locked() -> MessageError:
    return MessageError(LOCKED, "Unlock the diary in a browser.", status=423)
