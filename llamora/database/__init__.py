"""How this process writes to its one SQLite file: one writer at a time, in the order they came."""

from llamora.database.cached_sql import CachedQuery
from llamora.database.errors import FenceRefused, NotWritten
from llamora.database.transactions import write_transaction
from llamora.threads.single_active_pool import SingleActiveThreadPool, yield_turn

__all__ = [
    "CachedQuery",
    "FenceRefused",
    "NotWritten",
    "SingleActiveThreadPool",
    "write_transaction",
    "yield_turn",
]
