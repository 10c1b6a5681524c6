"""Growing delays after failed attempts, counted per name and address, per address, and per name.

    pair      (kind, name, address)   somebody guessing one password from one address; up to half a minute
    address   (kind, address)         one address trying many names; a few seconds
    name      (kind, name)            many addresses trying one name; a few seconds, and only for an address
                                      that has failed itself, so that others cannot delay the owner

The counts are in the memory of this process, with a limit on their number; a restart clears them. An attempt
is counted when it begins, so that concurrent attempts count too, and the count is undone unless the attempt
fails. If the delay is at most PATIENCE, the request waits, one per address at a time; else TooManyAttempts is
raised.

If there are too many requests (in the slow pool of `llamora.asgi`, or in the derivation queue), addresses
with fewer unsuccessful attempts come first: see `count_unsuccessful`. Attempts that were refused because the
queue was full count there, too. Otherwise an address with many requests would have the same priority as one
with a single request.
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
_FORGET_UNSUCCESSFUL = 300.0


@dataclass(frozen=True, kw_only=True)
class ThrottleRule:
    """The number of free attempts, the first and the longest delay, and the age at which a count expires."""

    free: int
    first: float
    longest: float
    forget: float

    def delay(self, attempts: int) -> float:
        """Return the delay in seconds after this number of failed attempts."""
        if attempts < self.free:
            return 0.0
        return min(self.longest, self.first * _STEP ** min(attempts - self.free, 32))


class ThrottleKey(NamedTuple):
    """Key of a count: kind, name and address; an empty name or address stands for any."""

    kind: str
    name: str
    address: str


PAIR = ThrottleRule(free=8, first=0.2, longest=30.0, forget=1800.0)
ADDRESS = ThrottleRule(free=15, first=0.25, longest=5.0, forget=300.0)
NAME = ThrottleRule(free=15, first=0.25, longest=3.0, forget=300.0)
# The password meter asks while somebody types: many requests are normal, and none helps a guesser.
STRENGTH_METER = ThrottleRule(free=40, first=0.5, longest=5.0, forget=30.0)


@dataclass
class _AttemptCount:
    attempts: int
    last: float


class Attempt:
    """One attempt in progress; its count remains only if it fails.

    `unsuccessful` is the value of `count_unsuccessful` for this address before the attempt.
    """

    def __init__(self, *, unsuccessful: int) -> None:
        self.unsuccessful = unsuccessful
        self.is_failed = False
        self.is_succeeded = False

    def fail(self) -> None:
        """Mark the attempt as failed, so that it remains counted."""
        self.is_failed = True

    def succeed(self) -> None:
        """Mark the attempt as successful, which clears the count of this name and address."""
        self.is_succeeded = True


class Throttle:
    """Counts of failed attempts; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: OrderedDict[ThrottleKey, _AttemptCount] = OrderedDict()
        self._unsuccessful: OrderedDict[str, _AttemptCount] = OrderedDict()
        self._waiting_addresses: set[str] = set()

    @contextmanager
    def attempt(
        self, kind: str, *, name: str = "", address: str, address_rule: ThrottleRule = ADDRESS
    ) -> Iterator[Attempt]:
        """Begin one attempt, after waiting for a short delay; raise TooManyAttempts if the delay is long."""
        rules = _build_rules(
            kind, name=fold_username(name) if name else "", address=address, address_rule=address_rule
        )
        is_ranked = address_rule is not STRENGTH_METER
        unsuccessful = self.count_unsuccessful(address)
        if is_ranked:
            self._count_unsuccessful(address)
        self._wait_for_admission(rules, address=address)
        attempt = Attempt(unsuccessful=unsuccessful)
        try:
            yield attempt
        except BaseException:
            self._record_result(rules, attempt)
            raise
        self._record_result(rules, attempt)
        if is_ranked and not attempt.is_failed:
            self._uncount_unsuccessful(address)

    def count_unsuccessful(self, address: str) -> int:
        """Return how many recent attempts from an address failed, were refused or are in progress."""
        with self._lock:
            count = self._unsuccessful.get(address)
            if count is None or time.monotonic() - count.last > _FORGET_UNSUCCESSFUL:
                self._unsuccessful.pop(address, None)
                return 0
            return count.attempts

    def clear(self) -> None:
        """Clear all counts."""
        with self._lock:
            self._counts.clear()
            self._unsuccessful.clear()
            self._waiting_addresses.clear()

    def __len__(self) -> int:
        return len(self._counts)

    def _wait_for_admission(self, rules: dict[ThrottleKey, ThrottleRule], *, address: str) -> None:
        waited = False
        while True:
            with self._lock:
                delay = self._get_remaining_delay(rules, now=time.monotonic())
                if delay <= 0:
                    self._count_attempt(rules, now=time.monotonic())
                    self._waiting_addresses -= {address} if waited else set()
                    return
                if delay > PATIENCE or waited or address in self._waiting_addresses:
                    self._waiting_addresses -= {address} if waited else set()
                    raise TooManyAttempts(delay)
                self._waiting_addresses.add(address)
            waited = True
            with yield_turn():
                time.sleep(delay)

    def _get_remaining_delay(self, rules: dict[ThrottleKey, ThrottleRule], *, now: float) -> float:
        """Return the longest remaining delay; the caller holds the lock."""
        delays = [0.0]
        has_failed_here = False
        for key, rule in rules.items():
            count = self._counts.get(key)
            if count is None or now - count.last > rule.forget:
                self._counts.pop(key, None)
                continue
            # The key of the name alone is the last: it never delays an address that has not failed itself.
            if key.address or has_failed_here:
                delays.append(count.last + rule.delay(count.attempts) - now)
            has_failed_here = has_failed_here or bool(key.address)
        return max(delays)

    def _count_attempt(self, rules: dict[ThrottleKey, ThrottleRule], *, now: float) -> None:
        for key in rules:
            count = self._counts.setdefault(key, _AttemptCount(0, now))
            count.attempts, count.last = count.attempts + 1, now
            self._counts.move_to_end(key)
        while len(self._counts) > MAX_RECORDS:
            self._counts.popitem(last=False)

    def _count_unsuccessful(self, address: str) -> None:
        with self._lock:
            count = self._unsuccessful.setdefault(address, _AttemptCount(0, 0.0))
            count.attempts, count.last = count.attempts + 1, time.monotonic()
            self._unsuccessful.move_to_end(address)
            while len(self._unsuccessful) > MAX_RECORDS:
                self._unsuccessful.popitem(last=False)

    def _uncount_unsuccessful(self, address: str) -> None:
        with self._lock:
            if count := self._unsuccessful.get(address):
                count.attempts -= 1
                if count.attempts <= 0:
                    del self._unsuccessful[address]

    def _record_result(self, rules: dict[ThrottleKey, ThrottleRule], attempt: Attempt) -> None:
        with self._lock:
            for key in rules:
                if attempt.is_succeeded and key.name and key.address:
                    self._counts.pop(key, None)
                elif attempt.is_failed:
                    self._restart_delay(key)
                else:
                    self._uncount_attempt(key)

    def _restart_delay(self, key: ThrottleKey) -> None:
        """Restart the delay, which is measured from the end of the latest failed attempt."""
        if count := self._counts.get(key):
            count.last = time.monotonic()

    def _uncount_attempt(self, key: ThrottleKey) -> None:
        if count := self._counts.get(key):
            count.attempts -= 1
            if count.attempts <= 0:
                del self._counts[key]


def _build_rules(
    kind: str, *, name: str, address: str, address_rule: ThrottleRule
) -> dict[ThrottleKey, ThrottleRule]:
    if not name:
        return {ThrottleKey(kind, "", address): address_rule}
    return {
        ThrottleKey(kind, name, address): PAIR,
        ThrottleKey(kind, "", address): address_rule,
        ThrottleKey(kind, name, ""): NAME,
    }


throttle = Throttle()
