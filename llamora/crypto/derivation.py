"""The queue of key derivations: few run at a time; it is fair between addresses and limited in length.

An Argon2id derivation costs 64 MiB and a large part of a second, so an attacker could fill an unlimited queue
and prevent other people from signing in. The rules:

* as many derivations run at a time as there are workers (two), in their own threads of lower priority than
  pages;
* the next one is from the address with the fewest running (see `llamora.threads.fair_executor`): many
  requests from one address delay each other, not requests from other addresses;
* one derivation may wait per address and two per name (so that an attacker at another address does not
  lock the owner of the name out), and `max_waiting` in all; one more raises DerivationBusy at once.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from llamora.crypto.errors import DerivationBusy
from llamora.crypto.kdf import HIGHEST, Cost, check_cost, derive
from llamora.threads import FairExecutor, lower_priority, yield_turn

MAX_WAITING = 64
_MAX_WAITING_PER_NAME = 2


@dataclass(frozen=True, slots=True)
class _Requester:
    address: str
    name: str


class DerivationQueue:
    """Queue that derives keys in its own threads, which start with the first derivation."""

    def __init__(self, *, workers: int = 2, max_waiting: int | None = None) -> None:
        self._workers, self._max_waiting = workers, max_waiting
        self._executor = FairExecutor(threads=workers, name="derivation", initializer=lower_priority)
        self._lock = threading.Lock()
        # Derivations that wait or run. A finished future is removed at once, because it contains a key.
        self._requesters: dict[Future[bytes], _Requester] = {}
        self._is_closed = False

    def derive(self, *, secret: str, salt: bytes, cost: Cost, address: str, name: str) -> bytes:
        """Wait for the derived key and return it; raise DerivationBusy at once if the queue is full."""
        derivation = self.submit(secret=secret, salt=salt, cost=cost, address=address, name=name)
        with yield_turn():
            return derivation.result()

    def submit(self, *, secret: str, salt: bytes, cost: Cost, address: str, name: str) -> Future[bytes]:
        """Return a future of the derived key; raise DerivationBusy or BadCost at once."""
        check_cost(cost, ceiling=HIGHEST)
        requester = _Requester(address=address, name=name)
        with self._lock:
            self._check_limits(requester)
            run = partial(derive, secret=secret, salt=salt, cost=cost)
            future: Future[bytes] = self._executor.submit_for_key(address, run)
            self._requesters[future] = requester
        future.add_done_callback(self._remove_future)
        return future

    def close(self, *, timeout: float = 1.0) -> None:
        """Refuse new and waiting derivations, and wait at most `timeout` seconds for running ones."""
        with self._lock:
            self._is_closed = True
        self._executor.shutdown(wait=False)
        for future in self._executor.remove_waiting():
            if future.set_running_or_notify_cancel():
                future.set_exception(DerivationBusy())
        self._executor.join(timeout)

    def _check_limits(self, requester: _Requester) -> None:
        # `running` is checked before `done`: a derivation that ends in between does not count as waiting.
        waiting = [
            other for future, other in self._requesters.items() if not (future.running() or future.done())
        ]
        if self._is_closed or len(waiting) >= (self._max_waiting or MAX_WAITING):
            raise DerivationBusy
        # A derivation that an idle worker is about to start does not count as waiting.
        if sum(not future.done() for future in self._requesters) < self._workers:
            return
        if any(other.address == requester.address for other in waiting):
            raise DerivationBusy
        if sum(other.name == requester.name for other in waiting) >= _MAX_WAITING_PER_NAME:
            raise DerivationBusy

    def _remove_future(self, future: Future[bytes]) -> None:
        with self._lock:
            self._requesters.pop(future, None)
