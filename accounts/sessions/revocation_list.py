"""Revocation list for sessions whose rows could not be deleted because the disk was full or read-only.

A row is identified by a mark: its salt or the hash of its cookie half, which are new with every sign-in and
unlock, so that no later session is revoked by mistake. Each mark is the name of an empty file beside the run
secret, in a memory file system, which needs no disk and survives a restart of the server. Without such a file
system, both the list and the run secret are only in the memory of this process.
"""

import threading
from pathlib import Path

from accounts.sessions.run_secret import get_household_folder

_guard = threading.Lock()
_revoked_here: set[str] = set()


def _get_folder() -> Path | None:
    folder = get_household_folder()
    return folder / "shut" if folder else None


def revoke(mark: bytes) -> bool:
    """Revoke the row with this mark; return False if it was already revoked."""
    with _guard:
        is_new = not is_revoked(mark)
        _revoked_here.add(mark.hex())
        if folder := _get_folder():
            try:
                folder.mkdir(mode=0o700, exist_ok=True)
                (folder / mark.hex()).touch(mode=0o600)
            except OSError:
                pass  # this process knows the mark; one that is started later will not
    return is_new


def is_revoked(mark: bytes) -> bool:
    """Return whether the row with this mark is revoked."""
    folder = _get_folder()
    return mark.hex() in _revoked_here or (folder is not None and (folder / mark.hex()).exists())


def list_revoked() -> set[bytes]:
    """Return the marks of all revoked rows that are not deleted yet."""
    folder = _get_folder()
    stored = {path.name for path in folder.iterdir()} if folder and folder.is_dir() else set()
    return {bytes.fromhex(mark) for mark in stored | _revoked_here}


def clear_revoked(mark: bytes) -> None:
    """Remove the mark of a deleted row from the list."""
    with _guard:
        _revoked_here.discard(mark.hex())
        if folder := _get_folder():
            (folder / mark.hex()).unlink(missing_ok=True)
