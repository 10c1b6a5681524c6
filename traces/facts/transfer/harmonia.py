"""Parser of the memories that Harmonia exports, and of the facts that Llamora exports, both as JSON. Pure.

Harmonia answers with an object whose `data` is the list, as JSON in a string. People also save that list
alone, and its client saves the results of its calls `list` and `search`. Each memory is an object:

content           the sentence ("User has a dog called Biggie"); `memory` or `text` in variants of Harmonia
    category          its kind
    confidence_score  the confidence, from 0 to 1; `confidence` in our exports
    original_message  the message it is from, with "include metadata"
    created_at        when it was added
    is_active         false if it was deleted there; our exports have `state` instead
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from diary.generation.text_language import name_language
from traces.facts.fact_body import FactText, InvalidFact

MAX_BYTES: Final = 64 * 1024 * 1024
_MAX_QUOTE: Final = 2_000
_LISTS: Final = ("memories", "data", "results")
_TEXTS: Final = ("content", "memory", "text")
_PAST_STATES: Final = ("ended", "archived")
_LANGUAGES: Final = {"German": "de"}
_NO_MEMORIES: Final = (
    "This file holds no list of memories. Choose the JSON that Harmonia or Llamora exported, as it was saved."
)
_NOT_JSON: Final = "This file is not JSON. Export your memories again, as JSON, and choose that file."
_NOT_COMPLETE: Final = (
    "This file ends too early: it says it holds {said}, and holds {found}. Export your memories again."
)
_TOO_LARGE: Final = "This file is larger than 64 MB. Export your memories in parts."
_NO_SENTENCE: Final = "It has no sentence."


class InvalidFactFile(Exception):  # noqa: N818 - an answer to the person, not a fault
    """Raised for a file without readable memories; `sentence` says what to do, without the file's text."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, kw_only=True)
class ParsedMemory:
    """A memory in an imported file, parsed as a fact.

    `text` is None if the memory was deleted or has ended, or if it is not valid as a fact; then `refused`
    says why.
    """

    number: int
    text: FactText | None = field(default=None, repr=False)
    details: Mapping[str, Any] = field(default_factory=dict, repr=False)
    refused: str = ""


def read_memories(content: bytes) -> Iterator[ParsedMemory]:
    """Yield the memories of a file, numbered from 1; raise InvalidFactFile before the first."""
    rows = _find_rows(_parse(content))
    return (_parse_row(number, row) for number, row in enumerate(rows, start=1))


def _parse(content: bytes) -> Any:
    if len(content) > MAX_BYTES:
        raise InvalidFactFile(_TOO_LARGE)
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        # `from None`: the error quotes the file.
        raise InvalidFactFile(_NOT_JSON) from None


def _find_rows(value: Any) -> list[Any]:
    rows = value
    while not isinstance(rows, list):
        if isinstance(rows, str):
            rows = _parse(rows.encode("utf-8", "replace"))
            continue
        name = next((name for name in _LISTS if name in rows), None) if isinstance(rows, dict) else None
        if name is None:
            raise InvalidFactFile(_NO_MEMORIES)
        rows = rows[name]
    said = value.get("memory_count", value.get("count")) if isinstance(value, dict) else None
    if isinstance(said, int) and said > len(rows):
        raise InvalidFactFile(_NOT_COMPLETE.format(said=said, found=len(rows)))
    return rows


def _parse_row(number: int, row: Any) -> ParsedMemory:
    if not isinstance(row, dict):
        return ParsedMemory(number=number, refused=_NO_SENTENCE)
    if row.get("is_active") is False or row.get("state") in _PAST_STATES:
        return ParsedMemory(number=number)
    content = next((row[name] for name in _TEXTS if isinstance(row.get(name), str)), None)
    if content is None:
        return ParsedMemory(number=number, refused=_NO_SENTENCE)
    try:
        text = FactText.create(content, language=find_language(content), kind=_get_text(row, "category"))
    except InvalidFact as refused:
        return ParsedMemory(number=number, refused=refused.sentence)
    return ParsedMemory(number=number, text=text, details=_read_details(row))


def find_language(sentence: str) -> str:
    """Return the language of an imported sentence: "de" or "en"; any other language counts as "en"."""
    return _LANGUAGES.get(name_language(sentence), "en")


def _read_details(row: Mapping[str, Any]) -> dict[str, Any]:
    details: dict[str, Any] = {}
    confidence = row.get("confidence_score", row.get("confidence"))
    if isinstance(confidence, int | float) and math.isfinite(confidence) and 0 <= confidence <= 1:
        details["confidence"] = float(confidence)
    quoted = row.get("quote")
    said = quoted.get("text") if isinstance(quoted, dict) else row.get("original_message")
    if isinstance(said, str) and said.strip():
        # No place in an entry: it was said elsewhere.
        details["quote"] = {"text": said[:_MAX_QUOTE].encode("utf-8", "replace").decode()}
    return details


def _get_text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""
