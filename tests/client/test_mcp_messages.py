"""Further tests of the command `mcp`: names in headers, streams, errors, slow tools, closed pipes."""

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from llamora.client.commands.mcp_bridge import encode_header
from llamora.mcp.routing_headers import decode_header
from tests.client.command_line import CommandLine
from tests.client.scripted_api import Fault, ScriptedApi, build_error
from tests.conftest import ROOT

VERSION = "io.modelcontextprotocol/protocolVersion"
Message = dict[str, Any]


def build_request(request_id: object, method: str, **params: Any) -> Message:
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}


def build_answer(request_id: object, **result: Any) -> Message:
    return {"jsonrpc": "2.0", "id": request_id, "result": result}


def exchange(commands: CommandLine, *messages: object, code: int = 0) -> list[Any]:
    """Return what the bridge answers to these lines."""
    lines = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in messages]
    answer = commands.run("mcp", typed=b"\n".join(lines) + b"\n", code=code)
    return [json.loads(line) for line in answer.stdout.splitlines()]


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        (build_request(1, "resources/read", uri="llamora://day/2026-01-05"), "llamora://day/2026-01-05"),
        (build_request(1, "prompts/get", name="größe"), "=?base64?Z3LDtsOfZQ==?="),
        (build_request(1, "tools/list", name="not named by it"), None),
        (build_request(1, "tools/call", name=7), None),
    ],
)
def test_only_what_names_something_has_a_name(
    api: ScriptedApi, commands: CommandLine, request_: Message, name: str | None
) -> None:
    api.add_faults(Fault(status=200, body=build_answer(1)))

    exchange(commands, request_)

    assert api.requests[0].headers.get("mcp-name") == name


@pytest.mark.parametrize("text", ["read_day", "größe", " a ", "=?base64?x?=", "tab\t", "line\nend", "", "🪁"])
def test_the_server_reads_the_name_that_the_client_encodes(text: str) -> None:
    encoded = encode_header(text)

    assert encoded.isascii()
    assert encoded.isprintable()
    assert decode_header(encoded) == text


def test_an_answer_as_a_stream_is_a_line_for_each_message(api: ScriptedApi, commands: CommandLine) -> None:
    note = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {}}
    pieces = tuple(f"data: {json.dumps(each)}\n\n".encode() for each in (note, build_answer(1)))
    api.add_faults(Fault(pieces=pieces))

    assert exchange(commands, build_request(1, "tools/call", name="read_day")) == [note, build_answer(1)]


def test_an_error_of_the_protocol_goes_through_as_it_is(api: ScriptedApi, commands: CommandLine) -> None:
    error = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "No such method."}}
    api.add_faults(Fault(status=404, body=error))

    assert exchange(commands, build_request(1, "tools/unknown")) == [error]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault(status=423, body=build_error("locked", "Unlock your diary.")), "locked"),
        (Fault(status=401, body=build_error("invalid_token", "It is not valid.")), "invalid_token"),
        (Fault(status=403, body=build_error("missing_scope", "No.", scope="diary:read")), "missing_scope"),
        (Fault(is_dropped=True), "connection_lost"),
        (Fault(status=502, body=b"<html>"), ""),
    ],
)
def test_any_other_refusal_is_an_error_of_its_request(
    api: ScriptedApi, commands: CommandLine, fault: Fault, code: str
) -> None:
    api.add_faults(fault)

    (answer,) = exchange(commands, build_request("seven", "tools/call", name="write_entry", arguments={}))

    assert (answer["id"], answer["error"]["code"]) == ("seven", -32000)
    assert answer["error"]["message"]
    assert answer["error"]["data"]["error_code"] == (code or "server_error")
    # Nothing is sent twice: a tool may write.
    assert len(api.requests) == 1


def test_a_refused_notification_is_said_on_stderr(api: ScriptedApi, commands: CommandLine) -> None:
    api.add_faults(Fault(status=423, body=build_error("locked", "Unlock your diary.")))

    answer = commands.run("mcp", typed='{"jsonrpc": "2.0", "method": "notifications/initialized"}\n')

    assert (answer.stdout, answer.stderr) == ("", "Unlock your diary.\n")


class SlowTools(ThreadingHTTPServer):
    """A server whose tool `slow` is answered only after `quick` was called."""

    daemon_threads = True

    def __init__(self) -> None:
        self.is_called = threading.Event()
        super().__init__(("127.0.0.1", 0), SlowToolHandler)


class SlowToolHandler(BaseHTTPRequestHandler):
    """Handler of the calls of `slow` and `quick`."""

    protocol_version = "HTTP/1.1"
    server: SlowTools

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if request["params"]["name"] == "slow":
            assert self.server.is_called.wait(20)
        else:
            self.server.is_called.set()
        body = json.dumps(build_answer(request["id"])).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - as in the base class
        pass


@pytest.fixture
def slow_url() -> Iterator[str]:
    server = SlowTools()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_slow_tool_does_not_hold_up_the_others(commands: CommandLine, slow_url: str) -> None:
    commands.extra["LLAMORA_URL"] = slow_url

    answers = exchange(
        commands, build_request(1, "tools/call", name="slow"), build_request(2, "tools/call", name="quick")
    )

    assert sorted(answer["id"] for answer in answers) == [1, 2]


def test_an_assistant_that_has_gone_ends_the_bridge(api: ScriptedApi, commands: CommandLine) -> None:
    process = subprocess.Popen(
        [*commands.command, "mcp"],
        cwd=ROOT,
        env=commands.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    api.add_faults(*[Fault(status=200, body=build_answer(1))] * 3)
    process.stdout.close()
    line = json.dumps(build_request(1, "tools/list")).encode() + b"\n"
    process.stdin.write(line)
    process.stdin.flush()
    deadline = time.monotonic() + 20
    while not api.requests and time.monotonic() < deadline:
        time.sleep(0.02)
    process.stdin.close()

    assert process.wait(20) in (0, 141)
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()


def test_a_token_of_nobody_is_refused_at_the_start(commands: CommandLine, tmp_path: Path) -> None:
    commands.token_file.unlink()

    assert exchange(commands, build_request(1, "tools/list"), code=2) == []
