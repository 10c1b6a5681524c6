"""Tests of snapshots: loaded completely, for their owner and epoch, or not at all; never unencrypted."""

import os
import stat
import threading
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.db import connection

from llamora.crypto import Keyring, secret_bytes
from llamora.database import write_transaction
from search.errors import SnapshotRefused
from search.index.registry import indexes
from search.index.snapshots import PIECE_BYTES, SnapshotFolder
from search.query.parser import parse
from tests.people import Resident
from tests.search.indexing import BagOfWords, open_index

OWNER = uuid4()
KEYS = {1: secret_bytes(32), 2: secret_bytes(32)}
DATA = os.urandom(1000) + b"The very secret words." + bytes(PIECE_BYTES)


def keyring(epoch: int = 1, owner: UUID = OWNER) -> Keyring:
    return Keyring(owner=owner, epoch=epoch, keys=KEYS)


@pytest.fixture
def folder(tmp_path: Path) -> SnapshotFolder:
    kept = SnapshotFolder(tmp_path / "search", OWNER)
    kept.write(kind="words", rule="r", data=DATA, keyring=keyring())
    return kept


def files(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "search").rglob("*") if path.is_file()]


def test_what_was_kept_comes_back(folder: SnapshotFolder) -> None:
    assert folder.read(kind="words", rule="r", keyring=keyring()) == DATA


