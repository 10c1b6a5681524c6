"""The record of a household that has run for more than a year with the right clock."""

from llamora.clock import services
from llamora.clock.elapsed_time import ElapsedTime, Stretch
from llamora.clock.record_file import write_record
from tests.clock.machine import DAY

_LONG = 400 * DAY


def settle_clock() -> None:
    """Write such a record, so that what is old enough may be deleted."""
    reading = services.read_clocks()
    stretch = Stretch(offset=reading.wall - _LONG, since=0.0, until=_LONG, boot_id=reading.boot_id)
    record = ElapsedTime(reading=reading, passed=_LONG, stretches=(stretch,))
    write_record(record)
