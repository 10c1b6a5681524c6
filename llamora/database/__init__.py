"""How this process writes to its one SQLite file: one writer at a time, in the order they came."""

from llamora.database.cached_sql import CachedQuery
from llamora.database.errors import FenceRefused, NotWritten
from llamora.database.transactions import write_transaction

__all__ = [
    "CachedQuery",
    "FenceRefused",
    "NotWritten",
    "write_transaction",
]
