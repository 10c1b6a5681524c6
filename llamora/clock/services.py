"""Services of the clock: read both clocks, record the elapsed time, and return cut-off times.

`observe` writes the record at each start, once an hour, and when the wall clock was set. In that case it also
sends `clock_stepped`, in the same transaction, so that receivers move stored times by the same step.
"""

import logging
import time
import uuid
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from django.db.models import QuerySet
from django.dispatch import Signal
from django.utils import timezone

from llamora.clock.elapsed_time import ElapsedTime, Reading
from llamora.clock.record_file import read_record, write_record
from llamora.clock.sentences import describe_step
from llamora.database import FIRST_MOMENT, NotWritten, write_transaction

# A time that is later than now by more than this was written while the clock was wrong.
LEEWAY = timedelta(minutes=2)
_WRITTEN_EVERY = 3600.0
_START = datetime(1970, 1, 1, tzinfo=UTC)
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_log = logging.getLogger(__name__)

# Sent with `seconds`, by which the wall clock was set, in the transaction that records it.
clock_stepped = Signal()

_latest: ElapsedTime | None = None


def read_clocks() -> Reading:
    """Return a reading of both clocks."""
    return Reading(wall=timezone.now().timestamp(), boot_seconds=read_seconds(), boot_id=_read_boot_id())


def read_seconds() -> float:
    """Return the seconds since the machine was started; nobody can set this clock."""
    # The plain monotonic clock stops while a machine is suspended. Only Linux has one that does not.
    number = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if number is None else time.clock_gettime(number)


@cache
def _read_boot_id() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        # Each process counts as a start of the machine then.
        return uuid.uuid4().hex


def observe() -> ElapsedTime:
    """Read both clocks and return the elapsed time; save it if that is due and the disk permits it."""
    global _latest  # noqa: PLW0603 - what this process saw last
    reading, before = read_clocks(), read_record()
    found = ElapsedTime.begin(reading) if before is None else before.observe(reading)
    is_due = before is None or reading.boot_seconds - before.reading.boot_seconds >= _WRITTEN_EVERY
    if before is None or is_due or before.shows_jump(reading):
        try:
            found = _record()
        except NotWritten as error:
            _log.warning("What the clock says could not be recorded: %s", error.code)
            return found
    _latest = found
    return found


def _record() -> ElapsedTime:
    before: ElapsedTime | None = None
    try:
        with write_transaction():
            # Again: another process may have been first.
            reading, before = read_clocks(), read_record()
            found = ElapsedTime.begin(reading) if before is None else before.observe(reading)
            if before is not None and (step := before.find_step(reading)):
                clock_stepped.send(ElapsedTime, seconds=step)
                _log.warning("%s", describe_step(step))
            write_record(found)
    except NotWritten:
        if before is not None and read_record() != before:
            # The times that go with the clock did not go with this step, so it is to be seen again.
            write_record(before)
        raise
    return found


def notice_step() -> None:
    """Record a change of the wall clock, if it was set since this process last observed it."""
    if _latest is not None and _latest.shows_jump(read_clocks()):
        observe()


def find_elapsed_time() -> ElapsedTime | None:
    """Return the elapsed time as of now without recording it, or None before the first observation."""
    before = read_record()
    return None if before is None else before.observe(read_clocks())


def get_cutoff(age: timedelta) -> datetime | None:
    """Return the cut-off time, or None if unknown. Rows with an earlier timestamp are older than `age`."""
    found = find_elapsed_time()
    cutoff = None if found is None else found.find_cutoff(age.total_seconds())
    return None if cutoff is None else _convert(cutoff)


def delete_expired(rows: QuerySet[Any], *, moment: str, age: timedelta) -> int:
    """Delete the rows whose `moment` column is certainly older than `age`; return their number."""
    before = get_cutoff(age)
    if before is None:
        return 0
    expired = rows.filter(**{f"{moment}__gte": FIRST_MOMENT, f"{moment}__lt": before})
    if not expired.exists():
        return 0
    with write_transaction():
        count, _ = expired.delete()
    return count


def get_latest_time() -> datetime:
    """Return the latest time that the wall clock shows now, or would if it had not been set recently.

    For each moment of the last two days, the time is computed that the wall clock would show now if it had
    not been set since that moment. The latest of these times is returned.
    """
    found = find_elapsed_time()
    now = timezone.now()
    return now if found is None else max(now, _convert(found.find_latest_wall(2 * 86400.0)))


def compute_end(moment: datetime, lifetime: timedelta) -> datetime:
    """Return `moment` plus `lifetime`, or the last moment that Python can represent if the sum is later.

    A moment from the database may be any.
    """
    try:
        return moment + lifetime
    except OverflowError:
        return datetime.max.replace(tzinfo=moment.tzinfo)


def _convert(seconds: float) -> datetime:
    try:
        return _START + timedelta(seconds=seconds)
    except OverflowError:
        return FIRST_MOMENT
