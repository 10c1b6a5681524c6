"""Worker threads of search: one opens and updates indexes, one embeds texts. Pages never wait for them.

A task is a function and the key id of its person; it must check its own stop flag at each batch. Workers run
at a lower priority than pages, and end within a second after `stop_workers`. A worker has one database
connection while it is busy, and closes it soon after: Django reuses any open SQLite connection, so a broken
one would fail every later task, and an open one would be copied whenever this process forks.
"""

import atexit
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

from django.db import connections

from llamora.crypto import KeyId
from llamora.threads import lower_priority

logger = logging.getLogger("llamora.search")

WorkerTask = Callable[[], None]
# Opening a connection costs 0.6 ms: one is kept from task to task, and not for longer than this.
_LINGER_SECONDS: Final = 2.0


@dataclass(kw_only=True)
class _QueuedTask:
    """A queued task of a person, and the earliest time to run it."""

    key_id: KeyId
    what: str
    run: WorkerTask = field(repr=False)
    due: float


class SearchWorker:
    """A thread with a queue of tasks; a task that a person already has in the queue is not added again."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._changed = threading.Condition()
        self._waiting: deque[_QueuedTask] = deque()
        self._thread: threading.Thread | None = None
        self._busy: tuple[KeyId, str] | None = None
        self._stopped = False

    def submit(self, key_id: KeyId, what: str, task: WorkerTask, *, pause: float = 0.0) -> None:
        """Queue a task. It replaces a queued task with the same key and the same name `what`.

        It runs after `pause` seconds, or earlier if the replaced task was due earlier.
        """
        due = time.monotonic() + pause
        with self._changed:
            if self._stopped:
                return
            queued = next((one for one in self._waiting if (one.key_id, one.what) == (key_id, what)), None)
            if queued is not None:
                # That one may be for an index that was closed meanwhile.
                queued.run, queued.due = task, min(due, queued.due)
                self._changed.notify_all()
                return
            self._waiting.append(_QueuedTask(key_id=key_id, what=what, run=task, due=due))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def cancel(self, key_id: KeyId) -> None:
        """Remove a person's tasks from the queue. A running task stops once it finds the index closed."""
        with self._changed:
            self._waiting = deque(waiting for waiting in self._waiting if waiting.key_id != key_id)
            self._changed.notify_all()

    def is_idle(self, key_id: KeyId | None = None) -> bool:
        """Return whether no task runs or is queued under a key; if it is None, under any key."""
        with self._changed:
            return self._idle_for(key_id)

    def wait_idle(self, *, key_id: KeyId | None = None, timeout: float) -> bool:
        """Wait until no task runs or is queued; return False if this takes more than `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._idle_for(key_id), timeout)

    def _idle_for(self, key_id: KeyId | None) -> bool:
        tasks = [waiting.key_id for waiting in self._waiting] + ([self._busy[0]] if self._busy else [])
        return not tasks if key_id is None else key_id not in tasks

    def close_connection(self, *, timeout: float) -> bool:
        """Close this worker's database connection once it is idle; return False after the timeout."""
        if self._thread is None:
            return True
        self.submit(KeyId(owner=uuid4(), fingerprint=b""), "close", connections.close_all)
        return self.wait_idle(timeout=timeout)

    def stop(self, *, timeout: float = 1.0) -> None:
        """Accept no more tasks, and wait `timeout` seconds for the running one."""
        with self._changed:
            self._stopped = True
            self._waiting.clear()
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)

    @property
    def is_stopped(self) -> bool:
        """Return whether the worker was stopped."""
        return self._stopped

    def _run(self) -> None:
        lower_priority()
        while task := self._next():
            # An empty context: nothing of the request that asked may leak into this thread.
            Context().run(self._perform, task)
            del task
            with self._changed:
                self._busy = None
                self._changed.notify_all()
        connections.close_all()

    def _next(self) -> WorkerTask | None:
        with self._changed:
            is_due = self._wait_until_due(_LINGER_SECONDS)
        if not is_due:
            connections.close_all()  # of this thread alone, and not while `submit` waits for the lock
        with self._changed:
            self._wait_until_due()
            if self._stopped:
                return None
            now = time.monotonic()
            task = next(one for one in self._waiting if one.due <= now)
            self._waiting.remove(task)
            self._busy = (task.key_id, task.what)
            return task.run

    def _wait_until_due(self, most: float = math.inf) -> bool:
        """Wait up to `most` seconds until a task is due or the worker is stopped; return False if neither."""
        end = time.monotonic() + most
        while not self._stopped:
            now = time.monotonic()
            due = min((one.due for one in self._waiting), default=math.inf)
            if due <= now or end <= now:
                return due <= now
            until = min(due, end)
            self._changed.wait(None if until == math.inf else until - now)
        return True

    def _perform(self, task: WorkerTask) -> None:
        try:
            task()
        except Exception as error:
            # The type alone: what went wrong while reading texts may quote them.
            logger.error("A search task failed: %s", type(error).__name__)  # noqa: TRY400 - a trace holds texts
            connections.close_all()


opening_worker = SearchWorker("search-opening")
embedding_worker = SearchWorker("search-embedding")


def close_connections(*, timeout: float) -> bool:
    """Close the database connections of both workers, before this process's database is replaced."""
    return all(worker.close_connection(timeout=timeout) for worker in (opening_worker, embedding_worker))


def stop_workers(*, timeout: float = 1.0) -> None:
    """Stop both workers; called when the process ends."""
    opening_worker.stop(timeout=timeout / 2)
    embedding_worker.stop(timeout=timeout / 2)


atexit.register(stop_workers)
