"""Tests that a backup is written to the intended disk, and that its name is printed."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from llamora.ops.backup import target_disk
from llamora.ops.backup.target_disk import MountedDisk, find_disk, find_missing_mount
from tests.people import new_resident

MOUNTS = """\
/dev/vda1 / ext4 rw,relatime 0 0
tmpfs /run tmpfs rw 0 0
/dev/sdb1 /media/blue\\040stick vfat rw 0 0
/dev/vdb1 /srv/diary ext4 rw 0 0
/dev/vdc1 /srv/diary ext4 rw 0 0
"""
FSTAB = """\
# <file system> <mount point> <type>
UUID=1 / ext4 defaults 0 1
UUID=2 none swap sw 0 0
UUID=3 /srv/diary ext4 defaults 0 2
UUID=4 /backup\\040disk ext4 noauto 0 2
"""


@pytest.fixture
def tables(tmp_path: Path) -> dict[str, Path]:
    """Tables of mounted disks, and of those that could be."""
    (tmp_path / "mounts").write_text(MOUNTS)
    (tmp_path / "fstab").write_text(FSTAB)
    return {"mounts": tmp_path / "mounts", "fstab": tmp_path / "fstab"}


@pytest.mark.parametrize(
    ("folder", "device", "mounted_on"),
    [
        ("/home/diary/backups", "/dev/vda1", "/"),
        ("/media/blue stick/backups", "/dev/sdb1", "/media/blue stick"),
        ("/srv/diary", "/dev/vdc1", "/srv/diary"),
        ("/srv/diaries", "/dev/vda1", "/"),
    ],
)
def test_the_disk_of_a_folder_is_the_nearest_that_is_mounted(
    tables: dict[str, Path], folder: str, device: str, mounted_on: str
) -> None:
    found = find_disk(Path(folder), mounts=tables["mounts"])

    assert found == MountedDisk(device=device, folder=Path(mounted_on))


@pytest.mark.parametrize(
    ("folder", "is_named", "missing"),
    [
        ("/backup disk", False, "/backup disk"),
        ("/backup disk/llamora/new", False, "/backup disk"),
        ("/srv/diary/backups", True, None),
        ("/media/blue stick/backups", True, None),
        ("/media/red stick/backups", True, "/media/red stick"),
        ("/media/red stick/backups", False, None),
        ("/mnt/a", True, "/mnt/a"),
        ("/home/diary/backups", True, None),
    ],
)
def test_a_mount_point_without_a_disk_is_found(
    tables: dict[str, Path], folder: str, is_named: bool, missing: str | None
) -> None:
    assert find_missing_mount(Path(folder), is_named=is_named, **tables) == (missing and Path(missing))


def test_without_tables_nothing_is_known_and_nothing_refused(tmp_path: Path) -> None:
    nowhere = tmp_path / "none"

    assert find_disk(tmp_path, mounts=nowhere) is None
    assert find_missing_mount(Path("/mnt/a"), is_named=True, mounts=nowhere, fstab=nowhere) is None


def test_the_command_says_the_disk_and_refuses_an_empty_mount_point_unless_told(
    transactional_db: None, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATA_DIR = tmp_path
    point, out = tmp_path / "stick", io.StringIO()
    monkeypatch.setattr(target_disk, "_FOR_MOUNTS", (tmp_path,))
    new_resident("Olive")

    with pytest.raises(
        CommandError, match=f"No disk is mounted on {point}, so the backup would be written to"
    ):
        call_command("backup", to=point)
    assert not point.exists()
    call_command("backup", to=point, allow_unmounted=True, stdout=out)

    disk = find_disk(tmp_path)
    assert disk
    assert (
        f"It is on {disk.device}, mounted on {disk.folder}, the disk of the diary itself." in out.getvalue()
    )
    assert len(list(point.glob("llamora-*.tar"))) == 1
