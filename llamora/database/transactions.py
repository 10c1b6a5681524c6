"""Transactions: one writer at a time, in the order of requests, and snapshots for long reads.

In SQLite one connection writes at a time and the others poll, so the next writer is the one that polls first.
With polling alone, one of twenty saves during a long import took more than 54 ms. So a fair lock is acquired
before `BEGIN IMMEDIATE`: the writers of this process write in the order of their calls. Writers of other
processes wait for SQLite's own lock, with its timeout. Each transaction that wrote is recorded in the commit
log.

Code that writes many rows uses several transactions (`split_into_parts`), so that other people's saves need
not wait for all of them.
"""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from django.db import Error, transaction

from llamora.database import reserve
from llamora.database.commit_log import count_commit
from llamora.database.errors import classify_error
from llamora.threads import FairLock, let_others_run, yield_turn

_Item = TypeVar("_Item")
# After this time a part takes no further item, so a save of somebody else waits for little more.
PART_SECONDS: Final = 0.01
_write_lock = FairLock()
_DISK_CODES = frozenset({"disk_full", "read_only", "io"})
# The newest write that the disk refused, unless one worked since.
_last_refusal: deque[tuple[float, str]] = deque(maxlen=1)


def get_recent_refusal(*, seconds: float) -> str:
    """Return the error code if the disk refused the last write within this time, else ""."""
    return next((code for at, code in list(_last_refusal) if time.monotonic() - at < seconds), "")


@contextmanager
def write_transaction() -> Iterator[None]:
    """Wait for earlier writers, then run the `with` block in a transaction.

    While it waits and writes, other calls of this thread's pool run. Raise NotWritten if the disk, another
    process or a fence trigger prevents the write. Inside another transaction, use a savepoint instead.
    """
    if transaction.get_connection().in_atomic_block:
        with transaction.atomic():
            yield
        return
    # A person's save that need not wait for other writers is not delayed by calls of programs either.
    is_held = _write_lock.acquire_at_once()
    with yield_turn(waits_for_call=not is_held), _hold_once(is_held=is_held):
        reserve.release_if_full()
        try:
            with transaction.atomic(), count_commit(transaction.get_connection()) as counted:
                yield
        except Error as error:
            reason = classify_error(error)
            if reason is None:
                raise
            if reason.code == "disk_full":
                reserve.release()
            if reason.code in _DISK_CODES:
                _last_refusal.append((time.monotonic(), reason.code))
            # `from None`: the driver's error can quote the statement's values.
            raise reason from None
        _last_refusal.clear()
        # In the order of the commits, so before the next writer.
        counted.record()


def split_into_parts(items: Iterable[_Item]) -> Iterator[Iterator[_Item]]:
    """Yield the items in parts, each for one transaction: `for part in ...: with write_transaction(): ...`.

    Use up each part before you request the next one. A part has at least one item and ends after
    PART_SECONDS. Other writers run between two parts.
    """
    rest = iter(items)
    for first in rest:
        yield _iter_part(first, rest)
        let_others_run()


def _iter_part(first: _Item, rest: Iterator[_Item]) -> Iterator[_Item]:
    end = time.monotonic() + PART_SECONDS
    yield first
    while time.monotonic() < end:
        try:
            yield next(rest)
        except StopIteration:
            return


@contextmanager
def hold_write_lock() -> Iterator[None]:
    """Hold the write lock of this process during the `with` block, after waiting for earlier writers."""
    with _hold_once(is_held=False):
        yield


@contextmanager
def _hold_once(*, is_held: bool) -> Iterator[None]:
    if not is_held:
        _write_lock.acquire()
    try:
        yield
    finally:
        _write_lock.release()


@contextmanager
def read_snapshot() -> Iterator[None]:
    """Run the `with` block on a snapshot of the database. It sees no later writes, and delays no writers."""
    connection: Any = transaction.get_connection()  # the SQLite backend's attribute is not in the stubs
    connection.ensure_connection()  # the attribute is set then
    before = connection.transaction_mode
    connection.transaction_mode = "DEFERRED"
    try:
        with transaction.atomic():
            yield
    finally:
        connection.transaction_mode = before
