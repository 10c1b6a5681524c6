"""The one SQLite file: how this process writes to it, and reads what every page asks for.

transactions.py  one writer at a time, in the order they came; steady views for long reads
errors.py        why a write did not happen, as codes
cached_sql.py    queries whose SQL is compiled once for each thread
wal.py           truncation of the write-ahead log
backup_files.py  names of backup files, and which of them are outdated
"""

from llamora.database.cached_sql import CachedQuery
from llamora.database.errors import FenceRefused, NotWritten
from llamora.database.transactions import read_snapshot, write_transaction
from llamora.database.wal import truncate_wal

__all__ = [
    "CachedQuery",
    "FenceRefused",
    "NotWritten",
    "read_snapshot",
    "truncate_wal",
    "write_transaction",
]
