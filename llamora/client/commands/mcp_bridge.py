"""The command `mcp`: sends MCP messages from stdin to the server, and prints the responses to stdout.

Each line of stdin is a JSON-RPC message. It is sent to `POST /mcp` with the routing headers that the protocol
requires, and each response is printed as one line of stdout. Requests run concurrently, so that a slow one
does not block the others. An error response that is not JSON-RPC, such as 401 for a wrong token, is converted
to a JSON-RPC error of its request.
"""

import base64
import json
import sys
import threading
from argparse import Namespace
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from llamora.client.calls import ApiCall
from llamora.client.commands.console import Console
from llamora.client.errors import LlamoraError
from llamora.client.exchange import RawAnswer, decode_json, is_event_stream
from llamora.client.server_events import ServerEventParser
from llamora.client.sync_client import Llamora

Message = dict[str, Any]
PARSE_ERROR, INVALID_REQUEST, SERVER_REFUSED = -32700, -32600, -32000
_VERSION: Final = "io.modelcontextprotocol/protocolVersion"
# The parameter that the header Mcp-Name repeats.
_NAMED: Final = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
_MAX_PARALLEL: Final = 4


def encode_header(value: str) -> str:
    """Return a text as a header value: printable ASCII unchanged, anything else in Base64.

    >>> encode_header("read_day"), encode_header("größe")
    ('read_day', '=?base64?Z3LDtsOfZQ==?=')
    """
    is_plain = value.isascii() and value.isprintable() and value == value.strip()
    if is_plain and not (value.startswith("=?base64?") and value.endswith("?=")):
        return value
    return f"=?base64?{base64.b64encode(value.encode()).decode()}?="


def build_headers(message: Any, negotiated: str) -> dict[str, str]:
    """Return the HTTP headers of a message; `negotiated` is the protocol version from `initialize`."""
    headers = {"Accept": "application/json, text/event-stream"}
    if not isinstance(message, dict):
        # Several in one, as an older version allows.
        return headers | ({"MCP-Protocol-Version": negotiated} if negotiated else {})
    method, params = message.get("method"), message.get("params")
    if not isinstance(params, dict):
        params = {}
    meta = params.get("_meta")
    version = (meta.get(_VERSION) if isinstance(meta, dict) else None) or negotiated
    if isinstance(version, str) and version and method != "initialize":
        headers["MCP-Protocol-Version"] = encode_header(version)
    if isinstance(method, str):
        headers["Mcp-Method"] = encode_header(method)
        name = params.get(_NAMED.get(method, ""))
        if isinstance(name, str):
            headers["Mcp-Name"] = encode_header(name)
    return headers


def read_messages(answer: RawAnswer) -> list[Any]:
    """Return the JSON-RPC messages of a response of any status; raise an error if there are none."""
    if is_event_stream(answer.headers):
        found = [decode_json(event.data.encode()) for event in ServerEventParser().feed(answer.body)]
    else:
        found = [decode_json(answer.body)]
    messages = [each for each in found if _is_message(each)]
    if not messages and answer.error is not None:
        raise answer.error
    return messages


def _is_message(value: Any) -> bool:
    return isinstance(value, list) or (isinstance(value, dict) and "jsonrpc" in value)


def _address(answer: Any, message: Any) -> Any:
    """Return an error response with the id of its request, if the server did not name the id.

    A server that refuses a request unread does not know the id. Over HTTP the response belongs to its
    request anyway, but an assistant that reads stdout would wait for ever.
    """
    is_refusal = isinstance(answer, dict) and "error" in answer and answer.get("id") is None
    if is_refusal and isinstance(message, dict) and "id" in message:
        return answer | {"id": message["id"]}
    return answer


class McpBridge:
    """A bridge that sends the messages of one assistant to the server, and prints the responses."""

    def __init__(self, diary: Llamora, console: Console) -> None:
        self._diary = diary
        self._console = console
        self._negotiated = ""
        self._output = threading.Lock()
        self._is_closed = False

    def run(self) -> None:
        """Send every line of stdin until its end, then wait for the responses that are still missing."""
        with ThreadPoolExecutor(_MAX_PARALLEL) as workers:
            for line in sys.stdin.buffer:
                if self._is_closed:
                    break
                message = self._parse(line)
                if message is None:
                    continue
                if isinstance(message, dict) and message.get("method") == "initialize":
                    # What follows needs the version that it is answered with.
                    self._exchange(message)
                else:
                    workers.submit(self._exchange, message)

    def _parse(self, line: bytes) -> Any:
        if not line.strip():
            return None
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            self._print(_build_error(None, PARSE_ERROR, "This line is not JSON in UTF-8."))
            return None
        if not isinstance(message, dict | list):
            self._print(_build_error(None, INVALID_REQUEST, "This line is not a message of JSON-RPC."))
            return None
        return message

    def _exchange(self, message: Any) -> None:
        """Send a message and print what is answered, if anything is."""
        try:
            for answer in read_messages(self._diary.fetch(_build_call(message, self._negotiated))):
                self._note_version(message, answer)
                self._print(_address(answer, message))
        except LlamoraError as error:
            self._refuse(message, error)
        except Exception:  # in a thread nobody would see it, and the assistant would wait for ever
            self._refuse(message, LlamoraError("The client failed.", code="client_failed"))
            raise

    def _note_version(self, message: Any, answer: Any) -> None:
        if isinstance(message, dict) and message.get("method") == "initialize" and isinstance(answer, dict):
            result = answer.get("result")
            version = result.get("protocolVersion") if isinstance(result, dict) else None
            self._negotiated = version if isinstance(version, str) else ""

    def _refuse(self, message: Any, error: LlamoraError) -> None:
        requests = message if isinstance(message, list) else [message]
        ids = [
            each["id"] for each in requests if isinstance(each, dict) and "id" in each and "method" in each
        ]
        data = {"error_code": error.code, "status": error.status, "retry_after": error.retry_after}
        known = {name: value for name, value in data.items() if value is not None}
        for request_id in ids:
            self._print(_build_error(request_id, SERVER_REFUSED, str(error), known))
        if not ids:
            self._console.say(str(error))

    def _print(self, message: Any) -> None:
        with self._output:
            try:
                # One line: JSON has no line ends outside strings, where they are escaped.
                sys.stdout.write(json.dumps(message) + "\n")
                sys.stdout.flush()
            except BrokenPipeError:
                self._is_closed = True


def _build_call(message: Any, negotiated: str) -> ApiCall[Any]:
    return ApiCall(
        method="POST",
        path="/mcp",
        parse=lambda value: value,
        body=message,
        headers=build_headers(message, negotiated),
        is_slow=True,
    )


def _build_error(request_id: Any, code: int, sentence: str, data: Mapping[str, Any] | None = None) -> Message:
    error: Message = {"code": code, "message": sentence}
    if data:
        error["data"] = dict(data)
    return {"jsonrpc": "2.0", "id": request_id, "error": error}


def run_bridge(diary: Llamora, arguments: Namespace, console: Console) -> None:
    """Pass messages between an assistant and the server until stdin ends."""
    del arguments
    McpBridge(diary, console).run()
