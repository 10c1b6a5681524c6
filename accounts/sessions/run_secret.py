"""The run secret, one of the three parts of every session key: 32 bytes that exist only in memory.

It is lost when the machine is switched off. It is stored in a file with mode 0600 in the runtime folder, so
that a restart of the server does not lock the vaults. That folder is `$XDG_RUNTIME_DIR` or `/dev/shm`, if it
is a memory file system. Without such a folder the secret is only in the memory of this process.
`LLAMORA_RUNTIME_DIR` sets another folder; if it is on a disk, the administrator gets a warning.
"""

import hashlib
import os
import threading
from functools import cache, lru_cache
from pathlib import Path

from django.conf import settings

from llamora.crypto import secret_bytes

LENGTH = 32
_MEMORY_FILE_SYSTEMS = {"tmpfs", "ramfs"}
_guard = threading.Lock()
_cached: dict[str, bytes] = {}


def is_in_memory(folder: Path) -> bool:
    """Return whether a folder is on a memory file system."""
    return _get_file_system(folder.resolve()) in _MEMORY_FILE_SYSTEMS


def get_runtime_folder() -> Path | None:
    """Return the configured folder for the run secret, else one on a memory file system, or None."""
    if configured := settings.RUNTIME_DIR:
        return Path(configured)
    for candidate in (os.environ.get("XDG_RUNTIME_DIR", ""), "/dev/shm"):  # noqa: S108 - a memory file system
        if (
            candidate
            and (path := Path(candidate).resolve()).is_dir()
            and _get_file_system(path) in _MEMORY_FILE_SYSTEMS
        ):
            return path
    return None


def get_household_folder() -> Path | None:
    """Return this household's subfolder of the runtime folder, which `get_run_secret` creates."""
    # Every page and every call of a program asks this several times.
    runtime_folders = settings.RUNTIME_DIR, os.environ.get("XDG_RUNTIME_DIR", "")
    return _find_household_folder(runtime_folders, user=os.getuid(), data_folder=settings.DATA_DIR)


@lru_cache(maxsize=4)
def _find_household_folder(
    runtime_folders: tuple[Path | str | None, str], *, user: int, data_folder: Path
) -> Path | None:
    """Return the folder for these settings; they are arguments because the result is cached."""
    del runtime_folders
    base = get_runtime_folder()
    if base is None:
        return None
    # Two households on one machine, or two users, must not share a folder.
    name = hashlib.sha256(f"{user}:{data_folder}".encode()).hexdigest()[:16]
    return base / f"llamora-{name}"


def is_private_folder(folder: Path) -> bool:
    """Return whether a folder belongs to this user and no other user may read or write it."""
    status = folder.stat()
    return status.st_uid == os.getuid() and not status.st_mode & 0o077


def get_run_secret() -> bytes:
    """Return the run secret; create it if there is none."""
    key = str(_get_path())
    with _guard:
        if key not in _cached:
            path = _get_path()
            _cached[key] = _read_or_create(path) if path else secret_bytes(LENGTH)
        return _cached[key]


def prepare_run_secret() -> str | None:
    """Create the run secret; return a warning for the administrator if it is not in a memory file system."""
    get_run_secret()
    folder = get_runtime_folder()
    if folder is not None and not is_in_memory(folder):
        return (
            f"The run secret is on a disk, in {folder}, so someone who has the disk and a browser's cookie "
            "could unlock a diary. Set LLAMORA_RUNTIME_DIR to a folder on tmpfs."
        )
    if folder is None:
        return (
            "There is no memory file system for the run secret, so a restart of the server locks all "
            "diaries. Set LLAMORA_RUNTIME_DIR to a folder on tmpfs to change that."
        )
    return None


@cache
def _get_file_system(folder: Path) -> str:
    """Return the type of a folder's file system from /proc/mounts, or "" if it is unknown.

    The result is cached, since every page needs it several times.
    """
    try:
        lines = Path("/proc/mounts").read_text().splitlines()
    except OSError:
        return ""
    mounts = [(Path(parts[1]), parts[2]) for line in lines if len(parts := line.split()) > 2]
    containing = [(mount, kind) for mount, kind in mounts if folder == mount or mount in folder.parents]
    return max(containing, key=lambda pair: len(pair[0].parts))[1] if containing else ""


def _get_path() -> Path | None:
    folder = get_household_folder()
    return folder / "run_secret" if folder else None


def _read_or_create(path: Path) -> bytes:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not is_private_folder(path.parent):
        raise PermissionError(f"{path.parent} must belong to the user who runs Llamora, with mode 0700.")
    fresh = secret_bytes(LENGTH)
    draft = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(fresh)
    try:
        os.link(draft, path)  # atomic, and fails where another process was first
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    stored = path.read_bytes()
    if len(stored) == LENGTH:
        return stored
    path.unlink()
    return _read_or_create(path)
