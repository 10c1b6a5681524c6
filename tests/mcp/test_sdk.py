"""Tests with the official SDK of MCP as client of a served household: over HTTP and stdio, in all its modes.

`auto` begins with `server/discover`, a version goes without it, and `legacy` begins with `initialize`.
"""

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from llamora.mcp.messages import HEADER_MISMATCH
from llamora.mcp.tools import TOOLS
from llamora.mcp.views import MAX_BODY
from tests.browser_client import Visitor
from tests.mcp.exchange import NEW, OLD, build_headers, build_stateless
from tests.mcp.served import ServedDiary
from tests.mcp.served import build_headers as build_token_headers
from tests.server import run_server

if TYPE_CHECKING:
    from mcp.client.client import Client

MODES = {"auto": NEW, NEW: NEW, "legacy": OLD}
TRANSPORTS = ["http", "stdio"]
DAY = "2026-01-05"


@pytest.fixture(scope="module")
def diary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDiary]:
    folder = tmp_path_factory.mktemp("household")
    with run_server(folder, extra={"LLAMORA_REGISTRATION": "open"}) as server:
        olive = Visitor.join(server, "Olive")
        olive.write("Geese over the marsh", day=DAY)
        olive.write("Ice on the pond", day=DAY)
        yield ServedDiary(server=server, olive=olive, folder=folder)
        assert "Traceback" not in server.log()
        assert "marsh" not in server.log()


async def use(client: "Client", tool: str, **arguments: Any) -> Any:
    """Call a tool, check its result against its schema, and return it."""
    listed = {one.name: one for one in (await client.list_tools()).tools}
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result
    (block,) = result.content
    value = json.loads(block.text)  # type: ignore[union-attr]  # a text
    assert result.structured_content == value
    jsonschema.validate(arguments, listed[tool].input_schema)
    schema = listed[tool].output_schema
    assert schema is not None
    jsonschema.validate(value, schema, format_checker=jsonschema.FormatChecker())
    return value


