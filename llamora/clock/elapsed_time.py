"""Elapsed time and cut-off times, computed from readings of two clocks. Pure: it reads no clock itself.

Two clocks are read together: the wall clock, which can be set, and the boot clock (CLOCK_BOOTTIME), which
cannot be set and also runs while the machine is suspended. Between two readings without a restart, the boot
clock says exactly how much time has passed. So `passed`, the elapsed time, grows with the boot clock only.

A **stretch** is a period between two changes of the wall clock. Its `offset` is the wall clock minus
`passed`. When the wall clock is set, the next stretch begins, and `passed` does not change.

While the machine is off, the boot clock does not run. At the next start the wall clock suggests how long that
was: this is the `gap` of a stretch. The gap is added to `passed` only after it was confirmed (`is_believed`),
by being

* seen on two starts of the machine, with an hour of running between: a clock that is wrong after each start
  is corrected by the network within minutes;
* or seen for two days of running.

A gap is never added if the wall clock is first set back to a time before the end of the gap.

**The cut-off time of an age.** A row may be deleted if its timestamp cannot have been written within that
age. Within that age the wall clock followed the offsets of a few stretches; the slowest of them gives the
cut-off time. So no row is deleted too early if a clock jumps ahead, or if a clock that was slow for a while
is corrected. There is no cut-off time until the very first stretch is confirmed, in the same way as a gap. If
the age reaches back before the first stretch, the offsets of all stretches are considered.
"""

import math
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any

# Seconds. NTP moves a clock by less without setting it, and a leap second is one.
TOLERANCE = 30.0
_ONE_HOUR, _ONE_DAY = 3600.0, 86400.0
BELIEVED_AFTER, BELIEVED_AFTER_ANOTHER_START = 2 * _ONE_DAY, _ONE_HOUR
# The longest ages that are asked for are some months. A clock that jumps all day must not fill the row.
_MOST_STRETCHES, _REMEMBERED = 100, 800 * _ONE_DAY


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One reading of both clocks: seconds since 1970, seconds since the boot, and the id of the boot."""

    wall: float
    boot_seconds: float
    boot_id: str


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A period between two changes of the wall clock. `since` and `until` are in elapsed seconds."""

    offset: float
    since: float
    until: float
    boot_id: str
    gap: float = 0.0
    is_believed: bool = True

    @property
    def first_wall_time(self) -> float:
        """The time that the wall clock showed when this period (`Stretch`) began, in seconds since 1970."""
        return self.offset + self.since


@dataclass(frozen=True, kw_only=True)
class Step:
    """A change of the wall clock: by how many seconds, and the time that it showed afterwards."""

    seconds: float
    wall: float


