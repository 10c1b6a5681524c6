"""The format of a backup: an uncompressed tar, which any machine can open.

    llamora.sqlite3                 the database, without session rows; sealed columns stay sealed
    former_keys/...                 files that open former data keys while a rotation is unfinished
    search/<owner>/*.sealed         sealed indexes
    prompts/...                     the household's own prompts
    settings.env                    the settings in force; secret ones only with `--with-secrets`
    secrets/secret_key              only with `--with-secrets`
    manifest.json                   the last file {"format": "llamora.backup", "version": 1, "made_at": "...",
                                    "files": {"<name>": {"size": n, "blake2b": "<32 bytes, hex>"}}}

It is not compressed, because ciphertext does not compress. The manifest is last, so a truncated archive has
none. Only regular files with these names are read, and only if the manifest lists them. The digests detect
damage, not forgery: an attacker who can write the file can also write the manifest, but a forged envelope
does not open.
"""

import hashlib
import io
import json
import os
import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from llamora.ops.backup.snapshot import BackupStopped, StopCheck, never_stop
from llamora.ops.errors import OperationRefused

DATABASE, MANIFEST, SETTINGS, SECRET_KEY = (
    *("llamora.sqlite3", "manifest.json"),
    *("settings.env", "secrets/secret_key"),
)
FORMAT, VERSION = "llamora.backup", 1
_CHUNK = 1024 * 1024
_LONGEST_MANIFEST = 64 * 1024 * 1024
_NAME_PART = r"[\w][\w .@+-]*"
_ALLOWED_NAME = re.compile(
    rf"llamora\.sqlite3|manifest\.json|settings\.env|secrets/secret_key"
    rf"|former_keys/[0-9a-f]{{32}}-\d{{1,10}}|(search|prompts)(/{_NAME_PART})+"
)


def is_allowed_name(name: str) -> bool:
    """Return whether a backup may contain a file of this name."""
    return _ALLOWED_NAME.fullmatch(name) is not None


class _HashingReader(io.RawIOBase):
    """A reader of a file that computes its BLAKE2 digest; raises BackupStopped if `stop` returns True."""

    def __init__(self, file: IO[bytes], stop: StopCheck) -> None:
        self._file, self._stop = file, stop
        self.digest = hashlib.blake2b(digest_size=32)

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes of the file, and add them to the BLAKE2 digest."""
        if self._stop():
            raise BackupStopped
        part = self._file.read(size)
        self.digest.update(part)
        return part


class ArchiveWriter:
    """Writer of an archive and of the manifest of its files."""

    def __init__(self, tar: tarfile.TarFile, *, made_at: datetime, stop: StopCheck) -> None:
        self._tar, self._made_at, self._stop = tar, made_at, stop
        self._files: dict[str, dict[str, Any]] = {}

    def add(self, name: str, path: Path) -> bool:
        """Add a file; return False if it no longer exists."""
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return False
        with file:
            self._add(name, file, size=os.fstat(file.fileno()).st_size)
        return True

    def add_text(self, name: str, text: str) -> None:
        """Add a file with this content."""
        content = text.encode()
        self._add(name, io.BytesIO(content), size=len(content))

    def _add(self, name: str, file: IO[bytes], *, size: int) -> None:
        hashed = _HashingReader(file, self._stop)
        self._tar.addfile(self._build_header(name, size), hashed)
        self._files[name] = {"size": size, "blake2b": hashed.digest.hexdigest()}

    def _build_header(self, name: str, size: int) -> tarfile.TarInfo:
        head = tarfile.TarInfo(name)
        head.size, head.mode, head.mtime = size, 0o600, int(self._made_at.timestamp())
        return head

    def finish(self) -> None:
        """Write the manifest at the end of the archive."""
        manifest = {
            "format": FORMAT,
            "version": VERSION,
            "made_at": self._made_at.isoformat(),
            "files": self._files,
        }
        content = json.dumps(manifest, indent=1).encode()
        self._tar.addfile(self._build_header(MANIFEST, len(content)), io.BytesIO(content))


@contextmanager
def create_archive(path: Path, *, made_at: datetime, stop: StopCheck = never_stop) -> Iterator[ArchiveWriter]:
    """Create an archive and yield its writer; when the `with` block ends, the archive gets its manifest.

    The file is then synced to the disk.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            writer = ArchiveWriter(tar, made_at=made_at, stop=stop)
            yield writer
            writer.finish()
        file.flush()
        os.fsync(file.fileno())


