"""What a file that an export wrote holds, told before anything of it is imported.

It is read twice: an entry's traces stand before the rows that say when those were made, and a file that is
of another format must be refused whole.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from diary.importing import BadLine
from diary.own_json import Broken, NotOurs, Value
from diary.own_rows import Given, given
from diary.own_values import Row

# What a kind is called is told to who imports: anything else would put words of the file on a terminal, or
# signs that it obeys, or what cannot be written there at all.
_KIND: Final = re.compile(r"[a-z_]{1,40}")


@dataclass(kw_only=True)
class Overview:
    """How many entries there are, the rows that belong to none, and how many of them nobody takes back."""

    entries: int = 0
    rows: dict[str, list[Row]] = field(default_factory=dict, repr=False)
    passed_over: Counter[str] = field(default_factory=Counter)
    is_broken: bool = False


def look_over(values: Iterable[Value], *, wanted: Collection[str]) -> Overview:
    """Return what a file holds, with its rows of the wanted kinds; raise NotOurs."""
    overview, seen = Overview(), set()
    try:
        for key, value in values:
            seen.add(key)
            _note(overview, key, value, wanted=wanted)
    except Broken:
        overview.is_broken = True
    if "format" not in seen:
        raise NotOurs("This is no diary that Llamora wrote out.")
    return overview


def _note(overview: Overview, key: str, value: object, *, wanted: Collection[str]) -> None:
    kind = key.removeprefix("others.")
    if key == "entries":
        overview.entries += 1
    elif kind == key:
        return
    elif kind in wanted and isinstance(value, dict):
        overview.rows.setdefault(kind, []).append(value)
    else:
        overview.passed_over[kind if _KIND.fullmatch(kind) else "rows_of_other_kinds"] += 1


def entries_in(values: Iterable[Value], *, now: datetime, limit: int) -> Iterator[Given | BadLine]:
    """Yield the entries of a file by their number in it, as far as it can be read."""
    number = 0
    try:
        for key, value in values:
            if key == "entries":
                number += 1
                yield given(number, value, now=now, limit=limit)
    except Broken:
        return
