"""Schemas that bind a real model to a few harmless words, since what it writes freely differs each time.

A small model may repeat its prompt, which ends a reply, or have nothing to say. Bound by one of these it does
neither: its text is over after three words, or has no end but its limit.
"""

from typing import Any, Final

WORD: Final[dict[str, Any]] = {"enum": ["weir", "mill", "heron", "wren"]}
SHORT: Final[dict[str, Any]] = {"type": "array", "items": WORD, "minItems": 3, "maxItems": 3}
# Each list contains another. Words are random, so that no passage is repeated.
_INNER: Final = {
    "type": "array",
    "prefixItems": [WORD, {"$ref": "#/$defs/inner"}],
    "minItems": 2,
    "maxItems": 2,
}
ENDLESS: Final[dict[str, Any]] = {"$ref": "#/$defs/inner", "$defs": {"inner": _INNER}}
