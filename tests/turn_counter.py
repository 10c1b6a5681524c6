"""A counter of turns, which fails if a caller waits for two turns of the same other caller."""

from collections import Counter
from collections.abc import Hashable, Iterable


class TurnCounter:
    """The turns that others had since each waiting caller began to wait or had a turn."""

    def __init__(self) -> None:
        self._turns: dict[Hashable, Counter[Hashable]] = {}

    def count(self, served: Hashable, *, waiting: Iterable[Hashable]) -> None:
        """Count the turn of one; `waiting` are those who have no turn now."""
        others = set(waiting) - {served}
        self._turns = {one: turns for one, turns in self._turns.items() if one in others}
        for one in others:
            turns = self._turns.setdefault(one, Counter())
            turns[served] += 1
            assert turns[served] == 1, f"{one} waits for two turns of {served}"
