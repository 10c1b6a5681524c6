"""Threads of this process: who goes first, and who waits. No Django here, so every package may use it.

fair_executor.py  the one thread pool: fair between keys, few calls active at a time
fair_lock.py      a lock that is handed over in the order it was asked for
priority.py       a lower priority for threads whose work is not urgent
"""

from llamora.threads.fair_executor import FairExecutor, KeyedExecutor, yield_turn
from llamora.threads.fair_lock import FairLock
from llamora.threads.priority import lower_priority

__all__ = ["FairExecutor", "FairLock", "KeyedExecutor", "lower_priority", "yield_turn"]
