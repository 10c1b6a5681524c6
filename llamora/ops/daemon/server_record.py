"""The record of a running server (process, address, model), in the file that the server has locked.

The file is `lock` in the data folder. The process id in it is valid only while the lock is held, and only if
that process began at the recorded time. Otherwise, after a crash or a restart of the machine, the id may
belong to another program, which must not be signalled. A process that takes the lock first clears the record.

The record has a fixed length and is overwritten in place, because a file can't grow on a full disk.
"""

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from accounts.management import server_address
from llamora.ops import data_folder

_RECORD_BYTES = 4096
_MAX_MODEL = 300  # characters
_TICKS_FIELD = 19  # of /proc/PID/stat, counted after the name of the program: field 22 of proc(5)


@dataclass(frozen=True, kw_only=True)
class ServerRecord:
    """The record of a server; `port` is 0 until it listens."""

    pid: int
    # Ticks from the start of the machine to that of the process; None where there is no /proc.
    started_ticks: int | None
    since: datetime
    is_in_background: bool
    host: str = ""
    port: int = 0
    model: str = ""

    @property
    def address(self) -> str:
        """The URL of the server, or "" while it is starting."""
        return server_address.build_address(self.host, self.port) if self.port else ""


@dataclass(frozen=True, kw_only=True)
class FolderUse:
    """The use of a data folder: whether it is locked, and the server's record if there is one.

    A record without a lock is left by a server that crashed or was killed.
    """

    is_locked: bool
    record: ServerRecord | None

    @property
    def server(self) -> ServerRecord | None:
        """The record of the running server, or None."""
        return self.record if self.is_locked else None


class RecordWriter:
    """Writer of the record of this process, which has locked the data folder."""

    def __init__(self, descriptor: int, *, is_in_background: bool) -> None:
        self._descriptor = descriptor
        self._record = ServerRecord(
            pid=os.getpid(),
            started_ticks=find_start_ticks(os.getpid()),
            since=datetime.now(UTC).replace(microsecond=0),
            is_in_background=is_in_background,
        )
        # Whoever started a server by hand needs no record to stop it.
        with suppress(*(() if is_in_background else (OSError,))):
            self._write()

    def update(self, **changes: Any) -> None:
        """Change some fields of the record, and write the record to its file. Ignore a write error.

        The first write of the record was successful, or nobody needs the record to stop the server.
        """
        self._record = replace(self._record, **changes)
        with suppress(OSError):
            self._write()

    def _write(self) -> None:
        fields = asdict(self._record) | {
            "since": self._record.since.isoformat(),
            "model": self._record.model[:_MAX_MODEL],
        }
        os.pwrite(self._descriptor, json.dumps(fields).encode().ljust(_RECORD_BYTES - 1) + b"\n", 0)


def read_folder_use(data_dir: Path) -> FolderUse:
    """Return whether a data folder is in use, and by which server."""
    try:
        text = (data_dir / data_folder.LOCK).read_bytes()[:_RECORD_BYTES]
    except OSError:
        return FolderUse(is_locked=False, record=None)
    is_locked = data_folder.is_locked(data_dir)
    record = _parse_record(text)
    if is_locked and record and not is_same_process(record):
        record = None
    return FolderUse(is_locked=is_locked, record=record)


def is_same_process(record: ServerRecord) -> bool:
    """Return whether the process with the recorded id is the one that wrote the record."""
    ticks = find_start_ticks(record.pid)
    return ticks is None or record.started_ticks is None or ticks == record.started_ticks


def find_start_ticks(pid: int) -> int | None:
    """Return the start time of a process in clock ticks, or None if it is unknown."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return int(fields[_TICKS_FIELD]) if len(fields) > _TICKS_FIELD else None


def _parse_record(text: bytes) -> ServerRecord | None:
    """Return the record in the bytes of a file, or None if there is none or it is cut off."""
    try:
        fields = json.loads(text)
        record = ServerRecord(**fields | {"since": datetime.fromisoformat(fields["since"])})
        is_whole = all(type(value) is int for value in (record.pid, record.port)) and record.pid > 1
        return record if is_whole and isinstance(record.host, str) and isinstance(record.model, str) else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
