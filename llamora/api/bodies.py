"""Validation of request bodies and query parameters, before a call runs.

A body is one JSON object in UTF-8. These are refused: unknown fields, NUL and lone surrogates in texts,
numbers beyond 64 bits, nesting deeper than MAX_DEPTH, and a parameter that is given twice. `12.0` counts as
the whole number 12, as in JSON Schema.
"""

import math
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

import msgspec

from llamora.api.errors import ApiError
from llamora.threads import let_others_run

MAX_DEPTH: Final = 20
# Of fields and items in all; no call needs more.
_MOST_VALUES: Final = 100_000
# Of values between which pages go first.
_PART: Final = 2_000
_LARGEST: Final = 2**63 - 1
_T = TypeVar("_T")


def decode_body(body: bytes, type_: type[_T]) -> _T:
    """Return a body as the struct that its call expects; raise ApiError 400 or 422."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise ApiError(400, "malformed_json") from None
    return _convert(_Normalizer().normalize(value), type_, strict=True)


def parse_query(query: str, type_: type[_T]) -> _T:
    """Return a query string as the struct that its call expects; raise ApiError 422."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), errors="strict")
    except ValueError:
        raise ApiError(422, "invalid_field") from None
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ApiError(422, "invalid_field", message="A parameter is given twice.")
    return _convert(_Normalizer().normalize(values), type_, strict=False)


def parse_path_value(value: str, type_: type[_T]) -> _T:
    """Return a part of a path as a `type_` (an id or a day); raise ApiError 404 if it cannot be converted."""
    try:
        return msgspec.convert(value, type_, strict=False)
    except msgspec.ValidationError:
        raise ApiError(404, "not_found") from None


def _convert(value: object, type_: type[_T], *, strict: bool) -> _T:
    try:
        return msgspec.convert(value, type_, strict=strict)
    except msgspec.ValidationError as error:
        raise _explain(error) from None


def _explain(error: msgspec.ValidationError) -> ApiError:
    """Return a refusal that names the field; the library's sentence may repeat what was sent."""
    said = str(error)
    if said.startswith("Object contains unknown field"):
        return ApiError(422, "invalid_field", message=_UNKNOWN_FIELD)
    if said.startswith("Object missing required field `"):
        # Its name is from the description.
        field = said.split("`")[1]
        return ApiError(422, "invalid_field", field=field, message="This field is required.")
    _, _, place = said.rpartition(" - at `$")
    return ApiError(422, "invalid_field", field=place.rstrip("`").lstrip(".") if place != said else "")


_UNKNOWN_FIELD: Final = "There is a field that this call does not have; the description names those it has."


class _Normalizer:
    """Recursive check of a decoded JSON value, for limits that msgspec does not know."""

    def __init__(self) -> None:
        self._count = 0

    def normalize(self, value: Any, depth: int = 0) -> Any:
        """Return a decoded JSON value with each `float` that is a whole number replaced by an `int`.

        Raise ApiError for a NUL character, a number that is too large, or a body that is too large or deep.
        """
        self._count += 1
        if self._count % _PART == 0:
            let_others_run(before=1)
        if depth > MAX_DEPTH or self._count > _MOST_VALUES:
            raise ApiError(
                400, "malformed_json", message="The body is nested too deeply, or has too many values."
            )
        match value:
            case dict():
                return {self._check_text(key): self.normalize(item, depth + 1) for key, item in value.items()}
            case list():
                return [self.normalize(item, depth + 1) for item in value]
            case str():
                return self._check_text(value)
            case bool():
                return value
            case int() if abs(value) > _LARGEST:
                raise ApiError(422, "invalid_field", message="A number is too large.")
            case float() if math.isfinite(value) and value.is_integer() and abs(value) <= _LARGEST:
                return int(value)
        return value

    @staticmethod
    def _check_text(text: str) -> str:
        if "\x00" in text:
            raise ApiError(422, "invalid_field", message="A text has a NUL character in it.")
        return text
