"""Tests of the command `mcp`: the request for each line, and the line for each response.

`tests/mcp/test_sdk.py` uses it with the official SDK and a served diary.
"""

import json
from typing import Any

import pytest

from tests.client.command_line import CommandLine
from tests.client.scripted_api import Fault, ScriptedApi

VERSION_KEY = "io.modelcontextprotocol/protocolVersion"


def build_line(method: str, *, id_: int | None = 1, **params: Any) -> dict[str, Any]:
    message = {"jsonrpc": "2.0", "method": method, "params": params}
    return message if id_ is None else {**message, "id": id_}


def exchange(commands: CommandLine, *lines: object) -> list[Any]:
    """Send lines, and return the messages that come back."""
    typed = b"".join(
        line + b"\n" if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines
    )
    answer = commands.run("mcp", typed=typed)
    return [json.loads(line) for line in answer.stdout.splitlines()]


def list_headers(api: ScriptedApi) -> list[dict[str, str]]:
    """Return the headers of MCP of each request to the server."""
    return [
        {name: value for name, value in request.headers.items() if name.startswith("mcp-")}
        for request in api.requests
        if request.path == "/mcp"
    ]


def result(id_: int = 1, **values: Any) -> Fault:
    return Fault(status=200, body={"jsonrpc": "2.0", "id": id_, "result": values})


def test_a_line_goes_to_the_server_with_the_headers_that_name_what_is_in_it(
    api: ScriptedApi, commands: CommandLine
) -> None:
    api.add_faults(result(resultType="complete"))
    line = build_line("tools/call", name="größe", arguments={"text": "ü"}, _meta={VERSION_KEY: "2026-07-28"})

    (answer,) = exchange(commands, line)

    assert answer == {"jsonrpc": "2.0", "id": 1, "result": {"resultType": "complete"}}
    assert api.requests[-1].body == line
    assert list_headers(api) == [
        {
            "mcp-protocol-version": "2026-07-28",
            "mcp-method": "tools/call",
            "mcp-name": "=?base64?Z3LDtsOfZQ==?=",
        }
    ]


def test_after_a_handshake_each_line_has_the_version_that_was_agreed(
    api: ScriptedApi, commands: CommandLine
) -> None:
    api.add_faults(result(protocolVersion="2025-06-18"), result(2))

    exchange(commands, build_line("initialize", protocolVersion="2025-06-18"), build_line("ping", id_=2))

    assert [headers.get("mcp-protocol-version") for headers in list_headers(api)] == [None, "2025-06-18"]


def test_a_notification_is_sent_and_nothing_comes_back(api: ScriptedApi, commands: CommandLine) -> None:
    api.add_faults(Fault(status=202, body=b""))

    assert exchange(commands, build_line("notifications/initialized", id_=None)) == []
    assert list_headers(api) == [{"mcp-method": "notifications/initialized"}]


def test_a_refusal_that_does_not_know_the_id_of_a_request_gets_it(
    api: ScriptedApi, commands: CommandLine
) -> None:
    error = {"code": -32013, "message": "Send a valid access token."}
    api.add_faults(Fault(status=401, body={"jsonrpc": "2.0", "id": None, "error": error}))

    assert exchange(commands, build_line("ping", id_=7)) == [{"jsonrpc": "2.0", "id": 7, "error": error}]


def test_a_refusal_that_is_no_message_becomes_an_error_of_the_request(commands: CommandLine) -> None:
    commands.token_file.write_text("llamora_wrong")

    (answer,) = exchange(commands, build_line("ping", id_=7))

    assert (answer["id"], answer["error"]["code"]) == (7, -32000)
    assert answer["error"]["data"]["error_code"] == "invalid_token"


def test_without_a_server_each_request_gets_an_error(api: ScriptedApi, commands: CommandLine) -> None:
    commands.url = commands.extra["LLAMORA_URL"] = "http://127.0.0.1:9"

    answers = exchange(commands, build_line("ping", id_=1), build_line("ping", id_=2))

    assert sorted(answer["id"] for answer in answers) == [1, 2]
    assert all(answer["error"]["message"] for answer in answers)


@pytest.mark.parametrize(
    ("line", "code"),
    [(b"pomegranate", -32700), (b'"pomegranate"', -32600), (b"\xff", -32700), (b"[" * 100_000, -32700)],
    ids=["no JSON", "no message", "no UTF-8", "too deep"],
)
def test_a_line_that_is_no_message_is_answered_here_and_the_next_is_sent(
    api: ScriptedApi, commands: CommandLine, line: bytes, code: int
) -> None:
    api.add_faults(result())

    first, second = exchange(commands, line, b"", build_line("ping"))

    assert (first["id"], first["error"]["code"]) == (None, code)
    assert "pomegranate" not in json.dumps(first)
    assert second["result"] == {}
    assert len(list_headers(api)) == 1


def test_several_messages_in_one_line_are_answered_in_one(api: ScriptedApi, commands: CommandLine) -> None:
    body = [{"jsonrpc": "2.0", "id": number, "result": {}} for number in (1, 2)]
    api.add_faults(Fault(status=200, body=body))

    assert exchange(commands, [build_line("ping", id_=1), build_line("ping", id_=2)]) == [body]
