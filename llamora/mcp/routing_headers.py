"""Routing headers of MCP requests: copies of values in the body, so that proxies need not read it. Pure.

Each header must match the body.

    MCP-Protocol-Version   the version of the request
    Mcp-Method             its method
    Mcp-Name               the tool or resource that the request names

A name that is not printable ASCII is encoded as `=?base64?...?=`.
"""

import base64
import binascii
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from llamora.mcp.messages import HEADER_MISMATCH, MessageError

VERSION_HEADER: Final = "mcp-protocol-version"
METHOD_HEADER: Final = "mcp-method"
NAME_HEADER: Final = "mcp-name"
_ALL: Final = frozenset({VERSION_HEADER, METHOD_HEADER, NAME_HEADER})
# The parameter that is named in `Mcp-Name`.
_NAMED: Final = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
_BEFORE, _AFTER = "=?base64?", "?="

Headers = dict[str, str]


def read_headers(headers: Iterable[tuple[str, str]]) -> Headers:
    """Return a dict of the routing headers by lower-case name; raise MessageError if one is repeated."""
    found = [(name.lower(), value) for name, value in headers if name.lower() in _ALL]
    if any(count > 1 for count in Counter(name for name, _ in found).values()):
        raise MessageError(HEADER_MISMATCH, "Send each of the headers of MCP once.")
    return dict(found)


def check_headers(headers: Headers, *, version: object, method: str, params: dict[str, Any]) -> None:
    """Raise MessageError unless the headers match the body."""
    if headers.get(VERSION_HEADER) is None or headers[VERSION_HEADER] != version:
        raise MessageError(
            HEADER_MISMATCH, "Send the version of the body in the header MCP-Protocol-Version."
        )
    if headers.get(METHOD_HEADER) != method:
        raise MessageError(HEADER_MISMATCH, "Send the method of the body in the header Mcp-Method.")
    named = _NAMED.get(method)
    if named is None:
        return
    value = params.get(named)
    if value is not None and decode_header(headers.get(NAME_HEADER)) != value:
        raise MessageError(HEADER_MISMATCH, "Send what the body names in the header Mcp-Name.")


def decode_header(value: str | None) -> str | None:
    """Return the decoded text of a header, or None if it is missing or wrongly encoded."""
    if value is None or not (value.startswith(_BEFORE) and value.endswith(_AFTER)):
        return value
    encoded = value[len(_BEFORE) : -len(_AFTER)]
    try:
        decoded = base64.b64decode(encoded, validate=True)
        # Base64 of the same bytes can be written in several ways.
        return decoded.decode("utf-8") if base64.b64encode(decoded).decode("ascii") == encoded else None
    except (binascii.Error, ValueError):
        return None
