"""An assistant in tests: an access token, and messages of MCP with it."""

import json
from dataclasses import dataclass, field
from typing import Any, Self

from django.test import Client

from llamora.crypto import TokenKind
from tests.mcp.exchange import build_headers, build_request, build_stateless
from tests.people import Resident
from tests.tokens import make_token

ADDRESS = "/mcp"


@dataclass(kw_only=True)
class Assistant:
    """An access token, and a client that sends it, without cookies of a person."""

    token: str = field(repr=False)
    client: Client = field(default_factory=Client)

    @classmethod
    def create(cls, who: Resident, *scopes: str, kind: TokenKind = TokenKind.ORDINARY, **terms: Any) -> Self:
        if scopes == ("drop",):
            kind = TokenKind.DROP
        return cls(token=make_token(who, kind, scopes=frozenset(scopes), **terms))

    def post(self, body: object, **headers: str) -> Any:
        """Send a body: bytes, or what becomes JSON."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {self.token}", **headers}
        return self.client.generic("POST", ADDRESS, raw, content_type="application/json", headers=sent)

    def ask(self, method: str, **params: Any) -> Any:
        """Send a request of the newest version, and return its answer."""
        message = build_stateless(method, **params)
        return json.loads(self.post(message, **build_headers(message)).content)

    def ask_as_of_old(self, method: str, **params: Any) -> Any:
        """Send a request of an older version, and return its answer."""
        return json.loads(self.post(build_request(method, **params)).content)

    def list_tools(self) -> dict[str, Any]:
        """Return the tools by name."""
        return {tool["name"]: tool for tool in self.ask("tools/list")["result"]["tools"]}

    def call(self, tool: str, **arguments: Any) -> Any:
        """Return what a tool returns that succeeds."""
        result = self.ask("tools/call", name=tool, arguments=arguments)["result"]
        assert not result["isError"], result
        assert json.loads(result["content"][0]["text"]) == result["structuredContent"]
        return result["structuredContent"]

    def fail(self, tool: str, **arguments: Any) -> str:
        """Return the sentence of a tool that does not succeed."""
        result = self.ask("tools/call", name=tool, arguments=arguments)["result"]
        assert result["isError"], result
        assert "structuredContent" not in result
        (block,) = result["content"]
        return str(block["text"])
