"""Register of the unlocked browsers, in memory; an Unlock row that is not in it is invalid.

An attacker who can write to the database could remove the Unlock row of a browser before the browser is
locked, so that the row is never revoked. Afterwards they could restore the row, to use a copied cookie. So
each unlock is also registered here, and a lock or sign-out removes all unlocks of that browser or person,
whatever the database contains. The next sweep removes unlocks without a row.

Each unlock is the name of an empty file beside the run secret, which survives a restart of the server but not
of the machine. The modification time of the file is the time of the last activity; a later time in the row is
ignored.

    unlocked/<person id, hex>.<sign-in id, hex>.<salt of the Unlock row, hex>

Without a memory file system, the register is only in the memory of this process, like the run secret.
"""

import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Self
from uuid import UUID

from django.utils import timezone

from accounts.sessions.run_secret import get_household_folder

_FOLDER = "unlocked"
_START = datetime(1970, 1, 1, tzinfo=UTC)
_guard = threading.Lock()
# Also of what could not be written beside the run secret.
_registered_here: dict[str, datetime] = {}


class RegisteredUnlock(NamedTuple):
    """One unlock: its person, its sign-in and the salt of its row."""

    person_id: UUID
    sign_in_id: UUID
    salt: bytes

    @property
    def name(self) -> str:
        """The name of the file that registers the unlock."""
        return f"{self.person_id.hex}.{self.sign_in_id.hex}.{self.salt.hex()}"

    @classmethod
    def parse(cls, name: str) -> Self:
        """Return the unlock for a file name; raise ValueError."""
        person_id, sign_in_id, salt = name.split(".")
        return cls(UUID(hex=person_id), UUID(hex=sign_in_id), bytes.fromhex(salt))


def _get_folder() -> Path | None:
    folder = get_household_folder()
    return folder / _FOLDER if folder else None


def register_unlock(unlock: RegisteredUnlock) -> None:
    """Register an unlock; call in the transaction that writes its row."""
    if folder := _get_folder():
        with suppress(OSError):
            folder.mkdir(mode=0o700, exist_ok=True)
            (folder / unlock.name).touch(mode=0o600)
            _set_time(folder / unlock.name, timezone.now())
            return
    with _guard:
        _registered_here[unlock.name] = timezone.now()


def record_activity(unlock: RegisteredUnlock, now: datetime) -> None:
    """Record that a person used an unlocked browser."""
    with _guard:
        if unlock.name in _registered_here:
            _registered_here[unlock.name] = now
            return
    if folder := _get_folder():
        with suppress(OSError):
            _set_time(folder / unlock.name, now)


def find_last_activity(unlock: RegisteredUnlock) -> datetime | None:
    """Return when an unlocked browser was last used, or None if it is not registered."""
    if (at := _registered_here.get(unlock.name)) is not None:
        return at
    if (folder := _get_folder()) is None:
        return None
    try:
        return _START + timedelta(seconds=os.stat(f"{folder}/{unlock.name}").st_mtime)
    except (OSError, OverflowError):
        return None


def _set_time(path: Path, moment: datetime) -> None:
    seconds = (moment - _START).total_seconds()
    os.utime(path, (seconds, seconds))


def is_registered(unlock: RegisteredUnlock) -> bool:
    """Return whether an unlock was registered and has not ended."""
    if unlock.name in _registered_here:
        return True
    folder = _get_folder()
    return folder is not None and (folder / unlock.name).exists()


def list_unlocks(*, person_id: UUID | None = None, sign_in_id: UUID | None = None) -> set[RegisteredUnlock]:
    """Return the registered unlocks, optionally of one person or sign-in."""
    folder = _get_folder()
    with _guard:
        names = set(_registered_here)
    if folder is not None and folder.is_dir():
        names |= {path.name for path in folder.iterdir()}
    found = set()
    for name in names:
        with suppress(ValueError):
            found.add(RegisteredUnlock.parse(name))
    return {
        unlock
        for unlock in found
        if person_id in (None, unlock.person_id) and sign_in_id in (None, unlock.sign_in_id)
    }


def remove_unlocks(unlocks: Iterable[RegisteredUnlock]) -> None:
    """Remove unlocks from the register, so that their rows are invalid."""
    folder = _get_folder()
    for unlock in unlocks:
        with _guard:
            _registered_here.pop(unlock.name, None)
        if folder is not None:
            (folder / unlock.name).unlink(missing_ok=True)
