"""Notices a model that writes the same thing over and over. Pure; a few microseconds a look.

Text goes in circles when its tail equals itself shifted by some period, for at least `REPEATS` periods and
`SPAN` characters. Digits are left out, so that a numbered list of one sentence counts as a circle too. A
song's refrain or a table's rule stays well below both.
"""

import re

# MERGED llamora.inference.circles: Cuts off what a model wrote in circles. Digits do not count, as where
# the circles are noticed.

SPAN = 600
REPEATS = 4
WINDOW = 8192
_STEP = 128
_NEEDLE = 24
_TRIES = 12
_NO_DIGITS = {ord(digit): None for digit in "0123456789"}


def is_repeating(text: str) -> bool:
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


class RepetitionDetector:
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
        return is_repeating(self._tail)


# The number of a list's item of which nothing else is left.
_LIST_NUMBER = re.compile(r"(?:^|\n)[ \t]*\d+[.)]?[ \t]*$")
_LONGEST_PERIOD = 2048
_PASSAGE_LENGTH = 24


def _repetition_period(text: str) -> int:
    """Characters from the end back to where the same passage ended before; 0 when it never did."""
    needle = text[-_PASSAGE_LENGTH:]
    found = text.rfind(needle, max(0, len(text) - _LONGEST_PERIOD), len(text) - 1)
    return len(text) - len(needle) - found if found >= 0 else 0


def strip_repetition(text: str) -> str:
    """The text up to where its last passage began to go round; the circles themselves are left out."""
    places = [place for place, sign in enumerate(text) if not sign.isdecimal()]
    bare = "".join(text[place] for place in places)
    period = _repetition_period(bare)
    if not period:
        return text
    start = len(bare) - period
    while start > 0 and bare[start - 1] == bare[start - 1 + period]:
        start -= 1
    # The sign that ended the sentence before may well end every circle too: it belongs to what stays.
    while not bare[start].isalnum() and start < len(bare) - period:
        start += 1
    return _LIST_NUMBER.sub("", text[: places[start]]).rstrip()
