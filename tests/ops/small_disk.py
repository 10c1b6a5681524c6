"""A small disk that tests can fill: a real one if this process may mount one, else a simulated one."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest


@dataclass(kw_only=True)
class SmallDisk:
    """A disk of a few mebibytes, mounted on a folder."""

    folder: Path
    is_real: bool
    patch: pytest.MonkeyPatch = field(repr=False)

    def fill(self) -> None:
        """Take all the space that is left."""
        if self.is_real:
            with suppress(OSError), (self.folder / "filling").open("ab", buffering=0) as file:
                while True:
                    # The last pages one by one: a write that does not fit is cut or refused.
                    file.write(bytes(4096))
        else:
            self._pretend(free=0)

    def empty(self) -> None:
        """Delete what fills the disk."""
        if self.is_real:
            (self.folder / "filling").unlink()
        else:
            self.patch.undo()

    def set_read_only(self) -> None:
        """Let nothing be written any more."""
        if self.is_real:
            subprocess.run(["mount", "-o", "remount,ro", self.folder], check=True)
        else:
            self._pretend(flag=os.ST_RDONLY)

    def _pretend(self, *, free: int | None = None, flag: int = 0) -> None:
        real = os.statvfs

        def statvfs(path: str | Path) -> os.statvfs_result:
            found = list(real(path))
            if free is not None:
                found[3] = found[4] = free
            found[8] |= flag
            return os.statvfs_result(found)

        self.patch.setattr(os, "statvfs", statvfs)


@contextmanager
def mount_small_disk(parent: Path, *, mebibytes: int, name: str = "small") -> Iterator[SmallDisk]:
    """Mount a disk on a folder during the block."""
    folder = parent / name
    folder.mkdir(mode=0o700)
    options = f"size={mebibytes}m,mode=0700"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "none", folder], capture_output=True, check=False
    )
    with pytest.MonkeyPatch.context() as patch:
        try:
            yield SmallDisk(folder=folder, is_real=mounted.returncode == 0, patch=patch)
        finally:
            if mounted.returncode == 0:
                subprocess.run(["umount", "-l", folder], check=True)
