"""The SQLite database: transactions, write errors, cached queries, backup file names, detection of losses.

transactions.py  one writer at a time, in the order of requests; snapshots for long reads
errors.py        errors of failed writes, with codes
cached_sql.py    queries whose SQL is compiled once
indexes.py       indexes that another program dropped or created; lost uniqueness
lookups.py       conditions that SQLite plans well
condition.py     the state of the database file; refuses a new one in place of a lost one
disk.py          whether a disk is full or read-only
reserve.py       a reserve of disk space for writes on a full disk
compaction.py    VACUUM after deletions, which clears remains of deleted rows
wal.py           truncation of the write-ahead log
wal_frames.py    a check of the log's frames, before SQLite reads it
losses.py        finds committed transactions that the database has lost
credential_register.py  valid sign-ins and access tokens, in files beside the database
commit_log.py    committed transactions, in a file beside the database
backup_files.py  names of backup files; selects outdated ones
sqlite/          the Django backend, which reads damaged values
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
