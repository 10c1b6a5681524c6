"""Cursor pagination of lists, in which no item is missed or repeated when the list changes between pages."""

import base64
import binascii
import json
from typing import Annotated, Any, Final

import msgspec

from llamora.api.errors import ApiError

USUAL_LIMIT: Final = 50
Limit = Annotated[int, msgspec.Meta(ge=1, le=200, description="How many at most, from 1 to 200.")]
Offset = Annotated[int, msgspec.Meta(ge=0, le=1_000_000, description="How many to leave out.")]
Cursor = Annotated[
    str, msgspec.Meta(max_length=200, description="The next_cursor of the part before; empty for the first.")
]


def encode_cursor(*values: object) -> str:
    """Return plain values (dates and ids, never texts) as a cursor."""
    return (
        base64.urlsafe_b64encode(json.dumps([str(value) for value in values]).encode()).decode().rstrip("=")
    )


def decode_cursor(cursor: str, *types: Any) -> list[Any] | None:
    """Return the values of a cursor, or None for an empty one; raise ApiError 422 for an invalid one."""
    if not cursor:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        return [
            msgspec.convert(value, type_, strict=False) for value, type_ in zip(values, types, strict=True)
        ]
    except (ValueError, binascii.Error, UnicodeDecodeError, RecursionError):
        raise ApiError(422, "invalid_field", field="cursor") from None
