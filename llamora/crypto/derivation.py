"""The queue for Argon2id: few derivations at a time, fair between addresses, limited in length.

A derivation costs 64 MiB and a large part of a second, so an attacker could fill an unlimited queue and keep
other people from signing in. The rules:

* as many derivations run at a time as there are workers (two), in their own threads of lower priority than
  pages;
* the next one is from the address with the fewest running (see `llamora.threads.fair_executor`): many
  requests from one address delay each other, not requests from other addresses;
* one derivation may wait per address and two per name (so that a guesser at another address does not keep
  the owner of the name out), and `max_waiting` in all; one more raises DerivationBusy at once.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from llamora.crypto.errors import DerivationBusy
from llamora.crypto.kdf import Cost, check_cost, derive
from llamora.threads import FairExecutor, lower_priority, yield_turn

MAX_WAITING = 64
_MAX_WAITING_PER_NAME = 2


@dataclass(frozen=True, slots=True)
class _Asker:
    address: str
    name: str


class DerivationQueue:
    """Queue that derives keys in its own threads, which start with the first derivation."""

    def __init__(self, *, workers: int = 2, max_waiting: int | None = None) -> None:
        self._workers, self._max_waiting = workers, max_waiting
        self._executor = FairExecutor(threads=workers, name="derivation", initializer=lower_priority)
        self._lock = threading.Lock()
        # Those that wait or run. A future that is done is taken out at once: it holds a key.
        self._askers: dict[Future[bytes], _Asker] = {}
        self._is_closed = False

    def derive(self, *, secret: str, salt: bytes, cost: Cost, address: str, name: str) -> bytes:
        """Wait for the derived key and return it; raise DerivationBusy at once if the queue has no place."""
        derivation = self.submit(secret=secret, salt=salt, cost=cost, address=address, name=name)
        with yield_turn():
            return derivation.result()

    def submit(self, *, secret: str, salt: bytes, cost: Cost, address: str, name: str) -> Future[bytes]:
        """Return a future of the derived key; raise DerivationBusy or BadCost at once."""
        check_cost(cost)
        asker = _Asker(address=address, name=name)
        with self._lock:
            self._check_room(asker)
            run = partial(derive, secret=secret, salt=salt, cost=cost)
            future: Future[bytes] = self._executor.submit_for_key(address, run)
            self._askers[future] = asker
        future.add_done_callback(self._forget)
        return future

    def close(self, *, timeout: float = 1.0) -> None:
        """Refuse new and waiting derivations, and wait at most `timeout` seconds for running ones."""
        with self._lock:
            self._is_closed = True
        self._executor.shutdown(wait=False)
        for future in self._executor.take_waiting():
            if future.set_running_or_notify_cancel():
                future.set_exception(DerivationBusy())
        self._executor.join(timeout)

    def _check_room(self, asker: _Asker) -> None:
        # Asked in this order, one that ends meanwhile is not taken for one that waits.
        waiting = [other for future, other in self._askers.items() if not (future.running() or future.done())]
        if self._is_closed or len(waiting) >= (self._max_waiting or MAX_WAITING):
            raise DerivationBusy
        # What an idle worker is about to take does not count as waiting.
        if sum(not future.done() for future in self._askers) < self._workers:
            return
        if any(other.address == asker.address for other in waiting):
            raise DerivationBusy
        if sum(other.name == asker.name for other in waiting) >= _MAX_WAITING_PER_NAME:
            raise DerivationBusy

    def _forget(self, future: Future[bytes]) -> None:
        with self._lock:
            self._askers.pop(future, None)
