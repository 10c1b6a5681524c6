"""One steady view of the database for a long reading, which keeps nobody from writing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import Error, transaction

from llamora.database.errors import classify_error
from llamora.threads import FairLock, yield_turn

# MERGED llamora.database.writing: One fair turn to write, then one transaction.
#
# SQLite lets one connection write at a time and makes the others poll; whoever polls at the lucky
# moment goes first. Beside a long import that gave saves a p95 of 54 ms. A queue in front of
# `BEGIN IMMEDIATE` gives each writer of this process its turn in order; other processes still meet
# SQLite's own lock, with its time-out.

_write_lock = FairLock()


@contextmanager
def write_transaction() -> Iterator[None]:
    """Run the block as one transaction in our turn; raise NotWritten when the database took nothing."""
    if transaction.get_connection().in_atomic_block:
        with transaction.atomic():
            yield
        return
    with yield_turn(), _holding_write_lock():
        try:
            with transaction.atomic():
                yield
        except Error as error:
            reason = classify_error(error)
            if reason is None:
                raise
            # `from None`: the driver's error can quote the statement's values.
            raise reason from None


@contextmanager
def _holding_write_lock() -> Iterator[None]:
    _write_lock.acquire()
    try:
        yield
    finally:
        _write_lock.release()


@contextmanager
def read_snapshot() -> Iterator[None]:
    """Read everything inside as it is now; what others write meanwhile is not seen."""
    connection: Any = transaction.get_connection()  # the SQLite backend's attribute is not in the stubs
    before = connection.transaction_mode
    connection.transaction_mode = "DEFERRED"
    try:
        with transaction.atomic():
            yield
    finally:
        connection.transaction_mode = before