@dataclass(frozen=True, kw_only=True)
class ElapsedTime:
    """Seconds elapsed since the first clock reading, and the periods between changes of the wall clock.

    It is the state after the last reading; later readings are compared with it.

    `passed` is this time, `reading` the last reading, and `stretches` are explained in the module docstring.
    """

    reading: Reading
    passed: float
    stretches: tuple[Stretch, ...]

    @classmethod
    def begin(cls, reading: Reading) -> "ElapsedTime":
        """Return the state after the very first reading of the clocks."""
        first = Stretch(offset=reading.wall, since=0.0, until=0.0, boot_id=reading.boot_id, is_believed=False)
        return cls(reading=reading, passed=0.0, stretches=(first,))

    def observe(self, reading: Reading) -> "ElapsedTime":
        """Return the state after one more reading of the clocks."""
        passed = self.passed + self._measure(reading)
        stretches = self._disbelieve(reading.wall)
        if not stretches:
            return ElapsedTime.begin(reading)
        stretches[-1] = replace(stretches[-1], until=passed)
        step = reading.wall - passed - stretches[-1].offset
        if abs(step) > TOLERANCE:
            gap = 0.0 if self._is_same_start(reading) else max(0.0, step)
            stretches.append(
                Stretch(
                    offset=reading.wall - passed,
                    since=passed,
                    until=passed,
                    boot_id=reading.boot_id,
                    gap=gap,
                    is_believed=not gap,
                )
            )
        found = ElapsedTime(reading=reading, passed=passed, stretches=tuple(stretches))
        return found._believe()._tidy()

    def find_step(self, reading: Reading) -> float:
        """Return by how many seconds the wall clock was set since the last reading; 0 after a restart."""
        step = reading.wall - self.passed - self._measure(reading) - self.stretches[-1].offset
        return step if self._is_same_start(reading) and abs(step) > TOLERANCE else 0.0

    def shows_jump(self, reading: Reading) -> bool:
        """Return whether a reading shows that the machine was restarted or the wall clock was set."""
        return not self._is_same_start(reading) or bool(self.find_step(reading))

    def _is_same_start(self, reading: Reading) -> bool:
        # The state of a virtual machine can be put back: then it counts from an earlier time again.
        last = self.reading
        return reading.boot_id == last.boot_id and reading.boot_seconds >= last.boot_seconds

    def _measure(self, reading: Reading) -> float:
        """Return the seconds that have certainly passed since the last reading."""
        return reading.boot_seconds - self.reading.boot_seconds if self._is_same_start(reading) else 0.0

    def _disbelieve(self, wall: float) -> list[Stretch]:
        """Return the stretches, without unconfirmed gaps if the wall clock was set back before their end.

        Return none if it was set back before the beginning of a first stretch that is unconfirmed.
        """
        doubted = [
            not stretch.is_believed and wall < stretch.first_wall_time - TOLERANCE
            for stretch in self.stretches
        ]
        if doubted[0]:
            return []
        return [
            replace(stretch, gap=0.0, is_believed=True) if is_doubted else stretch
            for stretch, is_doubted in zip(self.stretches, doubted, strict=True)
        ]

    def _believe(self) -> "ElapsedTime":
        """Return the state in which each gap that was seen often or long enough is added to `passed`."""
        passed, stretches = self.passed, list(self.stretches)
        for place, stretch in enumerate(stretches):
            seen = passed - stretch.since
            is_later_start = stretch.boot_id != self.reading.boot_id
            needed = BELIEVED_AFTER_ANOTHER_START if is_later_start else BELIEVED_AFTER
            if stretch.is_believed or seen < needed:
                continue
            gap = stretch.gap
            stretches[place] = replace(stretch, gap=0.0, is_believed=True)
            stretches[place:] = [
                replace(each, offset=each.offset - gap, since=each.since + gap, until=each.until + gap)
                for each in stretches[place:]
            ]
            passed += gap
        return replace(self, passed=passed, stretches=tuple(stretches))

    def _tidy(self) -> "ElapsedTime":
        """Return the state with equal neighbouring stretches joined, and without those that ended long ago.

        If too many are left, the oldest are joined, too.
        """
        joined: list[Stretch] = []
        for stretch in self.stretches:
            if stretch.until < self.passed - _REMEMBERED:
                continue
            if joined and _can_be_joined(joined[-1], stretch):
                joined[-1] = _join(joined[-1], stretch)
            else:
                joined.append(stretch)
        while len(joined) > _MOST_STRETCHES:
            joined[:2] = [_join(*joined[:2])]
        return replace(self, stretches=tuple(joined))

    @property
    def has_cutoff_times(self) -> bool:
        """Whether cut-off times are known. They are unknown until the first wall clock time is confirmed."""
        return self.stretches[0].is_believed

    def find_cutoff(self, age: float) -> float | None:
        """Return the cut-off time: every row with an earlier timestamp is older than this age.

        It is in seconds since 1970. Return None if it is unknown.
        """
        if not self.has_cutoff_times:
            return None
        begin = self.passed - age
        is_all = begin < self.stretches[0].since
        offsets = [stretch.offset for stretch in self.stretches if is_all or stretch.until >= begin]
        return begin + min(*offsets, self.stretches[-1].offset)

    def find_latest_wall(self, age: float) -> float:
        """Return the latest time that the wall clock shows now, or would if it had not been set recently.

        The time is in seconds since 1970. For each moment of the past `age` seconds, the time is computed
        that the wall clock would show now if it had not been set since that moment. The latest of these times
        is returned.
        """
        begin = self.passed - age
        return self.passed + max(stretch.offset for stretch in self.stretches if stretch.until >= begin)

    def find_last_step(self, age: float) -> Step | None:
        """Return the latest change of the wall clock in the past `age` seconds, or None if there was none."""
        for before, after in reversed(list(pairwise(self.stretches))):
            seconds, ago = after.offset - before.offset, self.passed - after.since
            if abs(seconds) > TOLERANCE and not after.gap and ago <= age:
                return Step(seconds=seconds, wall=after.first_wall_time)
        return None

    def find_gap(self) -> Step | None:
        """Return the longest unconfirmed gap (time that may have passed with the machine off), or None."""
        longest = max(self.stretches, key=lambda stretch: stretch.gap)
        return Step(seconds=longest.gap, wall=longest.first_wall_time) if longest.gap else None

    def to_json(self) -> dict[str, Any]:
        """Return the state as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Any) -> "ElapsedTime":
        """Return the state from its JSON object; raise TypeError, ValueError or KeyError if it is invalid."""
        found = cls(
            reading=Reading(**value["reading"]),
            passed=value["passed"],
            stretches=tuple(Stretch(**stretch) for stretch in value["stretches"]),
        )
        reading, stretches = found.reading, found.stretches
        numbers = [found.passed, reading.wall, reading.boot_seconds]
        for each in stretches:
            numbers += [each.offset, each.since, each.until, each.gap]
        if not stretches or not all(math.isfinite(number) for number in numbers):
            raise ValueError("a record that says nothing")
        return found


def _can_be_joined(before: Stretch, after: Stretch) -> bool:
    is_even = abs(before.offset - after.offset) <= TOLERANCE
    return is_even and before.is_believed and after.is_believed


def _join(before: Stretch, after: Stretch) -> Stretch:
    """Return one stretch for the time of both, with the slower clock; their unconfirmed gaps are dropped."""
    is_known = before.is_believed or before.gap > 0
    return Stretch(
        offset=min(before.offset, after.offset),
        since=before.since,
        until=after.until,
        boot_id=after.boot_id if is_known else before.boot_id,
        is_believed=is_known,
    )
