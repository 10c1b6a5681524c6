"""Sizes of language models: read from a server's answer or from a model's name, and how small is too small.

    "Llama-3.2-1B-Instruct"    one billion parameters
    "smollm2:135m"             135 million
    "Mixtral-8x7B"             eight times seven billion
    "Qwen3-30B-A3B"            thirty billion, of which three are used for each word
    "gemma-3n-E2B"             counts as two billion

A name may also say how long a context is ("1M") or in how many bits a weight is stored ("4bit"). So the
largest size in it counts, and one of few million does not. A model of unknown size is not taken for small.
"""

import re
from typing import Final

# Below this, what a model writes about a diary is mostly invented or repeated.
_LEAST_PARAMETERS: Final = 1_500_000_000
# No model that answers at all is smaller.
_LEAST_IN_NAMES: Final = 10_000_000
_UNITS: Final = {"K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
_STATED_SIZE: Final = re.compile(r"(\d{1,6}(?:\.\d{1,6})?) ?([KMBT])", re.IGNORECASE)
_NAMED_SIZE: Final = re.compile(
    r"(?<![^\W_])(?<!\d\.)(?:(\d+)x)?e?(\d+(?:\.\d+)?)([MB])(?![^\W_])", re.IGNORECASE
)


def is_too_small(parameters: int | None) -> bool:
    """Return whether a model with so many parameters is too small for a diary; unknown is not too small."""
    return parameters is not None and parameters < _LEAST_PARAMETERS


def parse_size(value: object) -> int | None:
    """Return the number of parameters that a server states, as a number or as in "1.2B"; None if unknown."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value > 0 else None
    match = _STATED_SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    return _multiply(match[1], match[2]) or None if match else None


def find_size_in_name(name: str) -> int | None:
    """Return the number of parameters that a model's name tells; None if it tells none."""
    own_name = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    sizes = [int(times or 1) * _multiply(size, unit) for times, size, unit in _NAMED_SIZE.findall(own_name)]
    return max((size for size in sizes if size >= _LEAST_IN_NAMES), default=None)


def _multiply(size: str, unit: str) -> int:
    return round(float(size) * _UNITS[unit.upper()])
