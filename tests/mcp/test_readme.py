"""Tests that the README and the page Programs say how to connect an assistant, and name its tools."""

import json
import re
from typing import Any

import pytest

from llamora.client.commands.arguments import build_parser
from llamora.mcp.tools import TOOLS
from llamora.mcp.versions import KNOWN_VERSIONS
from tests.page import read
from tests.people import Resident
from tests.test_docs import get_section

SECTION = get_section("Assistants")
TOKEN_FIELDS = {"name": "Assistant", "kind": "ordinary", "scopes": ["diary:read"], "lifetime_days": "90"}


def check_configurations(texts: list[str], *, address: str) -> None:
    """Check that one text configures a client that calls the address, and the other one that starts ours."""
    called, started = (json.loads(text)["mcpServers"]["llamora"] for text in texts)
    assert called == {
        "type": "http",
        "url": f"{address}/mcp",
        "headers": {"Authorization": "Bearer TOKEN"},
    }
    program, *arguments = started["args"]
    assert program.endswith("client.zip")
    parsed = build_parser().parse_args(arguments)
    assert (parsed.command, parsed.url, str(parsed.token_file)) == ("mcp", address, "/path/to/token.txt")


def test_the_readme_names_every_tool_and_no_other() -> None:
    assert re.findall(r"^\| `(\w+)`", SECTION, re.MULTILINE) == [tool.name for tool in TOOLS]


def test_the_settings_in_the_readme_are_those_of_our_programs() -> None:
    check_configurations(re.findall(r"```json\n(.*?)```", SECTION, re.DOTALL), address="https://diary.home")


def test_the_readme_names_the_newest_and_the_oldest_version() -> None:
    named = re.findall(r"\d{4}-\d{2}-\d{2}(?! on your)", SECTION.partition("The server speaks")[2])

    assert named == [KNOWN_VERSIONS[0], KNOWN_VERSIONS[-1]]


def read_blocks(answer: Any) -> list[str]:
    return [block for block in read(answer).texts("pre.command") if "mcpServers" in block]


@pytest.mark.parametrize("is_new", [False, True])
def test_the_page_shows_the_same_settings_with_its_own_address(olive: Resident, *, is_new: bool) -> None:
    page = "/settings/programs/"
    answer = olive.post(page, **TOKEN_FIELDS, current=olive.password) if is_new else olive.get(page)

    check_configurations(read_blocks(answer), address="http://testserver")
    assert read(answer).has('a[href="/api/docs"]')
    assert "If it uses a model elsewhere, so does your text." in " ".join(read(answer).text.split())
