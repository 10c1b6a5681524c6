"""Sessions that were closed while the database took no writing: they open nothing until their rows can go.

A row is known by bytes that are new with every sign-in and unlock (its salt, or the hash of its cookie
half), so that nothing stays shut by mistake. Each is an empty file beside the run secret, in memory and
not on the disk that is full, so that a restart of the server forgets none; where there is no such folder,
it is kept in this process, and then the run secret ends with the process too.
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
    """Let the row with this mark open nothing any more; return whether it still did."""
    with _guard:
        is_new = not is_revoked(mark)
        _revoked_here.add(mark.hex())
        if folder := _get_folder():
            try:
                folder.mkdir(mode=0o700, exist_ok=True)
                (folder / mark.hex()).touch(mode=0o600)
            except OSError:
                pass  # this process knows it; another that is started later would not
    return is_new


def is_revoked(mark: bytes) -> bool:
    """Return whether a row was closed although it is still there."""
    folder = _get_folder()
    return mark.hex() in _revoked_here or (folder is not None and (folder / mark.hex()).exists())


def list_revoked() -> set[bytes]:
    """Return the marks of all rows that wait to be deleted."""
    folder = _get_folder()
    kept = {path.name for path in folder.iterdir()} if folder and folder.is_dir() else set()
    return {bytes.fromhex(mark) for mark in kept | _revoked_here}


def clear_revoked(mark: bytes) -> None:
    """Forget a row that is gone."""
    with _guard:
        _revoked_here.discard(mark.hex())
        if folder := _get_folder():
            (folder / mark.hex()).unlink(missing_ok=True)
