"""Cuts off what a model wrote in circles. Digits do not count, as where the circles are noticed."""

import re

# The number of a list's item of which nothing else is left.
_NUMBER = re.compile(r"(?:^|\n)[ \t]*\d+[.)]?[ \t]*$")
_LONGEST_PERIOD = 2048
_NEEDLE = 24


def _period(text: str) -> int:
    """Characters from the end back to where the same passage ended before; 0 when it never did."""
    needle = text[-_NEEDLE:]
    found = text.rfind(needle, max(0, len(text) - _LONGEST_PERIOD), len(text) - 1)
    return len(text) - len(needle) - found if found >= 0 else 0


def without_circles(text: str) -> str:
    """The text up to where its last passage began to go round; the circles themselves are left out."""
    places = [place for place, sign in enumerate(text) if not sign.isdecimal()]
    bare = "".join(text[place] for place in places)
    period = _period(bare)
    if not period:
        return text
    start = len(bare) - period
    while start > 0 and bare[start - 1] == bare[start - 1 + period]:
        start -= 1
    # The sign that ended the sentence before may well end every circle too: it belongs to what stays.
    while not bare[start].isalnum() and start < len(bare) - period:
        start += 1
    return _NUMBER.sub("", text[: places[start]]).rstrip()
