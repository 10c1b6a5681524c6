"""Register of the rows that let somebody in, in a folder beside the database.

Anyone who can write to the database can bring back a row that was deleted, or change its columns. So a row
that lets somebody in is registered here when the server writes it, and taken off when it ends: whatever the
database says, a row that is not registered as it is opens nothing.

    register/<kind>-<owner>-<row>-<values>   an empty file with mode 0600; its name is the mark of the row

    owner, row   the digests of their ids, of 8 bytes
    values       the digest of what the row says, of 32 bytes
    digest       BLAKE2b(data = for each value: u32 big-endian length | value, no key,
                         personalisation = "llamora.register"), in hexadecimal

    sign_in      what a browser's sign-in says of its cookie and its times
    token        the confirmation of an access token, with which it is used
    expired      the same of one that has expired, and only vouches for what it sent before

A row that ends is taken off by its id, or that of its owner: whoever writes to the database may have changed
or hidden it before.

No file names anyone. The folder is in no backup, and after a restore no row is registered. If the folder is
lost, nobody is let in either: browsers sign in again, and each token waits until its owner lets it work.
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
    """Return the folder, beside the database in use, which may be an unpacked backup."""
    # Every page asks this: a Path takes longer.
    return f"{os.path.dirname(connection.settings_dict['NAME'])}/{FOLDER}"


def build_mark(kind: str, *, owner: UUID, row_id: UUID, values: Iterable[bytes]) -> str:
    """Return what a row of a kind with these values is registered as."""
    return f"{kind}-{_digest_id(owner)}-{_digest_id(row_id)}-{_compute_digest(values, length=32)}"


def _digest_id(row_id: UUID) -> str:
    return _compute_digest([row_id.bytes], length=8)


def _compute_digest(values: Iterable[bytes], *, length: int) -> str:
    said = b"".join(len(value).to_bytes(4, "big") + value for value in values)
    return blake2b(said, digest_size=length, person=_PERSON).hexdigest()


def is_registered(mark: str) -> bool:
    """Return whether a row is in force as it is."""
    return os.access(f"{get_register_folder()}/{mark}", os.F_OK)


def register_mark(mark: str) -> None:
    """Register a row, and return once that is on the disk; call in the transaction that writes the row.

    A transaction that is then undone leaves a mark of no row, which the next sweep removes. Raise NotWritten.
    """
    with _writing() as folder:
        os.close(os.open(f"{folder}/{mark}", _FLAGS, 0o600))


def write_register_file(name: str, content: bytes) -> None:
    """Write a file beside the marks, whole or not at all; raise NotWritten."""
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
    """Yield the folder, which is made if there is none, and write its names to the disk after the block."""
    folder = get_register_folder()
    try:
        with suppress(FileExistsError):
            os.mkdir(folder, 0o700)
        yield folder
        _sync_folder(folder)
    except OSError as error:
        raise NotWritten(_CODES.get(error.errno or 0, "io")) from None


def remove_marks(marks: Iterable[str]) -> None:
    """Take rows off the register, and return once that is on the disk.

    If the disk refuses it, the next sweep tries again, since their rows are gone.
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
    """Take rows off the register after the commit that ends them, before it is answered."""
    if marks := list(marks):
        transaction.on_commit(partial(remove_marks, marks))


def list_marks(kind: str, *, owner: UUID | None = None, row_id: UUID | None = None) -> set[str]:
    """Return the marks of a kind that are registered, of an owner or a row if given."""
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
    """Take every row off the register of a database, which is replaced by another one."""
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
