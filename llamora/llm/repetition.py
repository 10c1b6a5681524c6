"""Notices a model that writes the same thing over and over. Pure; a few microseconds a look.

Text goes in circles when its tail equals itself shifted by some period, for at least `REPEATS` periods and
`SPAN` characters. Digits are left out, so that a numbered list of one sentence counts as a circle too. A
song's refrain or a table's rule stays well below both.
"""

SPAN = 600
REPEATS = 4
WINDOW = 8192
_STEP = 128
_NEEDLE = 24
_TRIES = 12
_NO_DIGITS = {ord(digit): None for digit in "0123456789"}


def goes_in_circles(text: str) -> bool:
    """Whether the end of this text is one passage repeated."""
    needle, place = text[-_NEEDLE:], len(text) - _NEEDLE
    start = place
    for _ in range(_TRIES):
        place = text.rfind(needle, 0, place + _NEEDLE - 1)
        if place < 0:
            return False
        period = start - place
        span = max(SPAN, period * REPEATS)
        if span + period <= len(text) and text[-span:] == text[-span - period : -period]:
            return True
    return False


class Guard:
    """Watches a stream of text."""

    def __init__(self) -> None:
        self._tail = ""
        self._new = 0

    def feed(self, text: str) -> bool:
        """Take more text; true once it goes in circles."""
        self._tail += text.translate(_NO_DIGITS)
        self._new += len(text)
        if self._new < _STEP:
            return False
        self._new = 0
        self._tail = self._tail[-WINDOW:]
        return goes_in_circles(self._tail)
