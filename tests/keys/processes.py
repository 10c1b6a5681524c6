"""Other processes of the household, forked: they may die anywhere without taking the tests along."""

import os
import time
import traceback
from collections.abc import Callable

from django.db import connection

from search.indexes import indexes

KILLED, PATIENCE = 9, 30


def forked(call: Callable[[], None]) -> int:
    """Run a call in a process of its own with a connection of its own; answer its exit code."""
    # A lock that a thread of search holds at this moment would stay held in the child for good.
    indexes.close_all()
    connection.close()
    child = os.fork()
    if child:
        return _outcome(child)
    try:
        call()
        connection.close()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _outcome(child: int) -> int:
    """Wait for a child; one that hangs is ended, and the test with it rather than the whole run."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(child, KILLED)
    os.waitpid(child, 0)
    raise TimeoutError(f"A forked process did not end in {PATIENCE} s.")


def dies_at(statement: int) -> None:
    """Have this process die when SQLite begins its nth statement from here, commits and triggers included."""
    seen = 0

    def count(_: str) -> None:
        nonlocal seen
        seen += 1
        if seen == statement:
            os._exit(KILLED)

    connection.ensure_connection()
    connection.connection.set_trace_callback(count)
