"""The numbers of sources in an answer, as in "in May [2, 5]": those that do not exist are left out. Pure.

A model also invents numbers. A claim without a source is seen for what it is; one with a source that does not
exist looks proven.
"""

import re
from typing import Final

_NUMBERS: Final = re.compile(
    r"(?P<gap>[ \t]{0,3})\[(?P<said>[ \t]?[0-9]{1,3}(?:[ \t]?[,;–-][ \t]?[0-9]{1,3}){0,11}[ \t]?)\]"
)
# What may become such numbers with the next piece, longer than any of them.
_OPEN: Final = re.compile(r"[ \t]{0,3}(?:\[[0-9 \t,;–-]{0,80})?\Z")
_DIGITS: Final = re.compile(r"[0-9]+")


def drop_unknown_numbers(text: str, *, count: int) -> str:
    """Return an answer with the numbers of its `count` sources alone."""
    return _NUMBERS.sub(lambda found: _select_known(found, count), text)


def _select_known(found: re.Match[str], count: int) -> str:
    numbers = [int(number) for number in _DIGITS.findall(found["said"])]
    known = [number for number in numbers if 1 <= number <= count]
    if len(known) == len(numbers):
        return found[0]
    return f"{found['gap']}[{', '.join(map(str, known))}]" if known else ""


class SourceNumberFilter:
    """The same for an answer while it is written: what may still become a number is held back."""

    def __init__(self, *, count: int) -> None:
        self._count = count
        self._held = ""

    def feed(self, text: str) -> str:
        """Take the next piece, and return what is settled."""
        held = self._held + text
        found = _OPEN.search(held)
        end = found.start() if found else len(held)
        self._held = held[end:]
        return drop_unknown_numbers(held[:end], count=self._count)

    def finish(self) -> str:
        """Return the rest at the end of the answer."""
        held, self._held = self._held, ""
        return drop_unknown_numbers(held, count=self._count)
