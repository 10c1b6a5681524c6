"""The queue of key derivations: it limits how many run and wait, and lets client addresses take turns.

An Argon2id derivation costs 64 MiB and a large part of a second, so with an unlimited queue an attacker could
prevent other people from signing in. The rules:

* two derivations run at a time, in threads of lower priority than pages; one of the threads runs only those
  of addresses that have not failed before;
* recognised requesters (an unlock, a browser that has signed in before) come first, then those with the
  fewest failures; among equals the address with the fewest running (see `llamora.threads.fair_executor`);
* one derivation may wait per address and two per name, and `max_waiting` in all; beside these, RECOGNISED
  places are reserved for recognised requesters. A second one of an address is refused with DerivationBusy. If
  another place is missing, the waiting one with the most failures is dropped in the same way, if it has more
  failures than the new one; else the new one is refused.
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
RECOGNISED = 4
_MAX_WAITING_PER_NAME = 2
_RANK_RECOGNISED, _RANK_WITHOUT_FAILURE = 0, 1


@dataclass(frozen=True, slots=True)
class _Requester:
    address: str
    name: str
    rank: int


class DerivationQueue:
    """Queue that derives keys in its own threads, which are started by the first derivation."""

    def __init__(self, *, workers: int = 2, max_waiting: int | None = None) -> None:
        self._workers, self._max_waiting = workers, max_waiting
        self._executor = FairExecutor(
            threads=workers,
            name="derivation",
            reserved_threads=1 if workers > 1 else 0,
            reserved_rank=_RANK_WITHOUT_FAILURE,
            initializer=lower_priority,
        )
        self._lock = threading.Lock()
        # Derivations that wait or run. A finished future is removed at once, because it contains a key.
        self._requesters: dict[Future[bytes], _Requester] = {}
        self._is_closed = False

    def derive(
        self,
        *,
        secret: str,
        salt: bytes,
        cost: Cost,
        address: str,
        name: str,
        failures: int = 0,
        is_recognised: bool = False,
    ) -> bytes:
        """Derive a key and return it; raise DerivationBusy if the queue refuses or drops it.

        `address` is the key by which failures are counted: an IP address, or a recognised browser.
        """
        derivation = self.submit(
            secret=secret,
            salt=salt,
            cost=cost,
            address=address,
            name=name,
            failures=failures,
            is_recognised=is_recognised,
        )
        with yield_turn():
            return derivation.result()

    def submit(
        self,
        *,
        secret: str,
        salt: bytes,
        cost: Cost,
        address: str,
        name: str,
        failures: int = 0,
        is_recognised: bool = False,
    ) -> Future[bytes]:
        """Return a future of the derived key; raise DerivationBusy or BadCost at once.

        The future raises DerivationBusy if it is dropped for a requester with fewer failures.
        """
        check_cost(cost, ceiling=HIGHEST)
        rank = _RANK_RECOGNISED if is_recognised else _RANK_WITHOUT_FAILURE + max(0, failures)
        requester = _Requester(address=address, name=name, rank=rank)
        with self._lock:
            dropped = self._make_room(requester)
            run = partial(derive, secret=secret, salt=salt, cost=cost)
            future: Future[bytes] = self._executor.submit_for_key(address, run, rank=rank)
            self._requesters[future] = requester
        # Outside the lock, which a future's callback takes.
        future.add_done_callback(self._remove_future)
        if dropped is not None:
            _refuse(dropped)
        return future

    def close(self, *, timeout: float = 1.0) -> None:
        """Refuse new and waiting derivations, and wait at most `timeout` seconds for running ones."""
        with self._lock:
            self._is_closed = True
        self._executor.shutdown(wait=False)
        for future in self._executor.remove_waiting():
            _refuse(future)
        self._executor.join(timeout)

    def _make_room(self, requester: _Requester) -> Future[bytes] | None:
        """Make room for a requester; return the waiting derivation that was removed, or None.

        Raise DerivationBusy if there is no room.
        """
        # Asked in this order, one that ends meanwhile is not taken for one that waits.
        waiting = {f: other for f, other in self._requesters.items() if not (f.running() or f.done())}
        if self._is_closed:
            raise DerivationBusy
        # What an idle worker is about to take does not count as waiting.
        is_worker_idle = sum(not future.done() for future in self._requesters) < self._workers
        if not is_worker_idle and any(other.address == requester.address for other in waiting.values()):
            raise DerivationBusy
        rivals = self._find_rivals(requester, waiting, is_worker_idle=is_worker_idle)
        if rivals is None:
            return None
        # Of equals the newest, which has waited for the shortest time.
        worst = max(reversed(rivals), key=lambda future: waiting[future].rank, default=None)
        if worst is None or waiting[worst].rank <= requester.rank:
            raise DerivationBusy
        # One that begins at this moment leaves its place too.
        return worst if self._executor.remove_call(worst) else None

    def _find_rivals(
        self, requester: _Requester, waiting: dict[Future[bytes], _Requester], *, is_worker_idle: bool
    ) -> list[Future[bytes]] | None:
        """Return None if there is a place, else the waiting derivations of which one has to be dropped."""
        same_name = [future for future, other in waiting.items() if other.name == requester.name]
        if not is_worker_idle and len(same_name) >= _MAX_WAITING_PER_NAME:
            return same_name
        is_recognised = requester.rank == _RANK_RECOGNISED
        places = (self._max_waiting or MAX_WAITING) + (RECOGNISED if is_recognised else 0)
        counted = [f for f, other in waiting.items() if is_recognised or other.rank > _RANK_RECOGNISED]
        return counted if len(counted) >= places else None

    def _remove_future(self, future: Future[bytes]) -> None:
        with self._lock:
            self._requesters.pop(future, None)


def _refuse(future: Future[bytes]) -> None:
    if future.set_running_or_notify_cancel():
        future.set_exception(DerivationBusy())
