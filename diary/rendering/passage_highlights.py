"""Highlighting of a passage in the HTML of its text, for a page that opens at the passage. Pure.

The passage is given as Markdown source. So each run of its plain words is searched in the text between the
tags: first the longest run, then the others before and after it.
"""

import re
from typing import Final

from django.utils.safestring import SafeString, mark_safe

PASSAGE_ANCHOR: Final = "passage"
# Shorter runs stand in many places of a text.
_LEAST_RUN: Final = 11
_TAG: Final = re.compile(r"(<[^<>]*>)")
# What Markdown or HTML may write in another way: anything but words and simple punctuation.
_APART: Final = re.compile(r"[^\w ,.;:!?’“”«»…–—-]+|_+")
_EDGES: Final = " ,.;:!?-"

# The number of the part of the HTML, and where in it.
_Place = tuple[int, int]


def highlight_passage(html: SafeString, passage: str) -> SafeString:
    """Return HTML with a passage highlighted and an anchor at its beginning, if the passage is found."""
    if not passage:
        return html
    parts: list[str] = _TAG.split(html)
    found = _find_runs(parts, _split_runs(passage))
    for number, ((part, at), run) in reversed(list(enumerate(sorted(found.items())))):
        anchor = f' id="{PASSAGE_ANCHOR}"' if number == 0 else ""
        text = parts[part]
        mark = f'<mark class="found"{anchor}>{run}</mark>'
        parts[part] = f"{text[:at]}{mark}{text[at + len(run) :]}"
    return mark_safe("".join(parts))  # noqa: S308 - safe HTML, with marks around words of its text


def _split_runs(passage: str) -> list[str]:
    runs = [run for each in _APART.split(passage) if (run := each.strip(_EDGES))]
    longest = max(runs, key=len, default="")
    return [run for run in runs if len(run) >= _LEAST_RUN or run is longest]


def _find_runs(parts: list[str], runs: list[str]) -> dict[_Place, str]:
    """Return the places of the runs, in order before and after the longest one; empty without that one."""
    if not runs:
        return {}
    middle = max(range(len(runs)), key=lambda number: len(runs[number]))
    start = _find(parts, runs[middle], after=(0, 0))
    if start is None:
        return {}
    found = {start: runs[middle]}
    after = (start[0], start[1] + len(runs[middle]))
    for run in runs[middle + 1 :]:
        if place := _find(parts, run, after=after):
            found[place] = run
            after = (place[0], place[1] + len(run))
    before = start
    for run in reversed(runs[:middle]):
        if place := _find_last(parts, run, before=before):
            found[place] = run
            before = place
    return found


def _find(parts: list[str], run: str, *, after: _Place) -> _Place | None:
    # Every second part is a tag.
    for part in range(after[0], len(parts), 2):
        at = parts[part].find(run, after[1] if part == after[0] else 0)
        if at >= 0:
            return part, at
    return None


def _find_last(parts: list[str], run: str, *, before: _Place) -> _Place | None:
    for part in range(before[0], -1, -2):
        at = parts[part].rfind(run, 0, before[1] if part == before[0] else len(parts[part]))
        if at >= 0:
            return part, at
    return None
