"""Parser of the facts in the model's answer. Pure.

The expected answer is JSON: {"facts": [{"fact": "You have a dog called Biggie", "quote": "my dog Biggie",
"kind": "belongings"}]}. `parse_answer` also finds it within other text, and objects of a list that was cut
off. Nothing here says that a fact is true: see `traces.facts.proposals.checks`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from traces.facts.fact_body import KINDS

MAX_FACTS: Final = 8
MAX_FACT_LENGTH: Final = 200
MAX_QUOTE_LENGTH: Final = 300
ANSWER_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "facts": {
            "type": "array",
            "maxItems": MAX_FACTS,
            "items": {
                "type": "object",
                "properties": {
                    "quote": {"type": "string", "maxLength": MAX_QUOTE_LENGTH},
                    "fact": {"type": "string", "maxLength": MAX_FACT_LENGTH},
                    "kind": {"type": "string", "enum": list(KINDS)},
                },
                "required": ["quote", "fact", "kind"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["facts"],
    "additionalProperties": False,
}
# Beyond this an answer is no list of some facts any more.
_MAX_ANSWER: Final = 20_000
_DECODER: Final = json.JSONDecoder()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedFact:
    """A fact in the model's answer, with the quote that the model claims is from the entry."""

    fact: str = field(repr=False)
    quote: str = field(repr=False)
    kind: str = ""


def parse_answer(answer: str) -> list[ClaimedFact] | None:
    """Parse the facts in a model's answer. Return an empty list for no facts, None for a malformed answer."""
    text = answer[:_MAX_ANSWER]
    start = text.find("{")
    try:
        found = json.loads(text[start : text.rfind("}") + 1]) if start >= 0 else None
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict) and isinstance(found.get("facts"), list):
        items = found["facts"]
    else:
        # An answer that was cut off, or a bare list.
        items = list(_iter_objects(text))
        if not items:
            return [] if text.strip() in ("[]", "{}") else None
    return [claim for item in items if (claim := _read_claim(item)) is not None][:MAX_FACTS]


def _iter_objects(text: str) -> Iterator[Any]:
    """Yield the JSON objects in a text that contain a fact, even if the JSON around them is incomplete."""
    at = text.find("{")
    while at >= 0:
        end = at + 1
        try:
            found, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict) and "fact" in found:
            yield found
        else:
            end = at + 1
        at = text.find("{", end)


def _read_claim(item: Any) -> ClaimedFact | None:
    if not isinstance(item, dict):
        return None
    fact, quote, kind = (item.get(name, "") for name in ("fact", "quote", "kind"))
    if not (isinstance(fact, str) and isinstance(quote, str)):
        return None
    fact, quote = fact.strip(), quote.strip()
    if not 0 < len(fact) <= MAX_FACT_LENGTH or not 0 < len(quote) <= MAX_QUOTE_LENGTH:
        return None
    return ClaimedFact(fact=fact, quote=quote, kind=kind if isinstance(kind, str) else "")
