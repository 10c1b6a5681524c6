"""Parser and check of the proposals in the model's answer. Pure.

The expected answer is JSON, with the number of a request, and words copied from the prompt:

    {"nothing": false, "proposals": [{"request": 1, "text": "...", "quotes": ["..."]}]}

A proposal for another request is dropped, and so is one whose quotes do not occur in the prompt.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

MAX_PROPOSALS: Final = 4
MAX_TEXT: Final = 500
MAX_QUOTE: Final = 300
MAX_QUOTES: Final = 4
_MAX_ANSWER: Final = 20_000


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A text proposed for a standing request, with quotes from the prompt. `request` is an index from 0."""

    request: int
    text: str = field(repr=False)
    quotes: tuple[str, ...] = field(default=(), repr=False)


def build_schema(requests: int) -> dict[str, Any]:
    """Return the JSON schema of an answer about this number of requests."""
    return {
        "type": "object",
        "properties": {
            "nothing": {"type": "boolean"},
            "proposals": {
                "type": "array",
                "maxItems": MAX_PROPOSALS,
                "items": {
                    "type": "object",
                    "properties": {
                        "request": {"type": "integer", "minimum": 1, "maximum": requests},
                        "text": {"type": "string", "maxLength": MAX_TEXT},
                        "quotes": {
                            "type": "array",
                            "maxItems": MAX_QUOTES,
                            "items": {"type": "string", "maxLength": MAX_QUOTE},
                        },
                    },
                    "required": ["request", "text", "quotes"],
                    "additionalProperties": False,
                },
            },
        },
        "required": ["nothing", "proposals"],
        "additionalProperties": False,
    }


def parse_answer(answer: str) -> list[dict[str, Any]] | None:
    """Return the proposals of an answer, an empty list if there are none, or None if it is malformed."""
    text = answer[:_MAX_ANSWER]
    start = text.find("{")
    try:
        found = json.loads(text[start : text.rfind("}") + 1]) if start >= 0 else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        return None
    proposals = found.get("proposals")
    if found.get("nothing") is True or not isinstance(proposals, list):
        return [] if "nothing" in found or "proposals" in found else None
    return [one for one in proposals if isinstance(one, dict)][:MAX_PROPOSALS]


def check_proposals(
    proposals: Iterable[dict[str, Any]], *, requests: int, read: Sequence[str]
) -> list[Proposal]:
    """Return the valid proposals: those for a request in the prompt, with quotes from the texts `read`.

    False quotes are removed from a proposal. A proposal with only false quotes is left out, but one without
    quotes is valid.
    """
    known = [_fold(text) for text in read]
    checked = (_check(one, requests=requests, known=known) for one in proposals)
    return [one for one in checked if one is not None]


def _check(one: dict[str, Any], *, requests: int, known: Sequence[str]) -> Proposal | None:
    number, text, quotes = one.get("request"), one.get("text"), one.get("quotes", [])
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= requests:
        return None
    if not isinstance(text, str) or not 0 < len(text.strip()) <= MAX_TEXT or not isinstance(quotes, list):
        return None
    given = [quote.strip() for quote in quotes if isinstance(quote, str) and quote.strip()]
    true = [quote for quote in given if len(quote) <= MAX_QUOTE and _stands_in(quote, known)]
    if given and not true:
        return None
    return Proposal(request=number - 1, text=_clean(text), quotes=tuple(true[:MAX_QUOTES]))


def _stands_in(quote: str, known: Sequence[str]) -> bool:
    folded = _fold(quote)
    return any(folded in text for text in known)


def _fold(text: str) -> str:
    return " ".join(text.split()).casefold()


def _clean(text: str) -> str:
    return "".join(one for one in text.strip() if one == "\n" or one.isprintable())
