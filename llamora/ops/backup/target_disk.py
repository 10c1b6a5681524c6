"""The disk that a backup is written to, and the check that the intended disk is mounted.

If a disk is not mounted, its mount point is an ordinary folder on another disk, and a backup would fill that
disk.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Folders in which nothing but mount points should be.
_FOR_MOUNTS = (Path("/media"), Path("/mnt"), Path("/run/media"))
MOUNTS, FSTAB = Path("/proc/self/mounts"), Path("/etc/fstab")


@dataclass(frozen=True, kw_only=True)
class MountedDisk:
    """A mounted file system: its device, and the folder that it is mounted on."""

    device: str
    folder: Path


def find_disk(folder: Path, *, mounts: Path = MOUNTS) -> MountedDisk | None:
    """Return the disk of a folder that need not exist yet, or None if the system does not tell."""
    found = [disk for disk in _read_table(mounts) if disk.folder in (folder, *folder.parents)]
    # Of disks on the same folder, the last one covers the others.
    return max(enumerate(found), key=lambda pair: (len(pair[1].folder.parts), pair[0]))[1] if found else None


def find_missing_mount(
    folder: Path, *, is_named: bool, mounts: Path = MOUNTS, fstab: Path = FSTAB
) -> Path | None:
    """Return the mount point of a disk that should contain `folder` but is not mounted, or None.

    Mount points are the folders that /etc/fstab lists and, if the folder was given on the command line
    (`is_named`), those below /media or /mnt.
    """
    disk = find_disk(folder, mounts=mounts)
    if disk is None:
        return None
    # What lies below the folder that its own disk is mounted on.
    places = [place for place in (folder, *folder.parents) if disk.folder in place.parents]
    listed = {entry.folder for entry in _read_table(fstab)}
    if point := next((place for place in places if place in listed), None):
        return point
    roots = [root for root in _FOR_MOUNTS if is_named and disk.folder in root.parents]
    below = [place for place in places if any(root in place.parents for root in roots)]
    return below[-1] if below else None


def _read_table(path: Path) -> Iterator[MountedDisk]:
    """Yield the entries of a table such as /etc/fstab (fstab(5))."""
    try:
        lines = path.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return
    for line in lines:
        parts = [_unescape(part) for part in line.split()]
        if len(parts) > 2 and not line.startswith("#") and parts[1].startswith("/"):
            yield MountedDisk(device=parts[0], folder=Path(parts[1]))


def _unescape(text: str) -> str:
    """Return a word of a table such as /etc/fstab, which writes spaces as octal numbers."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)
