"""Threads of this process, and the scheduling of calls in them. Imports no Django.

fair_executor.py  a thread pool that is fair between keys, with a limit on active calls
fair_lock.py      a lock that is acquired in first-come, first-served order
pages_first.py    delays work on the event loop until people's pages are answered
priority.py       lower priority for threads whose work is not urgent
"""

from llamora.threads.fair_executor import FairExecutor, Hold, KeyedExecutor, let_others_run, yield_turn
from llamora.threads.fair_lock import FairLock
from llamora.threads.pages_first import UnansweredPages, unanswered_pages
from llamora.threads.priority import lower_priority

__all__ = [
    "FairExecutor",
    "FairLock",
    "Hold",
    "KeyedExecutor",
    "UnansweredPages",
    "let_others_run",
    "lower_priority",
    "unanswered_pages",
    "yield_turn",
]
