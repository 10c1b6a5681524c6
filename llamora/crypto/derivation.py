"""The queue in front of Argon2id: few at a time, fair between addresses, never long.

A derivation costs 64 MiB and a good part of a second, so a queue that anybody could fill would be a way to
keep others out. The rules:

* as many run at a time as there are workers (two), on threads of their own, less urgent than pages;
* of those waiting, the next is one whose address has the fewest running, and among these the one that came
  first: an address with many people behind it, or one attacker, waits for itself, not in front of others;
* at most one waits per address and two per name (so that one who guesses elsewhere does not turn the name's
  owner away), and `most` in all, so that nobody waits long; one more raises DerivationBusy at once.
"""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import Future
from dataclasses import dataclass, field

from llamora.crypto.errors import DerivationBusy
from llamora.crypto.kdf import Cost, check_cost, derive
from llamora.threads.priority import lower_priority

MAX_WAITING = 64
_PER_NAME = 2


@dataclass(slots=True, repr=False)
class _Job:
    secret: str
    salt: bytes
    cost: Cost
    address: str
    name: str
    result: Future[bytes] = field(default_factory=Future)

    def run(self) -> None:
        """Derive, unless whoever asked has given up."""
        if not self.result.set_running_or_notify_cancel():
            return
        try:
            key = derive(secret=self.secret, salt=self.salt, cost=self.cost)
        except BaseException as error:
            self.result.set_exception(error)
        else:
            self.result.set_result(key)


class DerivationQueue:
    """Derives keys on threads of its own, fairly; threads start with the first derivation."""

    def __init__(self, *, workers: int = 2, most: int | None = None) -> None:
        self._workers, self._most = workers, most
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._waiting: list[_Job] = []
        self._running: Counter[str] = Counter()
        self._closed = False

    def derive(self, *, secret: str, salt: bytes, cost: Cost, address: str, name: str) -> bytes:
        """Return the derived key once its turn has come; raise DerivationBusy at once if it may not wait."""
        return self.submit(secret=secret, salt=salt, cost=cost, address=address, name=name).result()

    def submit(self, *, secret: str, salt: bytes, cost: Cost, address: str, name: str) -> Future[bytes]:
        """Return a future of the derived key; raise DerivationBusy or BadCost at once."""
        check_cost(cost)
        job = _Job(secret=secret, salt=salt, cost=cost, address=address, name=name)
        with self._changed:
            self._check_room(job)
            self._start_threads()
            self._waiting.append(job)
            self._changed.notify()
        return job.result

    def close(self, *, timeout: float = 1.0) -> None:
        """Take no more, refuse those waiting, and give those running this many seconds to end."""
        with self._changed:
            self._closed = True
            refused, self._waiting = self._waiting, []
            self._changed.notify_all()
        for job in refused:
            if job.result.set_running_or_notify_cancel():
                job.result.set_exception(DerivationBusy())
        for thread in self._threads:
            thread.join(timeout / len(self._threads))

    def _check_room(self, job: _Job) -> None:
        self._waiting = [other for other in self._waiting if not other.result.cancelled()]
        if self._closed or len(self._waiting) >= (self._most or MAX_WAITING):
            raise DerivationBusy
        # What an idle worker is about to take does not count as waiting.
        if sum(self._running.values()) + len(self._waiting) < self._workers:
            return
        if any(other.address == job.address for other in self._waiting):
            raise DerivationBusy
        if sum(other.name == job.name for other in self._waiting) >= _PER_NAME:
            raise DerivationBusy

    def _start_threads(self) -> None:
        while len(self._threads) < self._workers:
            # Daemons: Argon2 cannot be interrupted, and the server's end does not wait for a guess.
            thread = threading.Thread(target=self._work, name="derivation", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        lower_priority()
        while self._run_next():
            pass

    def _run_next(self) -> bool:
        # A frame of its own, so that an idle worker holds no secret of the job before.
        job = self._take()
        if job is None:
            return False
        job.run()
        with self._changed:
            self._running -= Counter([job.address])
            self._changed.notify()
        return True

    def _take(self) -> _Job | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if not self._waiting:
                return None
            job = min(self._waiting, key=lambda waiting: self._running[waiting.address])
            self._waiting.remove(job)
            self._running[job.address] += 1
            return job
