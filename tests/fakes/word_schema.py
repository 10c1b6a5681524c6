"""Schemas that limit a real model to a few harmless words, since its free text differs each time.

A small model may repeat its prompt, which ends a reply, or write nothing. With one of these schemas it does
neither: its text ends after three words, or only at its limit.
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
