"""Converters from stored values to the type of their column; damaged values become placeholder values.

If only the storage type is wrong, as for an envelope stored as text, the value is converted. For anything
else a placeholder is returned: a moment or day in 1970, an id that no row has, 0, False, or a text with
replacement characters. Placeholders need no mark, because envelopes and MACs are bound to the values read
here: with a placeholder they do not open. A placeholder also never extends a time limit or grants a right.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache
from hashlib import blake2b
from operator import methodcaller
from typing import Any, Final
from uuid import UUID

Reader = Callable[[Any, Any, Any], Any]

# Bytes that are not UTF-8 become lone surrogates, of which `to_stored_bytes` makes the same bytes again.
decode_text: Final = methodcaller("decode", "utf-8", "surrogateescape")

DAMAGED_MOMENT: Final = datetime(1970, 1, 1, tzinfo=UTC)
DAMAGED_DAY: Final = date(1970, 1, 1)

# SQLite sorts numbers and empty text before it. Whoever deletes what is old leaves these out: one flipped bit
# makes the number 0 of a moment that was never set.
FIRST_MOMENT: Final = datetime(1, 1, 1, tzinfo=UTC)

_ID_DIGITS: Final = 32

# The least and the largest number in each type of column.
RANGES: Final = {
    "PositiveSmallIntegerField": (0, 2**15 - 1),
    "PositiveIntegerField": (0, 2**31 - 1),
    "IntegerField": (-(2**31), 2**31 - 1),
}


def to_stored_bytes(value: object) -> bytes:
    """Return the bytes of a stored value of any type; for a number, its digits."""
    match value:
        case bytes() | memoryview():
            return bytes(value)
        case str():
            return value.encode("utf-8", "surrogateescape")
    return str(value).encode()


def to_text(value: object) -> str:
    """Return a stored value of any type as printable, encodable text."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            pass
        else:
            return value
    return to_stored_bytes(value).decode("utf-8", "replace")


def to_id(value: object) -> UUID:
    """Return a stored id as a UUID; each damaged value becomes a fixed UUID that no row has."""
    if isinstance(value, str) and len(value) == _ID_DIGITS:
        try:
            number = int(value, 16)
        except ValueError:
            number = -1
        # In any other spelling, or as bytes, a query for the id does not find it.
        if f"{number:032x}" == value:
            return UUID(int=number)
    # Of version 8 and variant 0, which no program makes.
    made = bytearray(blake2b(to_stored_bytes(value), digest_size=16).digest())
    made[6], made[8] = made[6] & 0x0F | 0x80, made[8] & 0x3F
    return UUID(bytes=bytes(made))


def _build_moment_reader(missing: datetime | None) -> Reader:
    def read_moment(value: Any, *_: object) -> datetime | None:
        if value is None:
            return missing
        try:
            moment = datetime.fromisoformat(value)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, TypeError, OverflowError):
            return read_moment(to_text(value)) if isinstance(value, bytes) else DAMAGED_MOMENT

    return read_moment


def _build_day_reader(missing: date | None) -> Reader:
    def read_day(value: Any, *_: object) -> date | None:
        if value is None:
            return missing
        try:
            return date.fromisoformat(value)
        except (ValueError, TypeError):
            return read_day(to_text(value)) if isinstance(value, bytes) else DAMAGED_DAY

    return read_day


def _build_id_reader(missing: UUID | None) -> Reader:
    return lambda value, *_: missing if value is None else to_id(value)


def _build_text_reader(missing: str | None) -> Reader:
    def read_text(value: Any, *_: object) -> str | None:
        if value is None:
            return missing
        return value if isinstance(value, str) and value.isascii() else to_text(value)

    return read_text


def _build_bytes_reader(missing: bytes | None) -> Reader:
    def read_bytes(value: Any, *_: object) -> bytes | None:
        if value is None:
            return missing
        return value if isinstance(value, bytes) else to_stored_bytes(value)

    return read_bytes


def _build_boolean_reader(missing: bool | None) -> Reader:
    return lambda value, *_: missing if value is None else value == 1


def _build_number_reader(least: int, largest: int, missing: int | None) -> Reader:
    def read_number(value: Any, *_: object) -> int | None:
        if value is None:
            return missing
        return value if isinstance(value, int) and least <= value <= largest else 0

    return read_number


# By type of column: how a reader is made, and what it reads where a column that must have a value has none,
# as after a bit of its description was flipped.
_BUILDERS: Final[dict[str, tuple[Callable[[Any], Reader], Any]]] = {
    "DateTimeField": (_build_moment_reader, DAMAGED_MOMENT),
    "DateField": (_build_day_reader, DAMAGED_DAY),
    "UUIDField": (_build_id_reader, to_id(None)),
    "CharField": (_build_text_reader, ""),
    "TextField": (_build_text_reader, ""),
    "BinaryField": (_build_bytes_reader, b""),
    "BooleanField": (_build_boolean_reader, False),
}


@cache
def build_reader(kind: str, *, is_column: bool, has_value: bool) -> Reader | None:
    """Return the converter for a column type, or None if the type needs none.

    An integer is converted only if it is the value of a column, and not the result of a function, such as a
    sum. `has_value` says that the column is not nullable.
    """
    if is_column and kind in RANGES:
        return _build_number_reader(*RANGES[kind], 0 if has_value else None)
    if kind not in _BUILDERS:
        return None
    build, missing = _BUILDERS[kind]
    return build(missing if has_value else None)
