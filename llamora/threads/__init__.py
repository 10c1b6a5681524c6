"""Threads of this process, and the order in which calls run in them; imports no Django.

fair_executor.py  the one thread pool: fair between keys, with a limit on active calls
fair_lock.py      a lock that is acquired in the order of requests
pages_first.py    work of the event loop that waits for people's pages
priority.py       a lower priority for threads whose work is not urgent
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