def unpack_archive(archive: Path, folder: Path) -> set[str]:
    """Unpack an archive into an empty folder and return the names; raise OperationRefused."""
    try:
        with tarfile.open(archive, mode="r:") as tar:
            found = {head.name: _extract_member(tar, head, folder) for head in tar}
    except tarfile.TarError:
        raise OperationRefused(f"{archive.name} is not a Llamora backup, or it is damaged.") from None
    _check_manifest(archive, found, _read_manifest(folder))
    return found.keys() - {MANIFEST}


def check_archive(archive: Path, *, stop: StopCheck = never_stop) -> None:
    """Read and check an archive without writing its files; raise OperationRefused or BackupStopped."""
    manifest = io.BytesIO()
    try:
        with tarfile.open(archive, mode="r:") as tar, open(os.devnull, "wb") as nowhere:
            found = {
                head.name: _copy_member(
                    _open_member(tar, head), manifest if head.name == MANIFEST else nowhere, stop=stop
                )
                for head in tar
            }
    except tarfile.TarError:
        raise OperationRefused(f"{archive.name} is damaged: it can't be read again.") from None
    _check_manifest(archive, found, _parse_manifest(manifest.getvalue()))


def _check_manifest(archive: Path, found: dict[str, str], manifest: dict[str, Any]) -> None:
    listed = {name: about["blake2b"] for name, about in manifest["files"].items()}
    unpacked = {name: digest for name, digest in found.items() if name != MANIFEST}
    if unpacked != listed or DATABASE not in unpacked:
        raise OperationRefused(f"{archive.name} is damaged: its contents don't match its list of files.")


def _open_member(tar: tarfile.TarFile, head: tarfile.TarInfo) -> IO[bytes]:
    if not head.isreg() or not is_allowed_name(head.name):
        raise OperationRefused("This is not a Llamora backup: it contains a file that no backup has.")
    source = tar.extractfile(head)
    assert source is not None  # a plain file always has content
    return source


def _extract_member(tar: tarfile.TarFile, head: tarfile.TarInfo, folder: Path) -> str:
    source, target = _open_member(tar, head), folder / head.name
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except (FileExistsError, IsADirectoryError, NotADirectoryError):
        raise OperationRefused("This is not a Llamora backup: it contains the same name twice.") from None
    with os.fdopen(descriptor, "wb") as file:
        digest = _copy_member(source, file)
        file.flush()
        os.fsync(file.fileno())
    return digest


def _copy_member(source: IO[bytes], target: IO[bytes], *, stop: StopCheck = never_stop) -> str:
    """Copy a file of the archive and return its digest; raise BackupStopped."""
    digest = hashlib.blake2b(digest_size=32)
    while part := source.read(_CHUNK):
        if stop():
            raise BackupStopped
        digest.update(part)
        target.write(part)
    return digest.hexdigest()


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file() or path.stat().st_size > _LONGEST_MANIFEST:
        raise OperationRefused("This backup is incomplete: its list of files is missing.")
    return _parse_manifest(path.read_bytes())


def _parse_manifest(content: bytes) -> dict[str, Any]:
    try:
        manifest = json.loads(content)
        known = manifest["format"] == FORMAT
        if known and manifest["version"] > VERSION:
            raise OperationRefused("This backup was made by a newer Llamora. Update the program first.")
        all(about["blake2b"] for about in manifest["files"].values())
    except (ValueError, KeyError, TypeError, AttributeError):
        known = False
    if not known:
        raise OperationRefused("This backup is damaged: its list of files can't be read.")
    return dict(manifest)
