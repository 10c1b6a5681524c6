"""The reserve: a file of some mebibytes, which is deleted on a full disk to make space for writes.

On a full disk nobody could even sign in, because each sign-in and each unlock writes a row. The server
deletes the reserve before a write for which there is no space. Among the commands, only `up` and `prune` do
this, so that an import cannot use up the space. The reserve is created again when there is space for it.
"""

import logging
import os
import threading
from contextlib import suppress
from pathlib import Path

from llamora.database import disk

NAME = "reserve"
# Besides the reserve this much must stay free, or it would be what fills the disk.
_SPARE_BYTES = 8 * 2**20

_log = logging.getLogger("llamora.disk")
_guard = threading.Lock()
# The folder whose reserve this process may give up; none once it is gone, so that a write looks no further.
_ready: list[Path] = []


def is_complete(folder: Path, *, mebibytes: int) -> bool:
    """Return whether the file that reserves disk space in a folder has its full size."""
    try:
        return (folder / NAME).stat().st_size == mebibytes * 2**20
    except OSError:
        return False


def create_reserve(folder: Path, *, mebibytes: int) -> bool:
    """Create the file that reserves disk space, if there is room for it; return whether it is complete.

    After this call the process deletes the reserve when the disk is full. A size of 0 mebibytes deletes it at
    once.
    """
    with _guard:
        _ready.clear()
        if not mebibytes:
            _delete(folder)
            return True
        if not is_complete(folder, mebibytes=mebibytes) and not _allocate(folder, mebibytes * 2**20):
            return False
        _ready.append(folder)
        return True


def _allocate(folder: Path, size: int) -> bool:
    """Create a file whose blocks are allocated on the disk; return False, without a file, if that fails."""
    _delete(folder)
    try:
        if disk.get_free_bytes(folder) < size + _SPARE_BYTES:
            return False
        descriptor = os.open(folder / NAME, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, size)
        finally:
            os.close(descriptor)
    except OSError:
        _delete(folder)
        return False
    return True


def _delete(folder: Path) -> bool:
    with suppress(OSError):
        (folder / NAME).unlink()
        return True
    return False


def release_if_full(folder: Path | None = None) -> bool:
    """Delete the file that reserves disk space if the disk is full; return whether it was deleted.

    It is called before each write; the check takes a microsecond. `folder` is by default the folder of this
    process's reserve.
    """
    return any(disk.is_full(each) and _release(each) for each in ([folder] if folder else _ready[:]))


def release() -> bool:
    """Delete this process's reserve, the file that reserves disk space; return whether there was one.

    Call it after a write that failed because the disk is full.
    """
    return any(_release(each) for each in _ready[:])


def _release(folder: Path) -> bool:
    with _guard:
        _ready.clear()
        is_given_up = _delete(folder)
    if is_given_up:
        _log.warning("The disk of %s is full. Its reserve was deleted: free some space.", folder)
    return is_given_up
