"""Parser of the names in the model's answer. Pure.

The expected answer is JSON: {"emoji": "☕", "traces": ["the weir", "Aunt Iris"]}. `parse_strict` accepts
nothing else; `parse_tolerant` also finds an object within other text, a bare list, or a list of lines. Both
return the emoji first, then up to four names, or an empty list. A name that contains a score, such as "7/10",
is refused.
"""

import json
import re
import unicodedata
from collections.abc import Iterable
from typing import Any, Final

from traces.names import InvalidTraceName, clean_name, get_identity

MIN_NAMES: Final = 2
MAX_NAMES: Final = 4
MAX_PROPOSED_LENGTH: Final = 40
ANSWER_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "emoji": {"type": "string", "maxLength": 8},
        "traces": {
            "type": "array",
            "items": {"type": "string", "maxLength": MAX_PROPOSED_LENGTH},
            "minItems": MIN_NAMES,
            "maxItems": MAX_NAMES,
        },
    },
    "required": ["emoji", "traces"],
    "additionalProperties": False,
}
_MAX_WORDS = 4
_WORD = re.compile(r"\w+")
# Thai, Lao, Khmer, and the scripts of Chinese and Japanese.
_WITHOUT_SPACES = re.compile("[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_SCORE = re.compile(r"\d\s*(?:/|%|out of)|[%★☆⭐]")
_LIST_MARK = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s*")
_EDGE_CHARACTERS = " \t\"'“”‘’«»`*_#.,;:!?"


def parse_strict(answer: str) -> list[str]:
    """Return the names in an answer that follows the schema, or an empty list."""
    try:
        found = json.loads(answer)
    except (ValueError, RecursionError):
        return []
    if not isinstance(found, dict) or not isinstance(found.get("traces"), list):
        return []
    names = _clean_names(found["traces"])
    emoji = _parse_emoji(found.get("emoji"))
    return [emoji, *names] if emoji and len(names) >= MIN_NAMES else []


def parse_tolerant(answer: str) -> list[str]:
    """Return the names that can be found in an answer of any form."""
    found = _find_json(answer)
    if isinstance(found, dict):
        values = found.get("traces") or found.get("tags") or found.get("labels") or []
        names = _clean_names(values if isinstance(values, list) else [values])
        emoji = _parse_emoji(found.get("emoji"))
    elif isinstance(found, list):
        names, emoji = _clean_names(found), ""
    else:
        names, emoji = _clean_names(_parse_list_lines(answer)), ""
    return [emoji, *names] if emoji and names else names


def filter_supported(names: Iterable[str], *, text: str, known_names: Iterable[str]) -> list[str]:
    """Return the names that are in use already, or whose words all occur in the text.

    A name without words, such as an emoji, is returned too. A model invents names, or takes one from its
    instructions; a trace must lead back to what was written.
    """
    known = {get_identity(name) for name in known_names}
    written = get_identity(text)
    words = set(_WORD.findall(written))
    return [
        name
        for name in names
        if get_identity(name) in known or _is_written(get_identity(name), words=words, text=written)
    ]


def _is_written(identity: str, *, words: set[str], text: str) -> bool:
    if _WITHOUT_SPACES.search(identity):
        return identity in text
    return words.issuperset(_WORD.findall(identity))


def _find_json(answer: str) -> Any:
    for opens, closes in (("{", "}"), ("[", "]")):
        start, end = answer.find(opens), answer.rfind(closes)
        if -1 < start < end:
            try:
                return json.loads(answer[start : end + 1])
            except (ValueError, RecursionError):
                continue
    return None


def _parse_list_lines(answer: str) -> list[str]:
    """Return the items of a line-by-line list, or an empty list for prose."""
    lines = [line for line in answer.splitlines() if line.strip()]
    marked = [_LIST_MARK.sub("", line) for line in lines if _LIST_MARK.match(line)]
    return marked if len(marked) >= MIN_NAMES else []


def _clean_names(values: Iterable[object]) -> list[str]:
    names: dict[str, str] = {}
    for value in values:
        name = _clean_proposed_name(value) if isinstance(value, str) else None
        if name is not None:
            names.setdefault(get_identity(name), name)
    return list(names.values())[:MAX_NAMES]


def _clean_proposed_name(text: str) -> str | None:
    try:
        name = clean_name(text.strip(_EDGE_CHARACTERS))
    except InvalidTraceName:
        return None
    too_much = len(name) > MAX_PROPOSED_LENGTH or len(name.split()) > _MAX_WORDS or _SCORE.search(name)
    return None if too_much or not any(map(str.isalnum, name)) else name


def _parse_emoji(value: object) -> str:
    """Return the emoji if `value` is a single one; an empty string for words, several emoji, or a score."""
    if not isinstance(value, str) or not 0 < len(value.strip()) <= 8 or _SCORE.search(value):
        return ""
    sign = value.strip()
    pictures = [one for one in re.split("\u200d", sign) if one]
    bases = [[c for c in picture if unicodedata.category(c) in ("So", "Sm")] for picture in pictures]
    is_flag = len(sign) == 2 and all("\U0001f1e6" <= c <= "\U0001f1ff" for c in sign)
    others = [c for c in sign if unicodedata.category(c) not in ("So", "Sm", "Mn", "Sk", "Cf")]
    is_one = is_flag or (bases != [] and all(len(base) == 1 for base in bases))
    return sign if is_one and not others else ""
