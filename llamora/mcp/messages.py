"""JSON-RPC 2.0 messages: parsing of request bodies, and building of responses. Pure.

An error message never contains any part of the body. Refused here are:

    PARSE_ERROR       not JSON in UTF-8; a repeated name in an object; NaN and Infinity; nested too deeply
    INVALID_REQUEST   not a message; NUL or a lone surrogate in any text
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NoReturn

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
# Of MCP. The last one is of versions before 2026-07-28, which says INVALID_PARAMS.
HEADER_MISMATCH: Final = -32020
UNSUPPORTED_VERSION: Final = -32022
RESOURCE_NOT_FOUND: Final = -32002
# Our own, of those that MCP leaves to servers.
LOCKED: Final = -32010
MISSING_SCOPE: Final = -32011
TRY_LATER: Final = -32012
REFUSED: Final = -32013

MAX_DEPTH: Final = 32
MAX_METHOD: Final = 128
MAX_ID: Final = 256
# JSON numbers that every client reads exactly.
_MAX_NUMBER: Final = 2**53

MessageId = str | int


class MessageError(Exception):
    """Raised to respond with an error; `status` and `headers` are for HTTP."""

    def __init__(
        self,
        code: int,
        message: str,
        *,
        status: int = 400,
        data: dict[str, Any] | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.status = status
        self.data = data
        self.headers = headers


@dataclass(frozen=True, kw_only=True)
class RequestMessage:
    """A request, which gets a response."""

    id: MessageId
    method: str
    params: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Notification:
    """A notification, which gets no response."""

    method: str


@dataclass(frozen=True, kw_only=True)
class ResponseMessage:
    """A response from the client. It is ignored or refused, since the server sends no requests."""


Message = RequestMessage | Notification | ResponseMessage


def decode_body(body: bytes) -> object:
    """Return the decoded JSON of a body; raise MessageError."""
    try:
        value: object = json.loads(
            body.decode("utf-8"), object_pairs_hook=_build_object, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError):
        raise MessageError(PARSE_ERROR, "Send JSON in UTF-8, in which no name stands twice.") from None
    _check_values(value)
    return value


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        # One reader takes the first, another the last.
        raise ValueError("a name stands twice")
    return found


def _refuse_constant(name: str) -> NoReturn:
    del name
    raise ValueError("not a number of JSON")


def _check_values(value: object) -> None:
    """Raise MessageError for a value that is nested too deeply, or contains NUL or a lone surrogate."""
    level = [value]
    for _ in range(MAX_DEPTH):
        texts = [one for one in level if isinstance(one, str)]
        texts += [name for one in level if isinstance(one, dict) for name in one]
        if any(not _is_text(one) for one in texts):
            raise MessageError(
                INVALID_REQUEST, "Send texts without NUL characters and without halves of surrogate pairs."
            )
        objects = [item for one in level if isinstance(one, dict) for item in one.values()]
        level = objects + [item for one in level if isinstance(one, list) for item in one]
        if not level:
            return
    raise MessageError(PARSE_ERROR, f"Send JSON that is at most {MAX_DEPTH} levels deep.")


def _is_text(value: str) -> bool:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\0" not in value


def parse_message(value: object) -> Message:
    """Return the message in a decoded body; raise MessageError."""
    if not isinstance(value, dict) or value.get("jsonrpc") != "2.0":
        raise MessageError(INVALID_REQUEST, "Send one JSON-RPC 2.0 message.")
    if "method" not in value and "id" in value and ("result" in value) != ("error" in value):
        return ResponseMessage()
    method, params = value.get("method"), value.get("params")
    if not isinstance(method, str) or not 0 < len(method) <= MAX_METHOD:
        raise MessageError(INVALID_REQUEST, f"Name a method, in at most {MAX_METHOD} characters.")
    if params is not None and not isinstance(params, dict):
        raise MessageError(INVALID_REQUEST, "Send the parameters as an object.")
    if "id" not in value:
        return Notification(method=method)
    id_ = find_id(value)
    if id_ is None:
        raise MessageError(
            INVALID_REQUEST, f"Send an id that is a whole number, or a text of at most {MAX_ID} characters."
        )
    return RequestMessage(id=id_, method=method, params=params or {})


def find_id(value: object) -> MessageId | None:
    """Return the id for an error response, or None if the message has no valid id."""
    found = value.get("id") if isinstance(value, dict) else None
    if isinstance(found, str):
        return found if len(found) <= MAX_ID else None
    if isinstance(found, int) and not isinstance(found, bool):
        return found if abs(found) <= _MAX_NUMBER else None
    return None


def build_result(id_: MessageId, result: dict[str, Any]) -> dict[str, Any]:
    """Return the response to a request."""
    return {"jsonrpc": "2.0", "id": id_, "result": result}


def build_error(id_: MessageId | None, error: MessageError) -> dict[str, Any]:
    """Return the error response to a request."""
    described: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.data is not None:
        described["data"] = error.data
    return {"jsonrpc": "2.0", "id": id_, "error": described}
