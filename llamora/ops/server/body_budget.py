"""Limits on the memory for request bodies, for each sender and in all.

A body counts with its whole length from its head until its request has been answered. If there is no room,
the oldest body that is still on its way gives way: of the same holder, if that one is over the cap, else of
the holder with the most. So whoever sends a body at once gets it read.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(eq=False, kw_only=True)
class Body:
    """A request body that is being received or used; `refuse` is called if another one takes its place."""

    holder: str
    size: int
    refuse: Callable[[], None]
    is_complete: bool = False


class BodyBudget:
    """Bytes of bodies, with a cap for each holder and for all; belongs to the thread of the event loop."""

    def __init__(self, *, most: int, most_per_holder: int) -> None:
        self._most, self._most_per_holder = most, most_per_holder
        # In the order in which they came.
        self._bodies: dict[Body, None] = {}
        self._held: defaultdict[str, int] = defaultdict(int)

    def get_size(self) -> int:
        """Return the number of bytes that count now."""
        return sum(self._held.values())

    def add(self, body: Body) -> bool:
        """Count a body; return False, and count nothing, if there is no room and nobody can give way."""
        while self._held[body.holder] + body.size > self._most_per_holder:
            if not self._end_oldest({body.holder}):
                return self._give_up(body)
        while self.get_size() + body.size > self._most:
            most = max(self._held.values())
            holders = {holder for holder, size in self._held.items() if size == most}
            if not self._end_oldest(holders) and not self._end_oldest(set(self._held)):
                return self._give_up(body)
        self._bodies[body] = None
        self._held[body.holder] += body.size
        return True

    def remove(self, body: Body) -> None:
        """Count a body no more; it does not matter if it counts no more already."""
        if self._bodies.pop(body, body) is None:
            self._held[body.holder] -= body.size
            self._drop_if_empty(body.holder)

    def _give_up(self, body: Body) -> bool:
        self._drop_if_empty(body.holder)
        return False

    def _drop_if_empty(self, holder: str) -> None:
        if not self._held[holder]:
            del self._held[holder]

    def _end_oldest(self, holders: set[str]) -> bool:
        for body in self._bodies:
            if body.holder in holders and not body.is_complete:
                self.remove(body)
                body.refuse()
                return True
        return False
