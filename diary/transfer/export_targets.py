"""Where an export goes: a folder or a zip, closed to others, under its name only once it is whole."""

import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol


class ExportTarget(Protocol):
    """Something that takes files by name, one after another."""

    def write_file(self, name: str, content: Iterator[str]) -> None:
        """Write a file from pieces of text."""


@contextmanager
def open_target(target: Path) -> Iterator[ExportTarget]:
    """Give a sink for a new folder, or for a new zip where the name ends so; raise FileExistsError."""
    if os.path.lexists(target):
        raise FileExistsError(target)
    part = target.with_name(f".{target.name}.part")
    _remove(part)
    try:
        with _open_zip(part) if target.suffix.lower() == ".zip" else _open_folder(part) as sink:
            yield sink
        part.rename(target)
    except BaseException:
        _remove(part)
        raise


def _remove(part: Path) -> None:
    shutil.rmtree(part, ignore_errors=True)
    part.unlink(missing_ok=True)


def _open_private(path: str | Path, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _write_chunks(file: IO[bytes], content: Iterator[str]) -> None:
    for piece in content:
        file.write(piece.encode("utf-8"))


class _FolderTarget:
    def __init__(self, root: Path) -> None:
        self._root = root

    def write_file(self, name: str, content: Iterator[str]) -> None:
        path = self._root / name
        for folder in reversed(path.relative_to(self._root).parents):
            (self._root / folder).mkdir(mode=0o700, exist_ok=True)
        with open(path, "xb", opener=_open_private) as file:
            _write_chunks(file, content)
            file.flush()
            os.fsync(file.fileno())


class ZipTarget:
    """Files of a zip that is open for writing."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def write_file(self, name: str, content: Iterator[str]) -> None:
        """Write a file from pieces of text."""
        about = zipfile.ZipInfo(name)
        about.compress_type, about.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
        with self._archive.open(about, "w", force_zip64=True) as file:
            _write_chunks(file, content)


@contextmanager
def _open_folder(part: Path) -> Iterator[ExportTarget]:
    part.mkdir(mode=0o700)
    yield _FolderTarget(part)


@contextmanager
def _open_zip(part: Path) -> Iterator[ExportTarget]:
    with open(part, "xb", opener=_open_private) as file:
        with zipfile.ZipFile(file, "w") as archive:
            yield ZipTarget(archive)
        file.flush()
        os.fsync(file.fileno())
