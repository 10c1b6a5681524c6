"""Elapsed time from readings of two clocks, and the cut-offs by age that follow. Pure: it reads no clock.

Two clocks are read together: the wall clock, which anybody can set, and the clock since the machine was
started, which counts while it is suspended and cannot be set. Between two readings of one start of the
machine the second one says exactly how much time has passed. So `passed` grows with it alone.

A **stretch** is a time in which the wall clock ran evenly: `offset` is what it said, less `passed`. Where the
wall clock is set, the next stretch begins, and nothing has passed for it.

While the machine is off nothing counts. At the next start the wall clock says how long that was: the `gap` of
a stretch. It is believed later, when it was

* seen on two starts of the machine, with an hour of running between: a clock that is wrong after each start
  is corrected by the network within minutes;
* or seen for two days of running;

and never if the wall clock goes back behind it before. A gap that is believed has passed.

**The cut-off of an age.** Something is over for good if nobody can have written its time within that age. In
that time the wall clock followed the offsets of a few stretches; the slowest of them gives the cut-off. So a
clock that jumps ahead deletes nothing, and neither does one that was behind for a while and is corrected.
Nothing is over before the very first stretch is believed, in the same way as a gap; and for what lies before
it, every offset counts.
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
    """Both clocks at one moment: seconds since 1970, and since the start of the machine with this id."""

    wall: float
    boot_seconds: float
    boot_id: str


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A time in which the wall clock was not set, from `since` until `until` in elapsed seconds."""

    offset: float
    since: float
    until: float
    boot_id: str
    gap: float = 0.0
    is_believed: bool = True

    @property
    def first_wall(self) -> float:
        """What the wall clock said at the beginning."""
        return self.offset + self.since


@dataclass(frozen=True, kw_only=True)
class Step:
    """A jump of the wall clock: by how many seconds, and the time that it showed afterwards."""

    seconds: float
    wall: float


@dataclass(frozen=True, kw_only=True)
class PassedTime:
    """Elapsed time as known at a reading: the seconds since the first reading, and the stretches."""

    reading: Reading
    passed: float
    stretches: tuple[Stretch, ...]

    @classmethod
    def begin(cls, reading: Reading) -> "PassedTime":
        """Return what is known at the very first reading: nothing yet."""
        first = Stretch(offset=reading.wall, since=0.0, until=0.0, boot_id=reading.boot_id, is_believed=False)
        return cls(reading=reading, passed=0.0, stretches=(first,))

    def observe(self, reading: Reading) -> "PassedTime":
        """Return what is known with one more reading."""
        passed = self.passed + self._measure(reading)
        stretches = self._disbelieve(reading.wall)
        if not stretches:
            return PassedTime.begin(reading)
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
        found = PassedTime(reading=reading, passed=passed, stretches=tuple(stretches))
        return found._believe()._tidy()

    def find_step(self, reading: Reading) -> float:
        """Return by how many seconds the wall clock was set since the last reading, in one start; else 0."""
        step = reading.wall - self.passed - self._measure(reading) - self.stretches[-1].offset
        return step if self._is_same_start(reading) and abs(step) > TOLERANCE else 0.0

    def is_new(self, reading: Reading) -> bool:
        """Return whether a reading shows a restart of the machine, or a clock that was set."""
        return not self._is_same_start(reading) or bool(self.find_step(reading))

    def _is_same_start(self, reading: Reading) -> bool:
        # The state of a virtual machine can be put back: then it counts from an earlier time again.
        last = self.reading
        return reading.boot_id == last.boot_id and reading.boot_seconds >= last.boot_seconds

    def _measure(self, reading: Reading) -> float:
        """Return the seconds that have certainly passed since the last reading."""
        return reading.boot_seconds - self.reading.boot_seconds if self._is_same_start(reading) else 0.0

    def _disbelieve(self, wall: float) -> list[Stretch]:
        """Return the stretches, without what a clock that went back contradicts; none if all is in doubt."""
        doubted = [
            not stretch.is_believed and wall < stretch.first_wall - TOLERANCE for stretch in self.stretches
        ]
        if doubted[0]:
            return []
        return [
            replace(stretch, gap=0.0, is_believed=True) if is_doubted else stretch
            for stretch, is_doubted in zip(self.stretches, doubted, strict=True)
        ]

    def _believe(self) -> "PassedTime":
        """Return the same with each gap passed that was seen often or long enough."""
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

    def _tidy(self) -> "PassedTime":
        """Return the same with equal neighbours joined, and without what is too old or too much."""
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
    def is_known(self) -> bool:
        """Whether anything may be deleted for its age yet."""
        return self.stretches[0].is_believed

    def find_cutoff(self, age: float) -> float | None:
        """Return the time by the wall clock before which all is older than this; None if nothing is known.

        In seconds since 1970.
        """
        if not self.is_known:
            return None
        begin = self.passed - age
        is_all = begin < self.stretches[0].since
        offsets = [stretch.offset for stretch in self.stretches if is_all or stretch.until >= begin]
        return begin + min(*offsets, self.stretches[-1].offset)

    def find_latest_wall(self, age: float) -> float:
        """Return the time now by the fastest clock within this age: a gap that is not believed included."""
        begin = self.passed - age
        return self.passed + max(stretch.offset for stretch in self.stretches if stretch.until >= begin)

    def find_last_step(self, age: float) -> Step | None:
        """Return the last time that the wall clock was set within this age, or None."""
        for before, after in reversed(list(pairwise(self.stretches))):
            seconds, ago = after.offset - before.offset, self.passed - after.since
            if abs(seconds) > TOLERANCE and not after.gap and ago <= age:
                return Step(seconds=seconds, wall=after.first_wall)
        return None

    def find_gap(self) -> Step | None:
        """Return the longest time off that is not believed yet, or None."""
        longest = max(self.stretches, key=lambda stretch: stretch.gap)
        return Step(seconds=longest.gap, wall=longest.first_wall) if longest.gap else None

    def to_json(self) -> dict[str, Any]:
        """Return the same as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Any) -> "PassedTime":
        """Return what `to_json` was made of; raise TypeError, ValueError or KeyError for anything else."""
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
    """Return one stretch for the time of both, with the slower clock; a gap between them never passes."""
    is_known = before.is_believed or before.gap > 0
    return Stretch(
        offset=min(before.offset, after.offset),
        since=before.since,
        until=after.until,
        boot_id=after.boot_id if is_known else before.boot_id,
        is_believed=is_known,
    )
