"""Limits on the memory for request bodies, by sender and in total.

A body counts with its full length from when its headers are read until its request has been answered. If the
limit is exceeded, the oldest incomplete body is refused: one of the same sender, if that sender is over the
cap, else one of the sender with the most bytes. So a body that is sent without delay is always read.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(eq=False, kw_only=True)
class Body:
    """A request body in memory. `refuse` is called if the body must make room for another body."""

    holder: str
    size: int
    refuse: Callable[[], None]
    is_complete: bool = False


class BodyBudget:
    """Byte counts of bodies, with caps for each sender and in total; used on the event loop's thread."""

    def __init__(self, *, most: int, most_per_holder: int) -> None:
        self._most, self._most_per_holder = most, most_per_holder
        # In the order in which they came.
        self._bodies: dict[Body, None] = {}
        self._held: defaultdict[str, int] = defaultdict(int)

    def get_size(self) -> int:
        """Return the total length in bytes of all request bodies that are in the budget now."""
        return sum(self._held.values())

    def add(self, body: Body) -> bool:
        """Count a body; return False if it exceeds a limit and no other body can be refused instead."""
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
        """Stop counting a body, if it is still counted."""
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
