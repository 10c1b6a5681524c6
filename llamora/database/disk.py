"""The disk of a folder: whether it is read-only or full."""

import os
import shutil
from pathlib import Path

# With less, SQLite can't make the files beside a database, or write the pages of one entry.
FULL_BYTES = 256 * 1024


def is_read_only(folder: Path) -> bool:
    """Return whether the disk of a folder is mounted read-only."""
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)


def is_full(folder: Path) -> bool:
    """Return whether a write to the disk of a folder would soon fail for want of space."""
    return shutil.disk_usage(folder).free < FULL_BYTES


def describe_problem(folder: Path) -> str:
    """Return a sentence if the disk of a folder is read-only or full, else an empty text."""
    try:
        if is_read_only(folder):
            return (
                f"The disk of {folder} is read-only, so nothing can be saved there. Linux does that after an "
                "error of the disk: find the reason with `dmesg`, then make it writable with "
                "`mount -o remount,rw`."
            )
        if is_full(folder):
            free = shutil.disk_usage(folder).free // 1024
            return (
                f"The disk of {folder} is full: {free:,} KiB are free, so nothing can be saved there. Free "
                "some space. Old backups and leftover files are deleted by: manage.py prune"
            )
    except OSError:
        # A folder that is not there or not ours has other sentences.
        pass
    return ""
