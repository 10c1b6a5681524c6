"""The folder or zip to which an export is written; only the user of this process can read it.

It is renamed once it is complete.
"""

import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol


class ExportTarget(Protocol):
    """Protocol of a destination to which an export writes its files by name, such as a zip."""

    def write_file(self, name: str, content: Iterator[str]) -> None:
        """Write the file `name` from chunks of text."""

    def write_bytes(self, name: str, content: bytes) -> None:
        """Write the file `name` with these bytes."""


@contextmanager
def open_target(path: Path) -> Iterator[ExportTarget]:
    """Open a new zip if the name ends in .zip, else a new folder; raise FileExistsError."""
    if os.path.lexists(path):
        raise FileExistsError(path)
    temporary = path.with_name(f".{path.name}.part")
    _remove(temporary)
    try:
        with _open_zip(temporary) if path.suffix.lower() == ".zip" else _open_folder(temporary) as target:
            yield target
        temporary.rename(path)
    except BaseException:
        _remove(temporary)
        raise


def _remove(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)
    path.unlink(missing_ok=True)


def _open_private(path: str | Path, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _encode_chunks(content: Iterator[str]) -> Iterator[bytes]:
    for chunk in content:
        yield chunk.encode("utf-8")


class _FolderTarget:
    def __init__(self, root: Path) -> None:
        self._root = root

    def write_file(self, name: str, content: Iterator[str]) -> None:
        self._write(name, _encode_chunks(content))

    def write_bytes(self, name: str, content: bytes) -> None:
        self._write(name, iter([content]))

    def _write(self, name: str, content: Iterator[bytes]) -> None:
        path = self._root / name
        for folder in reversed(path.relative_to(self._root).parents):
            (self._root / folder).mkdir(mode=0o700, exist_ok=True)
        with open(path, "xb", opener=_open_private) as file:
            file.writelines(content)
            file.flush()
            os.fsync(file.fileno())


class ZipTarget:
    """A zip file open for writing."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def write_file(self, name: str, content: Iterator[str]) -> None:
        """Write the file `name` from chunks of text."""
        self._write(name, _encode_chunks(content))

    def write_bytes(self, name: str, content: bytes) -> None:
        """Write the file `name` with these bytes."""
        self._write(name, iter([content]))

    def _write(self, name: str, content: Iterator[bytes]) -> None:
        info = zipfile.ZipInfo(name)
        info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
        with self._archive.open(info, "w", force_zip64=True) as file:
            file.writelines(content)


@contextmanager
def _open_folder(path: Path) -> Iterator[ExportTarget]:
    path.mkdir(mode=0o700)
    yield _FolderTarget(path)


@contextmanager
def _open_zip(path: Path) -> Iterator[ExportTarget]:
    with open(path, "xb", opener=_open_private) as file:
        with zipfile.ZipFile(file, "w") as archive:
            yield ZipTarget(archive)
        file.flush()
        os.fsync(file.fileno())
