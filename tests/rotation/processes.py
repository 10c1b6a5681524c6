"""Forked processes, which can be killed without ending the test run."""

import os
import time
import traceback
from collections.abc import Callable
from uuid import uuid4

from django.db import connection, connections

from search.index import workers
from search.index.registry import indexes

KILLED, PATIENCE = 9, 30


def run_forked(call: Callable[[], None]) -> int:
    """Run a call in a forked process with its own connection; return the exit code."""
    _close_shared_resources()
    child = os.fork()
    if child:
        return _wait_for_child(child)
    try:
        call()
        connection.close()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _close_shared_resources() -> None:
    """Close what the child must not have: locks of search's threads, and every connection to the database.

    SQLite's locks belong to a process: a connection carried across a fork leaves both with a database that
    each believes to be its own, and the parent's next reader finds it malformed.
    """
    indexes.close_all()
    for lane in (workers.opening_worker, workers.embedding_worker):
        lane.submit(uuid4(), "let go of the database", connections.close_all)
        assert lane.wait_idle(timeout=PATIENCE)
    connections.close_all()


def _wait_for_child(child: int) -> int:
    """Wait for a child process and return its exit code; kill it and fail if it hangs."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(child, KILLED)
    os.waitpid(child, 0)
    raise TimeoutError(f"A forked process did not end in {PATIENCE} s.")


def die_at_statement(statement: int) -> None:
    """Make this process exit at the nth SQL statement from now on, including commits and triggers."""
    seen = 0

    def count(_: str) -> None:
        nonlocal seen
        seen += 1
        if seen == statement:
            os._exit(KILLED)

    connection.ensure_connection()
    connection.connection.set_trace_callback(count)
