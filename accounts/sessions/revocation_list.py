"""List of revoked sessions and access tokens, which are invalid even if an attacker restores their rows.

Usually the rows are deleted as well, but anyone who can write to the database could restore them. If the disk
is full or read-only, rows cannot be deleted until it works again.

A row is identified by a mark: the salt of an Unlock row, the hash of the cookie half of a SignIn row, or the
id of an access token. Salt and cookie half are new with every unlock, so that no later session is revoked by
mistake. Each mark is the name of an empty file beside the run secret, in a memory file system, which works
with a full disk and survives a restart of the server. Without such a file system, both the list and the run
secret are only in the memory of this process.
"""

import threading
from contextlib import suppress
from os import F_OK, access
from pathlib import Path

from accounts.sessions.run_secret import get_household_folder

_guard = threading.Lock()
_revoked_here: set[str] = set()
_ended_here: set[str] = set()
_SHUT, _ENDED = "shut", "ended"


def _get_folder(kind: str = _SHUT) -> Path | None:
    folder = get_household_folder()
    return folder / kind if folder else None


def revoke(mark: bytes) -> bool:
    """Revoke the row with this mark; return False if it was revoked already."""
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
    name = mark.hex()
    if name in _revoked_here or name in _ended_here:
        return True
    # Every page and every call of a program asks this. For a file that is not there, `exists` raises and
    # catches an error, which takes longer than all else here.
    folder = get_household_folder()
    return folder is not None and (
        access(f"{folder}/{_SHUT}/{name}", F_OK) or access(f"{folder}/{_ENDED}/{name}", F_OK)
    )


def revoke_for_good(mark: bytes) -> None:
    """Revoke a row that was deleted, in case somebody restores it.

    The revocation lasts until the run secret is lost.
    """
    with _guard:
        _ended_here.add(mark.hex())
        if folder := _get_folder(_ENDED):
            with suppress(OSError):
                folder.mkdir(mode=0o700, exist_ok=True)
                (folder / mark.hex()).touch(mode=0o600)


def list_revoked() -> set[bytes]:
    """Return the marks of all revoked rows that are not deleted yet."""
    folder = _get_folder()
    stored = {path.name for path in folder.iterdir()} if folder and folder.is_dir() else set()
    return {bytes.fromhex(mark) for mark in stored | _revoked_here}


def clear_revoked(mark: bytes) -> None:
    """Remove a row's mark from the list of revoked rows, once the row is deleted."""
    with _guard:
        _revoked_here.discard(mark.hex())
        if folder := _get_folder():
            (folder / mark.hex()).unlink(missing_ok=True)
