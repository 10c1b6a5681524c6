"""Register of valid credentials (sign-ins and access tokens), in a folder beside the database.

Anyone who can write to the database can restore a deleted row, or change its columns. So a sign-in or an
access token is valid only while it is registered here with exactly the values of its row. The server
registers it when it writes the row, and removes it when the credential ends.

    register/<kind>-<owner>-<row>-<values>   an empty file with mode 0600; its name is called the row's mark

    owner, row   8-byte digests of their ids
    values       the 32-byte digest of the row's values
    digest       BLAKE2b(data = for each value: u32 big-endian length | value, no key,
                         personalisation = "llamora.register"), in hexadecimal

    sign_in      a sign-in, with its cookie hash and its times
    token        an access token, with its confirmation
    expired      an expired token, until its owner unlocks; texts that it sent before are still accepted

Marks are removed by the id of the row or its owner, not by the row's values, which an attacker may have
changed.

The file names contain no personal data. The folder is not part of backups. So after a restore no credential
is valid: people sign in again, and each token waits until its owner confirms it. The same happens if the
folder is lost.
"""

import errno
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from llamora.database.errors import NotWritten

FOLDER: Final = "register"
_PERSON: Final = b"llamora.register"
_PARTS: Final = 4
_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
_CODES: Final = {
    errno.ENOSPC: "disk_full",
    errno.EDQUOT: "disk_full",
    errno.EROFS: "read_only",
    errno.EACCES: "read_only",
    errno.EPERM: "read_only",
}
_log = logging.getLogger(__name__)


def get_register_folder() -> str:
    """Return the folder of the register, beside the database (which may be from an unpacked backup)."""
    # Every page asks this: a Path takes longer.
    return f"{os.path.dirname(connection.settings_dict['NAME'])}/{FOLDER}"


def build_mark(kind: str, *, owner: UUID, row_id: UUID, values: Iterable[bytes]) -> str:
    """Return the mark of a credential: a file name, computed from the values of its row."""
    return f"{kind}-{_digest_id(owner)}-{_digest_id(row_id)}-{_compute_digest(values, length=32)}"


def _digest_id(row_id: UUID) -> str:
    return _compute_digest([row_id.bytes], length=8)


def _compute_digest(values: Iterable[bytes], *, length: int) -> str:
    said = b"".join(len(value).to_bytes(4, "big") + value for value in values)
    return blake2b(said, digest_size=length, person=_PERSON).hexdigest()


def is_registered(mark: str) -> bool:
    """Return whether the register contains the mark of a credential."""
    return os.access(f"{get_register_folder()}/{mark}", os.F_OK)


def register_mark(mark: str) -> None:
    """Add a credential's mark to the register, and sync it to the disk.

    Call it in the transaction that writes the row of the credential. If that transaction is rolled
    back, a mark without a row remains, which the next sweep removes. Raise NotWritten.
    """
    with _writing() as folder:
        os.close(os.open(f"{folder}/{mark}", _FLAGS, 0o600))


def write_register_file(name: str, content: bytes) -> None:
    """Write a file to the register's folder, atomically. The file must not be a mark. Raise NotWritten."""
    with _writing() as folder:
        draft = f"{folder}/{name}.{os.getpid()}.new"
        descriptor = os.open(draft, _FLAGS | os.O_TRUNC, 0o600)
        try:
            os.write(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(draft, f"{folder}/{name}")


@contextmanager
def _writing() -> Iterator[str]:
    """Yield the folder, which is created if it is missing; sync it to the disk after the `with` block."""
    folder = get_register_folder()
    try:
        with suppress(FileExistsError):
            os.mkdir(folder, 0o700)
        yield folder
        _sync_folder(folder)
    except OSError as error:
        raise NotWritten(_CODES.get(error.errno or 0, "io")) from None


def remove_marks(marks: Iterable[str]) -> None:
    """Remove marks from the register, and sync its folder.

    If the disk refuses it, the next sweep tries again, because the rows are deleted.
    """
    folder, is_changed = get_register_folder(), False
    try:
        for mark in marks:
            with suppress(FileNotFoundError):
                os.unlink(f"{folder}/{mark}")
                is_changed = True
        if is_changed:
            _sync_folder(folder)
    except OSError as error:
        _log.warning(
            "Ended sign-ins or access tokens could not be taken off the register: %s", error.strerror
        )


def remove_marks_on_commit(marks: Iterable[str]) -> None:
    """Remove marks after the commit of the current transaction, before the response."""
    if marks := list(marks):
        transaction.on_commit(partial(remove_marks, marks))


def list_marks(kind: str, *, owner: UUID | None = None, row_id: UUID | None = None) -> set[str]:
    """Return the registered marks of one kind of credential, or only those of one owner or row."""
    try:
        names = os.listdir(get_register_folder())
    except FileNotFoundError:
        return set()
    of_owner = "" if owner is None else _digest_id(owner)
    of_row = "" if row_id is None else _digest_id(row_id)
    found = set()
    for name in names:
        parts = name.split("-")
        is_of_kind = len(parts) == _PARTS and parts[0] == kind
        if is_of_kind and of_owner in ("", parts[1]) and of_row in ("", parts[2]):
            found.add(name)
    return found


def clear_register(database: Path) -> None:
    """End all sign-ins and access tokens of a database that another one replaces, by removing their marks."""
    folder = database.parent / FOLDER
    for path in list(folder.glob("*-*")):
        path.unlink()
    if folder.is_dir():
        _sync_folder(str(folder))


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network and user-space file systems have no such thing, and write the names as they come.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
