"""Size of a language model, from a server's response or from the model's name, and the smallest useful size.

    "Llama-3.2-1B-Instruct"    one billion parameters
    "smollm2:135m"             135 million
    "Mixtral-8x7B"             eight times seven billion
    "Qwen3-30B-A3B"            thirty billion, of which three billion are active for each token
    "gemma-3n-E2B"             counts as two billion

A name may also contain the context length ("1M") or the bits per weight ("4bit"). So the largest number
counts, and numbers below ten million are ignored. A model of unknown size does not count as small.
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
    """Return whether a model with this number of parameters is too small for a diary; False if unknown."""
    return parameters is not None and parameters < _LEAST_PARAMETERS


def parse_size(value: object) -> int | None:
    """Return a number of parameters that a server states, as a number or as in "1.2B"; None if unknown."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value > 0 else None
    match = _STATED_SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    return _multiply(match[1], match[2]) or None if match else None


def find_size_in_name(name: str) -> int | None:
    """Return the number of parameters in a model's name, or None."""
    own_name = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    sizes = [int(times or 1) * _multiply(size, unit) for times, size, unit in _NAMED_SIZE.findall(own_name)]
    return max((size for size in sizes if size >= _LEAST_IN_NAMES), default=None)


def _multiply(size: str, unit: str) -> int:
    return round(float(size) * _UNITS[unit.upper()])