def test_the_newest_is_kept_alone_and_for_its_owner_only(folder: SnapshotFolder, tmp_path: Path) -> None:
    folder.write(kind="words", rule="r", data=b"newer", keyring=keyring())

    assert folder.read(kind="words", rule="r", keyring=keyring()) == b"newer"
    (path,) = files(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.parent.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("cut", [0, 10, 28, 40, 5000, len(DATA), -1])
def test_a_torn_one_is_thrown_away(folder: SnapshotFolder, tmp_path: Path, cut: int) -> None:
    (path,) = files(tmp_path)
    path.write_bytes(path.read_bytes()[:cut])

    with pytest.raises(SnapshotRefused):
        folder.read(kind="words", rule="r", keyring=keyring())

    assert files(tmp_path) == []


@pytest.mark.parametrize("place", [0, 5, 10, 26, 40, 3000, -1])
def test_one_with_a_changed_byte_is_thrown_away(folder: SnapshotFolder, tmp_path: Path, place: int) -> None:
    (path,) = files(tmp_path)
    changed = bytearray(path.read_bytes())
    changed[place] ^= 1
    path.write_bytes(changed)

    with pytest.raises(SnapshotRefused):
        folder.read(kind="words", rule="r", keyring=keyring())


def test_one_with_something_behind_it_is_thrown_away(folder: SnapshotFolder, tmp_path: Path) -> None:
    (path,) = files(tmp_path)
    path.write_bytes(path.read_bytes() + b"x")

    with pytest.raises(SnapshotRefused):
        folder.read(kind="words", rule="r", keyring=keyring())


def test_one_of_another_epoch_rule_or_kind_does_not_open(folder: SnapshotFolder) -> None:
    for kind, rule, epoch in (("vectors", "r", 1), ("words", "other", 1)):
        with pytest.raises(SnapshotRefused):
            folder.read(kind=kind, rule=rule, keyring=keyring(epoch))


def test_one_of_another_key_is_neither_read_nor_deleted(folder: SnapshotFolder, tmp_path: Path) -> None:
    planted = Keyring(owner=OWNER, epoch=1, keys={1: b"k" * 32})
    before = files(tmp_path)
    with pytest.raises(SnapshotRefused):
        folder.read(kind="words", rule="r", keyring=planted)
    folder.write(kind="words", rule="r", data=b"planted", keyring=planted)
    folder.delete(planted.key_id)

    assert files(tmp_path) == before
    assert folder.read(kind="words", rule="r", keyring=keyring()) == DATA


def test_one_without_a_fingerprint_in_its_name_is_read_and_named_anew(
    folder: SnapshotFolder, tmp_path: Path
) -> None:
    (path,) = files(tmp_path)
    kind, epoch, _, generation = path.stem.split("-", 3)
    unmarked = path.with_name(f"{kind}-{epoch}-{generation}.sealed")
    path.rename(unmarked)

    assert folder.read(kind="words", rule="r", keyring=keyring()) == DATA
    assert not unmarked.exists()
    assert len(files(tmp_path)) == 1
    assert folder.read(kind="words", rule="r", keyring=keyring()) == DATA


def test_one_without_a_fingerprint_that_does_not_open_stays(folder: SnapshotFolder, tmp_path: Path) -> None:
    (path,) = files(tmp_path)
    kind, epoch, _, generation = path.stem.split("-", 3)
    unmarked = path.rename(path.with_name(f"{kind}-{epoch}-{generation}.sealed"))

    with pytest.raises(SnapshotRefused):
        folder.read(kind="words", rule="r", keyring=Keyring(owner=OWNER, epoch=1, keys={1: b"k" * 32}))

    assert unmarked.exists()


def test_one_of_somebody_else_does_not_open_even_under_the_same_key(
    folder: SnapshotFolder, tmp_path: Path
) -> None:
    other = uuid4()
    (path,) = files(tmp_path)
    foreign = tmp_path / "search" / str(other)
    foreign.mkdir()
    path.rename(foreign / path.name)

    with pytest.raises(SnapshotRefused):
        SnapshotFolder(tmp_path / "search", other).read(kind="words", rule="r", keyring=keyring(owner=other))


def test_pieces_of_two_files_do_not_go_together(folder: SnapshotFolder, tmp_path: Path) -> None:
    (path,) = files(tmp_path)
    first = path.read_bytes()
    folder.write(kind="words", rule="r", data=DATA, keyring=keyring())
    (path,) = files(tmp_path)
    second = path.read_bytes()
    half = len(first) // 2
    path.write_bytes(first[:half] + second[half:])

    with pytest.raises(SnapshotRefused):
        folder.read(kind="words", rule="r", keyring=keyring())


def test_a_write_that_fails_leaves_the_one_before(
    folder: SnapshotFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        folder.write(kind="words", rule="r", data=b"newer", keyring=keyring())
    monkeypatch.undo()

    assert folder.read(kind="words", rule="r", keyring=keyring()) == DATA
    assert len(files(tmp_path)) == 1


class FileWatcher:
    """A thread that reads all files of some folders and records files with a marker."""

    def __init__(self, folders: list[Path], markers: list[bytes]) -> None:
        self.folders, self.markers = folders, markers
        self.seen: set[tuple[str, bytes]] = set()
        self.rounds = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def look(self) -> None:
        for folder in self.folders:
            for path in folder.rglob("*"):
                try:
                    held = path.read_bytes()
                except OSError:
                    continue
                self.seen |= {(path.name, marker) for marker in self.markers if marker in held}
        self.rounds += 1

    def _run(self) -> None:
        while not self._end.is_set():
            self.look()

    def __enter__(self) -> "FileWatcher":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()


def test_nothing_lies_open_on_the_disk_while_an_index_is_built_kept_and_used(
    owner: Resident, embedder: BagOfWords, data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temp = tmp_path / "temp"
    temp.mkdir()
    for name in ("TMPDIR", "SQLITE_TMPDIR", "TEMP"):
        monkeypatch.setenv(name, str(temp))
    marker = "quokkamarmalade"
    markers = [
        marker.encode(),
        marker.encode("utf-16-le"),
        embedder.embed_question(marker).astype("<f2").tobytes(),
    ]
    markers.append(embedder.embed_question(marker).tobytes())
    planted = data_folder / "planted"
    planted.write_bytes(b"x" + markers[0] + b"x" + markers[2])

    with FileWatcher([data_folder, temp, _database_folder()], markers) as watch:
        with write_transaction():
            for number in range(400):
                owner.write(marker if number % 7 == 0 else f"{marker} and more, line {number}")
        index = open_index(owner)
        index.save_snapshots(force=True)
        owner.write(f"again {marker}")
        indexes.close(owner.keyring.key_id)
        open_index(owner).save_snapshots(force=True)
        owner.lock()
        watch.look()

    assert watch.rounds > 2
    assert watch.seen == {("planted", markers[0]), ("planted", markers[2])}
    kept = {path.name.split("-")[0] for path in data_folder.rglob("*.sealed")}
    assert kept == {"words", "vectors"}


def _database_folder() -> Path:
    return Path(connection.settings_dict["NAME"]).parent


def test_a_damaged_snapshot_is_made_anew_and_everything_is_found(owner: Resident, data_folder: Path) -> None:
    entry = owner.write("A lighthouse in the rain.")
    open_index(owner).save_snapshots(force=True)
    indexes.close(owner.keyring.key_id)
    for path in data_folder.rglob("*.sealed"):
        path.write_bytes(path.read_bytes()[:-7])

    index = open_index(owner)

    assert index.words is not None
    assert index.words.find(parse("lighthouse"), limit=5).strict == [entry.id]
