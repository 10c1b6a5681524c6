"""A served household whose owner gives tokens to assistants, and the official SDK's client connected to it.

The SDK takes most of a second to import, so it is not imported when tests are collected.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from tests.browser_client import CSRF_COOKIE, FORM_TYPE, Visitor
from tests.page import normalize_spaces, read
from tests.server import ROOT, Server

if TYPE_CHECKING:
    from mcp.client.client import Client


def build_headers(token: Path) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.read_text()}"}


@dataclass(kw_only=True)
class ServedDiary:
    """Olive's diary, and the folder with the files of her tokens."""

    server: Server
    olive: Visitor
    folder: Path

    def make_token(self, name: str, *scopes: str, **terms: str) -> Path:
        """Return a file with a new token, made on the page."""
        fields = {"owner": self.olive.owner, "name": name, "kind": "ordinary", "lifetime_days": "90"}
        fields |= {"current": self.olive.password, **terms}
        headers = {"Content-Type": FORM_TYPE, "X-CSRFToken": self.olive.cookies[CSRF_COOKIE]}
        body = urlencode([*fields.items(), *(("scopes", scope) for scope in scopes)]).encode()
        page = self.olive.request("POST", "/settings/programs/", body, headers)
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(read(page).one("p.command").text)
        return path

    def get_program(self, name: str) -> str:
        """Return what the page says about a program."""
        programs = read(self.olive.get("/settings/programs/")).all("li.browser")
        (found,) = (one.text for one in programs if name in one.text)
        return normalize_spaces(found)

    def revoke(self, name: str) -> None:
        """Revoke a program's token on the page."""
        programs = read(self.olive.get("/settings/programs/")).all("li.browser")
        (form,) = (one.one('form[action$="/revoke/"]') for one in programs if name in one.text)
        assert self.olive.post(form.get("action")).status == 302

    @asynccontextmanager
    async def connect(self, token: Path, *, transport: str, mode: str) -> AsyncIterator["Client"]:
        """Connect the SDK's client with a token."""
        import httpx2
        from mcp.client.client import Client
        from mcp.client.stdio import StdioServerParameters
        from mcp.client.streamable_http import streamable_http_client

        if transport == "stdio":
            parameters = StdioServerParameters(
                command=sys.executable,
                args=["-m", "llamora.client", "mcp", "--token-file", str(token)],
                env={"LLAMORA_URL": self.server.base_url, "HOME": str(self.folder)},
                cwd=ROOT,
            )
            async with Client(parameters, mode=mode, read_timeout_seconds=20) as client:
                yield client
            return
        async with (
            httpx2.AsyncClient(headers=build_headers(token), trust_env=False) as http,
            Client(
                streamable_http_client(self.server.url("/mcp"), http_client=http),
                mode=mode,
                read_timeout_seconds=20,
            ) as client,
        ):
            yield client
