"""Checks of the machine: clock, disk space, packages; swap and core dumps, which can copy keys to disk."""

import resource
import shutil
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from llamora import process_memory
from llamora.clock.sentences import find_warning
from llamora.clock.services import find_elapsed_time
from llamora.database import disk, reserve
from llamora.ops.doctor.check_result import CheckResult, bad, ok, warn
from llamora.package_hashes import (
    LOCAL,
    UnknownPackageError,
    find_unlisted_packages,
    verify_installed_packages,
)

_MIN_FREE, _WANTED_FREE = 64 * 2**20, 512 * 2**20
# Both respect the core limit of the process that crashed, and ours is 0.
_HONOUR_CORE_LIMIT = ("systemd-coredump", "apport")


def check_clock() -> Iterator[CheckResult]:
    """Report a clock that was set recently, or that suggests the machine was off for long."""
    now = timezone.now()
    if sentence := find_warning(find_elapsed_time(), now=now):
        yield warn("clock", sentence)
    else:
        yield ok("clock", f"It says {now:%Y-%m-%d %H:%M} UTC.")


def check_disk_space() -> Iterator[CheckResult]:
    """Report a disk that is read-only or full, and compare the free space with what a backup needs."""
    if not settings.DATA_DIR.is_dir():
        return
    if problem := disk.describe_problem(settings.DATA_DIR):
        yield bad("disk", problem)
        if not disk.is_read_only(settings.DATA_DIR):
            return
    size = sum(path.stat().st_size for path in settings.DATA_DIR.glob("llamora.sqlite3*"))
    free = shutil.disk_usage(settings.DATA_DIR).free
    message = f"{free // 2**20:,} MiB are free; the database takes {size // 2**20:,} MiB."
    if free < _MIN_FREE:
        yield bad("disk space", f"{message} Free some space now, or soon nothing can be saved.")
    elif free < max(_WANTED_FREE, 3 * size):
        yield warn("disk space", f"{message} Free some space, or backups will fail.")
    else:
        yield ok("disk space", message)


def check_reserve() -> Iterator[CheckResult]:
    """Report if the file that reserves disk space is missing: it was used up, or no server has run yet."""
    size = settings.RESERVE_MIB
    if not size:
        yield ok("reserve", "There is none, as LLAMORA_RESERVE_MIB=0 asks.")
    elif reserve.is_complete(settings.DATA_DIR, mebibytes=size):
        yield ok(
            "reserve",
            f"{size} MiB of the disk are reserved, so that people can go on for a while when it is full.",
        )
    else:
        yield warn(
            "reserve",
            f"The {size} MiB that let people go on when the disk is full are missing: they were used, or the "
            "server has not run yet. Once there is space, a running server makes them within ten minutes.",
        )


def check_swap() -> Iterator[CheckResult]:
    """Report swap space that writes memory, with keys in it, to the disk unencrypted."""
    try:
        lines = Path("/proc/swaps").read_text().splitlines()[1:]
    except OSError:
        yield warn(
            "swap", "Llamora can't find out if this machine uses swap. If so, encrypt it or turn it off."
        )
        return
    plain = [
        name for name in (line.split()[0] for line in lines if line.strip()) if not _is_encrypted_swap(name)
    ]
    if plain:
        yield warn(
            "swap",
            f"{', '.join(plain)} is not encrypted, so keys and text in memory may be written to the disk, "
            "readable. Encrypt it, use zram, or turn it off with swapoff.",
        )
    else:
        yield ok("swap", "There is no unencrypted swap on the disk.")


def _is_encrypted_swap(name: str) -> bool:
    """Return whether a swap device is in memory (zram) or encrypted."""
    device = Path(name).resolve().name
    if device.startswith("zram"):
        return True
    try:
        return Path(f"/sys/block/{device}/dm/uuid").read_text().startswith("CRYPT-")
    except OSError:
        return False


def check_core_dumps() -> Iterator[CheckResult]:
    """Report whether a crash of the server could write its memory to the disk."""
    process_memory.protect_process_memory()
    try:
        pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
    except OSError:
        pattern = ""
    if resource.getrlimit(resource.RLIMIT_CORE)[0] != 0:
        yield bad("core dumps", "They can't be turned off. Start Llamora with: ulimit -c 0")
    elif pattern.startswith("|") and not any(name in pattern for name in _HONOUR_CORE_LIMIT):
        yield warn(
            "core dumps",
            "They are turned off, but the program in /proc/sys/kernel/core_pattern may save the memory of a "
            "crashed process anyway. Check what it does.",
        )
    else:
        yield ok("core dumps", "They are turned off for Llamora.")


def check_memory() -> Iterator[CheckResult]:
    """Report whether other programs of this user can read the server's memory."""
    if process_memory.is_memory_protected():
        yield ok("memory", "Other programs of this user can't read that of Llamora; only root can.")
    else:
        yield warn("memory", "Other programs of this user can read that of Llamora, with the keys in it.")


def check_packages() -> Iterator[CheckResult]:
    """Report whether the installed packages match the committed hashes."""
    folder = Path(settings.BASE_DIR)
    if not (folder / LOCAL).is_file():
        yield ok(
            "packages",
            f"There is no {LOCAL}, so uv did not install them and their hashes were not compared. "
            "See README.md, Packages, for a way that does.",
        )
        return
    try:
        verify_installed_packages(folder)
    except UnknownPackageError as refusal:
        yield bad("packages", str(refusal))
        return
    if others := find_unlisted_packages(folder):
        yield warn("packages", f"Not compared, since {LOCAL} does not have them: {', '.join(others)}.")
    else:
        yield ok("packages", "Each has a hash that the project was tested with.")
