"""The SQLite file: transactions, errors of writes, cached queries, and names of backup files.

transactions.py  one writer at a time, first come, first served; consistent views for long reads
errors.py        codes for the reasons why a write failed
cached_sql.py    queries whose SQL is compiled once for each thread
condition.py     the state of the database file; no new one in the place of a lost one
disk.py          whether a disk is full or read-only
reserve.py       a file that is deleted on a full disk to make space for writes
compaction.py    a file written anew, without what deleted rows left in it
wal.py           truncation of the write-ahead log
wal_frames.py    a check of its frames, before SQLite reads it
losses.py        confirmed commits that the database has lost
row_register.py  which rows let somebody in, in files beside the database
commit_log.py    which commits were confirmed, in a file beside the database
backup_files.py  names of backup files, and which of them are outdated
sqlite/          the database backend, which reads a value of any stored type
"""

from llamora.database.cached_sql import CachedIdQuery, CachedQuery
from llamora.database.compaction import request_compaction
from llamora.database.errors import FenceRefused, NotWritten
from llamora.database.sqlite.reading import FIRST_MOMENT
from llamora.database.transactions import read_snapshot, split_into_parts, write_transaction
from llamora.database.wal import truncate_wal

__all__ = [
    "FIRST_MOMENT",
    "CachedIdQuery",
    "CachedQuery",
    "FenceRefused",
    "NotWritten",
    "read_snapshot",
    "request_compaction",
    "split_into_parts",
    "truncate_wal",
    "write_transaction",
]
