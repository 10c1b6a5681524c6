"""State of the disk under a folder: read-only, full, or writable."""

import errno
import math
import os
import threading
import time
from pathlib import Path

# A long entry and what SQLite writes beside it need more.
FULL_BYTES = 2**20
PROBE_BYTES = 64 * 1024
PROBE_SECONDS = 10.0


def is_read_only(folder: Path) -> bool:
    """Return whether the disk of a folder is mounted read-only."""
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)


def is_full(folder: Path) -> bool:
    """Return whether the disk of a folder has too little space for further writes."""
    try:
        return get_free_bytes(folder) < FULL_BYTES
    except OSError:
        return False


def get_free_bytes(folder: Path) -> int:
    """Return how many more bytes this user may write to the disk of a folder.

    Space that is reserved for root counts only for root.
    """
    found = os.statvfs(folder)
    return found.f_frsize * (found.f_bfree if os.geteuid() == 0 else found.f_bavail)


class DiskProbe:
    """Check of a disk by writing and deleting a test file; the result is cached for some seconds."""

    def __init__(self, *, seconds: float = PROBE_SECONDS) -> None:
        self._seconds = seconds
        self._guard = threading.Lock()
        self._found: dict[Path, tuple[float, str]] = {}

    def get_state(self, folder: Path) -> str:
        """Return ok, disk_full, read_only or io (another error of the disk); cached for some seconds."""
        with self._guard:
            now = time.monotonic()
            before, state = self._found.get(folder, (-math.inf, ""))
            if now - before >= self._seconds:
                state = _write_probe(folder)
                self._found[folder] = now, state
            return state


def _write_probe(folder: Path) -> str:
    path = folder / ".probe"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # Written, not only set aside: a quota or a broken disk shows only then.
            os.pwrite(descriptor, bytes(PROBE_BYTES), 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
            path.unlink()
    except OSError as error:
        if error.errno == errno.EROFS:
            return "read_only"
        return "disk_full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "io"
    return "ok"


def describe_problem(folder: Path) -> str:
    """Return a sentence if the disk of a folder is read-only or full, else ""."""
    try:
        if is_read_only(folder):
            return (
                f"The disk of {folder} is read-only, so nothing can be saved there. Linux does that after an "
                "error of the disk: find the reason with `dmesg`, then make it writable with "
                "`mount -o remount,rw`."
            )
        if is_full(folder):
            free = get_free_bytes(folder) // 1024
            return (
                f"The disk of {folder} is full: {free:,} KiB are free. Free some space, or nothing can be "
                "saved there. Old backups and leftover files are deleted by: manage.py prune"
            )
    except OSError:
        # A folder that is not there or not ours has other sentences.
        pass
    return ""
