"""Repetition in a model's text: detected in a stream, and removed from the end of a reply.

Text repeats itself if its end equals itself shifted by some period, for at least `REPEATS` periods and
`SPAN` characters. Digits are ignored, so that a numbered list of one sentence counts as repetition too. The
refrain of a song or the line of a table is shorter than both limits. One check takes a few microseconds.
"""

import re

SPAN = 600
REPEATS = 4
WINDOW = 8192
_STEP = 128
_NEEDLE = 24
_ATTEMPTS = 12
_NO_DIGITS = {ord(digit): None for digit in "0123456789"}
# The number of a list item whose text was removed.
_LIST_NUMBER = re.compile(r"(?:^|\n)[ \t]*\d+[.)]?[ \t]*$")
_LONGEST_PERIOD = 2048
_PASSAGE_LENGTH = 24


def is_repeating(text: str) -> bool:
    """Return whether a text ends with a repeated passage."""
    needle, position = text[-_NEEDLE:], len(text) - _NEEDLE
    start = position
    for _ in range(_ATTEMPTS):
        position = text.rfind(needle, 0, position + _NEEDLE - 1)
        if position < 0:
            return False
        period = start - position
        span = max(SPAN, period * REPEATS)
        if span + period <= len(text) and text[-span:] == text[-span - period : -period]:
            return True
    return False


class RepetitionDetector:
    """Detector of repetition in a stream of text."""

    def __init__(self) -> None:
        self._tail = ""
        self._new = 0

    def feed(self, text: str) -> bool:
        """Add text and return whether the text now repeats itself."""
        self._tail += text.translate(_NO_DIGITS)
        self._new += len(text)
        if self._new < _STEP:
            return False
        self._new = 0
        self._tail = self._tail[-WINDOW:]
        return is_repeating(self._tail)


def strip_repetition(text: str) -> str:
    """Return the text without the repeated passage at its end."""
    positions = [position for position, sign in enumerate(text) if not sign.isdecimal()]
    bare = "".join(text[position] for position in positions)
    period = _find_period(bare)
    if not period:
        return text
    start = len(bare) - period
    while start > 0 and bare[start - 1] == bare[start - 1 + period]:
        start -= 1
    # A sign that ends each repetition may also end the sentence before, so it belongs to the rest.
    while not bare[start].isalnum() and start < len(bare) - period:
        start += 1
    return _LIST_NUMBER.sub("", text[: positions[start]]).rstrip()


def _find_period(text: str) -> int:
    """Return how many characters earlier the last passage of the text occurs before; 0 if it does not."""
    needle = text[-_PASSAGE_LENGTH:]
    found = text.rfind(needle, max(0, len(text) - _LONGEST_PERIOD), len(text) - 1)
    return len(text) - len(needle) - found if found >= 0 else 0
