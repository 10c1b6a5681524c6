"""The data folder: created with mode 0700, its secrets with 0600, and locked by one server at a time.

<data>/                 0700
  secrets/              0700
    secret_key          0600   Django's SECRET_KEY; signs forms and links, decrypts nothing
  lock                  0600   locked with flock(2) while a server runs; contains its record
  llamora.log           0600   the log of the daemon; older logs have a number
  llamora.sqlite3       0600
  llamora.sqlite3-commits  0600  the log of commits; see `llamora.database.commit_log`
  llamora.sqlite3-compact  0600  a compaction is due; see `llamora.database.compaction`
  losses/               0700   reports of saves that are missing, until they are acknowledged
  replaced/             0700   databases that a restore replaced, and copies of damaged ones; for thirty days
  models/               0700   model files, and partial downloads
    choice.json         0600   which model the household has chosen
  static/                      static files as served, collected from the sources
"""

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from llamora.ops.errors import OperationRefused

MIN_KEY_LENGTH = 50
LOCK = "lock"
_LOCK_SECONDS = 0.4


def is_open_to_others(path: Path) -> bool:
    """Return whether other users than the owner have access to a file or folder."""
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def _create_private_folder(path: Path) -> None:
    """Create the folder with mode 0700, or set that mode on an existing empty folder."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if is_open_to_others(path) and not any(path.iterdir()):
        path.chmod(0o700)


def prepare(data_dir: Path, *, key_file: Path) -> None:
    """Create missing folders.

    Raise OperationRefused if they can't be created, or if other users can read a folder, the key file or the
    database.
    """
    os.umask(0o077)
    try:
        _create_private_folder(data_dir)
        _create_private_folder(key_file.parent)
    except OSError as error:
        raise OperationRefused(
            f"The data folder {data_dir} can't be used: {error.strerror}. "
            "Make it writable, or choose another with LLAMORA_DATA_DIR."
        ) from None
    for problem in find_unsafe_permissions(data_dir, key_file=key_file):
        raise OperationRefused(problem)
    # For model files that people put there themselves: a message on the day's page names this folder.
    with suppress(OSError):
        (data_dir / "models").mkdir(mode=0o700)


def write_missing_key(key_file: Path, key: str) -> str:
    """Create the key file if it is missing or empty; return a sentence if it was empty."""
    try:
        if key_file.stat().st_size:
            return ""
        sentence = f"{key_file} was empty, so it has a new key. Forms that were open must be reloaded."
    except FileNotFoundError:
        sentence = ""
    _write_key(key_file, key)
    return sentence


def _write_key(path: Path, key: str) -> None:
    """Write the key file atomically, because an incomplete key would be used from then on."""
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(key + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)


def find_unsafe_permissions(data_dir: Path, *, key_file: Path) -> Iterator[str]:
    """Yield a sentence for each folder, key file or database that other users of this machine can read."""
    for folder in (data_dir, key_file.parent):
        if folder.is_dir() and is_open_to_others(folder):
            yield f"Other users of this machine can open {folder}. To stop that, run: chmod 700 '{folder}'"
    for file in (key_file, *sorted(data_dir.glob("*.sqlite3*"))):
        if file.is_file() and is_open_to_others(file):
            yield f"Other users of this machine can read {file}. To stop that, run: chmod 600 '{file}'"


def find_key_weakness(key: str) -> str | None:
    """Return the problem with a secret key, or None."""
    if len(key) < MIN_KEY_LENGTH or len(set(key)) < 8 or key.startswith("django-insecure-"):
        return (
            f"The secret key is a default, or shorter than {MIN_KEY_LENGTH} random characters. Unset "
            "LLAMORA_SECRET_KEY and delete secrets/secret_key in the data folder; `up` then creates one."
        )
    return None


def is_locked(data_dir: Path) -> bool:
    """Return whether a process has locked the data folder."""
    try:
        descriptor = os.open(data_dir / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def lock(data_dir: Path) -> Iterator[int]:
    """Lock the data folder for one server, and yield the descriptor of the locked file.

    The kernel releases the lock when the process ends or dies. An old record is removed first. A record that
    the server writes is removed at the end of the `with` block, and remains after a crash.
    """
    descriptor = os.open(data_dir / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _acquire(descriptor, data_dir)
        try:
            _blank(descriptor)
            yield descriptor
        finally:
            _blank(descriptor)
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, data_dir: Path) -> None:
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        with suppress(BlockingIOError):
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # A command that asks whether the folder is locked holds the lock for a moment.
        if time.monotonic() > deadline:
            raise OperationRefused(
                f"Llamora is already running with the data folder {data_dir}. Stop it first, or choose "
                "another folder with LLAMORA_DATA_DIR."
            )
        time.sleep(_LOCK_SECONDS / 20)


def _blank(descriptor: int) -> None:
    """Overwrite the record; the file retains its size, which it could not get back on a full disk."""
    with suppress(OSError):
        os.pwrite(descriptor, b" " * os.fstat(descriptor).st_size, 0)
