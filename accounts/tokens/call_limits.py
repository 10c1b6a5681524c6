"""Rate limits of programs: calls within a minute, and within an hour.

The times are in the memory of this process; a restart clears them.
"""

import threading
import time
from collections import OrderedDict, deque
from uuid import UUID

from accounts.errors import TooManyCalls

PER_MINUTE, PER_HOUR = 100, 1000
_MINUTE, _HOUR = 60.0, 3600.0
_MOST_TOKENS = 1024


class CallLimits:
    """Thread-safe limiter of calls, which records the times of each token's last calls."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._times: OrderedDict[UUID, deque[float]] = OrderedDict()

    def count(self, token_id: UUID, *, now: float | None = None) -> None:
        """Count one call; raise TooManyCalls, without counting it, if there were too many."""
        now = time.monotonic() if now is None else now
        with self._lock:
            times = self._times.setdefault(token_id, deque(maxlen=PER_HOUR))
            self._times.move_to_end(token_id)
            while len(self._times) > _MOST_TOKENS:
                self._times.popitem(last=False)
            delay = max(_get_delay(times, PER_MINUTE, _MINUTE, now), _get_delay(times, PER_HOUR, _HOUR, now))
            if delay > 0:
                raise TooManyCalls(delay)
            times.append(now)

    def clear(self) -> None:
        """Clear the times of all calls."""
        with self._lock:
            self._times.clear()


def _get_delay(times: deque[float], most: int, period: float, now: float) -> float:
    """Return the seconds until another call is within a limit."""
    return times[-most] + period - now if len(times) >= most else 0.0


call_limits = CallLimits()
