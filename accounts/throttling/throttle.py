"""Growing delays after failures: per name and address, per address, and (short) per name.

    pair      (kind, name, address)   the guesser of one password at one place; up to half a minute
    address   (kind, address)         one place trying many names; a few seconds
    name      (kind, name)            many places trying one name; a few seconds, and only for an address
                                      that has itself failed: nobody keeps the owner out from elsewhere

Kept in this process, bounded in size; a restart forgets. Each try counts from the moment it is let in, so
a burst of concurrent ones is counted too, and is taken back unless it turns out wrong. A delay of up to
PATIENCE is waited out here, by one request per address at a time; a longer one is refused with TooSoon.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from accounts.errors import TooManyAttempts
from accounts.usernames import fold_username
from llamora.threads import yield_turn

MAX_RECORDS = 4096
PATIENCE = 1.5
_STEP = 2.0


@dataclass(frozen=True, kw_only=True)
class ThrottleRule:
    """How many tries are free, how long the first delay is, how long the longest, when all is forgotten."""

    free: int
    first: float
    longest: float
    forget: float

    def delay(self, tries: int) -> float:
        """Return how long after the last of so many failed tries the next one may come."""
        if tries < self.free:
            return 0.0
        return min(self.longest, self.first * _STEP ** min(tries - self.free, 32))


class ThrottleKey(NamedTuple):
    """What a count is of; an empty name or address stands for any."""

    kind: str
    name: str
    address: str


PAIR = ThrottleRule(free=8, first=0.2, longest=30.0, forget=1800.0)
ADDRESS = ThrottleRule(free=15, first=0.25, longest=5.0, forget=300.0)
NAME = ThrottleRule(free=15, first=0.25, longest=3.0, forget=300.0)
# Asked while typing: many are normal, and nothing is learnt from the answer.
METER = ThrottleRule(free=40, first=0.5, longest=5.0, forget=30.0)


@dataclass
class _AttemptCount:
    tries: int
    last: float


class Attempt:
    """One attempt under way; it counts only once it is called wrong."""

    def __init__(self) -> None:
        self.is_failed = False
        self.is_succeeded = False

    def fail(self) -> None:
        """Keep the count."""
        self.is_failed = True

    def succeed(self) -> None:
        """Forget what was counted against this name at this address."""
        self.is_succeeded = True


class Throttle:
    """Counts of failed tries; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: OrderedDict[ThrottleKey, _AttemptCount] = OrderedDict()
        self._waiting_addresses: set[str] = set()

    @contextmanager
    def attempt(
        self, kind: str, *, name: str = "", address: str, charge: ThrottleRule = ADDRESS
    ) -> Iterator[Attempt]:
        """Let one try in, or raise TooSoon; it counts against the caller if it calls itself wrong."""
        rules = _build_rules(kind, name=fold_username(name), address=address, charge=charge)
        self._wait_for_admission(rules, address=address)
        made = Attempt()
        try:
            yield made
        finally:
            self._settle(rules, made)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._counts.clear()
            self._waiting_addresses.clear()

    def __len__(self) -> int:
        return len(self._counts)

    def _wait_for_admission(self, rules: dict[ThrottleKey, ThrottleRule], *, address: str) -> None:
        waited = False
        while True:
            with self._lock:
                delay = self._delay(rules, now=time.monotonic())
                if delay <= 0:
                    self._count(rules, now=time.monotonic())
                    self._waiting_addresses -= {address} if waited else set()
                    return
                if delay > PATIENCE or waited or address in self._waiting_addresses:
                    self._waiting_addresses -= {address} if waited else set()
                    raise TooManyAttempts(delay)
                self._waiting_addresses.add(address)
            waited = True
            with yield_turn():
                time.sleep(delay)

    def _delay(self, rules: dict[ThrottleKey, ThrottleRule], *, now: float) -> float:
        """Return the longest delay that still lasts; caller holds the lock."""
        delays = [0.0]
        known = False
        for key, rule in rules.items():
            count = self._counts.get(key)
            if count is None or now - count.last > rule.forget:
                self._counts.pop(key, None)
                continue
            # The name alone, last in order, never delays an address that has not failed itself.
            if key.address or known:
                delays.append(count.last + rule.delay(count.tries) - now)
            known = known or bool(key.address)
        return max(delays)

    def _count(self, rules: dict[ThrottleKey, ThrottleRule], *, now: float) -> None:
        for key in rules:
            count = self._counts.setdefault(key, _AttemptCount(0, now))
            count.tries, count.last = count.tries + 1, now
            self._counts.move_to_end(key)
        while len(self._counts) > MAX_RECORDS:
            self._counts.popitem(last=False)

    def _settle(self, rules: dict[ThrottleKey, ThrottleRule], made: Attempt) -> None:
        with self._lock:
            for key in rules:
                if made.is_succeeded and key.name and key.address:
                    self._counts.pop(key, None)
                elif made.is_failed:
                    self._restart(key)
                else:
                    self._take_back(key)

    def _restart(self, key: ThrottleKey) -> None:
        """Count the delay from the moment the answer is known."""
        if count := self._counts.get(key):
            count.last = time.monotonic()

    def _take_back(self, key: ThrottleKey) -> None:
        if count := self._counts.get(key):
            count.tries -= 1
            if count.tries <= 0:
                del self._counts[key]


def _build_rules(
    kind: str, *, name: str, address: str, charge: ThrottleRule
) -> dict[ThrottleKey, ThrottleRule]:
    if not name:
        return {ThrottleKey(kind, "", address): charge}
    return {
        ThrottleKey(kind, name, address): PAIR,
        ThrottleKey(kind, "", address): charge,
        ThrottleKey(kind, name, ""): NAME,
    }


throttle = Throttle()