def save_own_note(diary: ServedDiary, *, path: str, text: str) -> None:
    """Save a note that is its owner's own, unless it is there already."""
    token = diary.folder / "typist"
    if not token.exists():
        diary.make_token(token.name, "notes", writes_own_text="on")
    connection = HTTPConnection("127.0.0.1", diary.server.port, timeout=20)
    headers = {"Content-Type": "application/json", **build_token_headers(token)}
    connection.request("POST", "/api/v1/notes", json.dumps({"path": path, "text": text}), headers)
    assert connection.getresponse().status == 201
    connection.close()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_an_assistant_uses_every_tool(diary: ServedDiary, transport: str, mode: str) -> None:
    name = f"Assistant {transport} {mode}"
    token = diary.make_token(name, "diary:read", "diary:write", "facts:read", "facts:propose", "notes")
    save_own_note(diary, path="knowledge/geese.md", text="Geese come in October.")
    assert "0 texts on 0 days" in diary.get_program(name)

    async with diary.connect(token, transport=transport, mode=mode) as client:
        assert client.protocol_version == MODES[mode]
        tools = {one.name for one in (await client.list_tools()).tools}
        days = await use(client, "resolve_date", text="5 January 2026")
        found = await use(client, "search_diary", query="geese", **{"from": DAY})
        read = await use(client, "read_day", day=days["first_day"])
        resources = [one.uri for one in (await client.list_resources()).resources]
        content = (await client.read_resource(f"llamora://day/{DAY}")).contents[0]
        templates = (await client.list_resource_templates()).resource_templates
        added = await use(client, "write_entry", text=f"A thought of {name}", day=DAY, key="1")
        again = await use(client, "write_entry", text=f"A thought of {name}", day=DAY, key="1")
        proposed = await use(client, "propose_fact", text=f"You know {name}.")
        facts = await use(client, "list_facts")
        (listed,) = (await use(client, "list_notes", query="geese"))["notes"]
        note = await use(client, "read_note", path=listed["path"])

    assert tools == {tool.name for tool in TOOLS}
    assert proposed["action"] == "proposed"
    # What is proposed is no fact before its owner accepts it.
    assert facts["facts"] == []
    assert (note["text"], note["origin"]) == ("Geese come in October.", "own_token")
    assert [one["snippet"] for one in found["results"]] == ["Geese over the marsh"]
    assert [one["text"] for one in read["entries"]] == ["Geese over the marsh", "Ice on the pond"]
    assert {one["origin"] for one in read["entries"]} == {"own"}
    assert json.loads(content.text) == read  # type: ignore[union-attr]  # a text
    assert f"llamora://day/{DAY}" in [str(uri) for uri in resources]
    assert "llamora://day/{day}" in [one.uri_template for one in templates]
    assert (added["state"], again["state"], added["id"]) == ("waiting", "added_before", again["id"])
    assert f"A thought of {name}" in diary.olive.get("/inbox/").body
    assert "5 texts on 1 day" in diary.get_program(name)
    assert diary.olive.list_texts(day=DAY) == ["Geese over the marsh", "Ice on the pond"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_an_assistant_is_told_what_went_wrong(diary: ServedDiary, transport: str, mode: str) -> None:
    from mcp import MCPError

    token = diary.make_token(f"Reader {transport} {mode}", "diary:read")

    async with diary.connect(token, transport=transport, mode=mode) as client:
        wrong = await client.call_tool("read_day", {"day": "pomegranate"})
        with pytest.raises(MCPError) as unknown_tool:
            await client.call_tool("write_entry", {"text": "pomegranate"})
        with pytest.raises(MCPError) as unknown_resource:
            await client.read_resource("llamora://weather")

    assert wrong.is_error
    assert "day: " in wrong.content[0].text  # type: ignore[union-attr]  # a text
    assert "pomegranate" not in wrong.content[0].text  # type: ignore[union-attr]
    assert "Name a tool" in str(unknown_tool.value)
    assert "no such resource" in str(unknown_resource.value)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_revoked_token_ends_the_conversation_with_an_error(
    diary: ServedDiary, transport: str, mode: str
) -> None:
    from mcp import MCPError

    name = f"Revoked {transport} {mode}"
    token = diary.make_token(name, "diary:read")

    async with diary.connect(token, transport=transport, mode=mode) as client:
        assert (await client.call_tool("read_day", {"day": DAY})).content
        diary.revoke(name)
        with pytest.raises(MCPError) as refused:
            await client.call_tool("read_day", {"day": DAY})

    assert "access token" in str(refused.value)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_an_assistant_starts_while_the_diary_is_locked_and_works_once_it_is_unlocked(
    diary: ServedDiary, transport: str, mode: str
) -> None:
    token = diary.make_token(f"Early {transport} {mode}", "diary:read")
    diary.olive.post("/lock/")

    async with diary.connect(token, transport=transport, mode=mode) as client:
        locked = await client.call_tool("read_day", {"day": DAY})
        diary.olive.unlock()
        unlocked = await client.call_tool("read_day", {"day": DAY})

    assert locked.is_error
    assert "unlocks it in a browser" in locked.content[0].text  # type: ignore[union-attr]  # a text
    assert not unlocked.is_error


# --- Without the SDK -------------------------------------------------------------------------------------


def post(diary: ServedDiary, headers: list[tuple[str, str]], body: bytes) -> tuple[int, Any]:
    """Send a request with exactly these headers, and return its status and its body."""
    connection = HTTPConnection("127.0.0.1", diary.server.port, timeout=30)
    connection.putrequest("POST", "/mcp", skip_host=True)
    for name, value in headers:
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def test_the_server_passes_on_what_the_protocol_depends_on(diary: ServedDiary) -> None:
    token = diary.make_token("Raw", "diary:read").read_text()
    message = build_stateless("tools/list")
    headers = {
        "Host": f"127.0.0.1:{diary.server.port}",
        "Content-Type": "application/json",
        "Authorization": f"Bearer {token}",
        **build_headers(message),
    }
    sent = list(headers.items())
    body = json.dumps(message).encode()

    assert post(diary, sent, body)[0] == 200
    status, twice = post(diary, [*sent, ("Mcp-Method", "tools/list")], body)
    assert (status, twice["error"]["code"]) == (400, HEADER_MISMATCH)
    assert post(diary, [*sent, ("Origin", "https://elsewhere.example")], body)[0] == 403
    foreign = headers | {"Host": "elsewhere.example"}
    assert post(diary, list(foreign.items()), body)[0] == 403
    assert post(diary, sent, b" " * (MAX_BODY + 1))[0] == 413
    assert token not in diary.server.log()
