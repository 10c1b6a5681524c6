"""Executor for the database work of jobs, with two threads of its own, so that pages never wait for it.

Each call runs in an empty context with only the job's keyring in force. The asyncio task of a job must not
use the ORM itself: if it was started in a request, it would use the connection of that request, which is
closed.

A commit takes several milliseconds. Writes that arrive meanwhile share the next commit, so that sixteen
replies that begin or end together need two or three commits, not sixteen.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from dataclasses import dataclass
from typing import TypeVar

from django.db import connections

from llamora.crypto import RealmKeyring, in_force
from llamora.database import write_transaction

T = TypeVar("T")
THREADS = 2
MAX_BATCH = 32


@dataclass(frozen=True)
class _PendingWrite:
    """A write that waits for the next commit."""

    call: Callable[[], None]
    keyring: RealmKeyring | None
    future: "asyncio.Future[None]"

    def run(self) -> None:
        """Run the call in the open transaction."""
        with in_force(self.keyring):
            self.call()

    def resolve(self, error: Exception | None) -> None:
        """Pass the result, an error or None, to the caller that waits for this write."""
        if self.future.done():
            return
        if error is None:
            self.future.set_result(None)
        else:
            self.future.set_exception(error)


class DbExecutor:
    """Executor for short database work of jobs. Belongs to one event loop at a time."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._waiting: list[_PendingWrite] = []
        self._writer: asyncio.Task[None] | None = None

    async def run(self, call: Callable[[], T], *, keyring: RealmKeyring | None = None) -> T:
        """Run `call` in a database thread. A running call finishes even if the caller is cancelled."""
        return await self._run_in_thread(lambda: _run_with_keyring(keyring, call))

    async def commit(self, call: Callable[[], None], *, keyring: RealmKeyring | None = None) -> None:
        """Run `call` in a transaction and wait for its commit; raise the error of `call`, or NotWritten.

        `call` may run twice: first in a transaction with other writes and, if one of them fails, then alone.
        """
        write = _PendingWrite(call, keyring, asyncio.get_running_loop().create_future())
        self._waiting.append(write)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.get_running_loop().create_task(self._commit_all(), context=Context())
        await write.future

    async def close(self) -> None:
        """Close the database connections of the threads and end the threads."""
        if self._writer is not None and not self._writer.done():
            await self._writer
        pool, self._pool, self._writer = self._pool, None, None
        if pool is None:
            return
        loop = asyncio.get_running_loop()
        for _ in range(THREADS):
            await loop.run_in_executor(pool, connections.close_all)
        pool.shutdown(wait=False)

    async def _commit_all(self) -> None:
        while batch := self._waiting[:MAX_BATCH]:
            del self._waiting[: len(batch)]
            errors = await self._run_in_thread(lambda: _commit_batch(batch))
            for write, error in zip(batch, errors, strict=True):
                write.resolve(error)

    async def _run_in_thread(self, call: Callable[[], T]) -> T:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="jobs")
        return await asyncio.get_running_loop().run_in_executor(self._pool, Context().run, call)


def _run_with_keyring(keyring: RealmKeyring | None, call: Callable[[], T]) -> T:
    with in_force(keyring):
        return call()


def _commit_batch(batch: list[_PendingWrite]) -> list[Exception | None]:
    """Run all writes in one transaction or, if one fails, each in its own; return each error, or None."""
    try:
        with write_transaction():
            for write in batch:
                write.run()
    except Exception as error:
        return [error] if len(batch) == 1 else [_commit_batch([write])[0] for write in batch]
    return [None] * len(batch)
