"""Atomic saving of a file: written under a temporary name, flushed to the disk, then renamed."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from llamora.client.errors import LlamoraError


class FileRefused(LlamoraError):  # noqa: N818 - like the other errors of the client
    """Raised if a file exists already or cannot be written."""

    code = "file_refused"


class PartialFile:
    """A file that is being written. If `complete` was not called, the end of the `with` block deletes it.

    Its temporary name is that of the file with `.part` and a random word. Only the user can read it.
    """

    def __init__(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        self.path = Path(path)
        self._overwrite = overwrite
        self._part = self.path.with_name(f".{self.path.name}.part-{secrets.token_hex(4)}")
        self._file: BinaryIO | None = None

    def open(self) -> None:
        """Create the temporary file, after deleting that of an earlier attempt; raise FileRefused."""
        self._discard()
        self._refuse_existing()
        try:
            descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise _refuse(f"{self.path} can't be written: {_describe(error)}.") from None
        self._file = os.fdopen(descriptor, "wb")

    def write(self, chunk: bytes) -> None:
        """Write the next bytes; raise FileRefused if the disk refuses them."""
        assert self._file is not None
        try:
            self._file.write(chunk)
        except OSError as error:
            raise _refuse(f"{self.path} can't be written: {_describe(error)}.") from None

    def complete(self, is_whole: Callable[[Path], bool] = Path.exists) -> bool:
        """Flush the file and rename it to its final name, if `is_whole` returns True for it.

        Return whether it did; raise FileRefused if the final name is taken or the disk refuses the file.
        """
        assert self._file is not None
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            if not is_whole(self._part):
                return False
            self._refuse_existing()
            os.replace(self._part, self.path)
            _flush_folder(self.path.parent)
        except OSError as error:
            raise _refuse(f"{self.path} can't be written: {_describe(error)}.") from None
        self._file = None
        return True

    def _refuse_existing(self) -> None:
        if not self._overwrite and os.path.lexists(self.path):
            raise _refuse(f"{self.path} is there already. Choose another name, or allow to overwrite it.")

    def _discard(self) -> None:
        if self._file is not None:
            with suppress(OSError):  # what could not be written is thrown away in any case
                self._file.close()
            self._file = None
            self._part.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._discard()


def _flush_folder(folder: Path) -> None:
    """Write a file's new name to the disk as well, where folders can be opened."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refuse(message: str) -> FileRefused:
    return FileRefused(message)


def _describe(error: OSError) -> str:
    return (error.strerror or "the disk refused it").lower()
