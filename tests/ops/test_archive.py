"""Tests of `llamora.ops.backup.archive` with foreign, forged and cut-off archives."""

import json
import shutil
import tarfile
from pathlib import Path

import pytest

from llamora.ops.backup import archive
from llamora.ops.errors import OperationRefused
from tests.ops.backups import BackupFolders
from tests.people import Resident, new_resident


@pytest.fixture
def place(tmp_path: Path) -> BackupFolders:
    return BackupFolders(folder=tmp_path)


@pytest.fixture
def owner(transactional_db: None) -> Resident:
    owner = new_resident("Olive")
    owner.write("the heron stood in the reeds")
    return owner


def unpack(place: BackupFolders, backup: Path) -> Path:
    folder = place.folder / "unpacked"
    folder.mkdir()
    archive.unpack_archive(backup, folder)
    return folder


def repack(backup: Path, target: Path, change: dict[str, bytes | None]) -> Path:
    """Return the archive with some files added, changed, or (None) removed."""
    import io

    with tarfile.open(backup) as old, tarfile.open(target, "w") as new:
        contents = {head.name: old.extractfile(head).read() for head in old}  # type: ignore[union-attr]
        for name, content in {**contents, **change}.items():
            if content is not None:
                head = tarfile.TarInfo(name)
                head.size = len(content)
                new.addfile(head, io.BytesIO(content))
    return target


@pytest.mark.parametrize(
    "change",
    [
        {"llamora.sqlite3": b"SQLite format 3\0 and so on"},
        {"llamora.sqlite3": None},
        {"manifest.json": None},
        {"manifest.json": b"[]"},
        {"manifest.json": b"{"},
        {"manifest.json": b'{"format": "llamora.backup", "version": 2, "files": {}}'},
        {"../outside": b"x"},
        {"/tmp/outside": b"x"},
        {"search/../../outside": b"x"},
        {"something else": b"x"},
        {"search/unlisted.sealed": b"x"},
    ],
)
def test_an_archive_that_is_not_as_we_write_them_is_refused(
    owner: Resident, place: BackupFolders, change: dict[str, bytes | None]
) -> None:
    bad = repack(place.create_backup().path, place.folder / "bad.tar", change)

    with pytest.raises(OperationRefused):
        unpack(place, bad)

    assert not list(place.folder.rglob("outside"))


def test_links_and_devices_in_an_archive_are_refused(owner: Resident, place: BackupFolders) -> None:
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE):
        bad = place.folder / "bad.tar"
        with tarfile.open(bad, "w") as tar:
            head = tarfile.TarInfo("prompts/link.txt")
            head.type, head.linkname = kind, "/etc/passwd"
            tar.addfile(head)
        shutil.rmtree(place.folder / "unpacked", ignore_errors=True)

        with pytest.raises(OperationRefused):
            unpack(place, bad)


def test_an_archive_that_was_cut_off_is_refused_wherever_that_was(
    owner: Resident, place: BackupFolders
) -> None:
    whole = place.create_backup().path.read_bytes()
    for share in (0.0, 0.1, 0.5, 0.9, 0.95):
        cut = place.folder / "cut.tar"
        cut.write_bytes(whole[: int(len(whole) * share)])
        shutil.rmtree(place.folder / "unpacked", ignore_errors=True)

        with pytest.raises(OperationRefused):
            unpack(place, cut)
        with pytest.raises(OperationRefused):
            archive.check_archive(cut)


def test_one_changed_byte_is_noticed(owner: Resident, place: BackupFolders) -> None:
    whole = bytearray(place.create_backup().path.read_bytes())
    whole[len(whole) // 2] ^= 1
    changed = place.folder / "changed.tar"
    changed.write_bytes(whole)

    with pytest.raises(OperationRefused, match="damaged"):
        unpack(place, changed)


def test_the_manifest_lists_what_is_there(owner: Resident, place: BackupFolders) -> None:
    folder = unpack(place, place.create_backup().path)

    manifest = json.loads((folder / "manifest.json").read_text())

    assert manifest["format"] == "llamora.backup"
    assert manifest["version"] == 1
    assert set(manifest["files"]) == {"llamora.sqlite3", "settings.env"}
    assert manifest["files"]["llamora.sqlite3"]["size"] == (folder / "llamora.sqlite3").stat().st_size
