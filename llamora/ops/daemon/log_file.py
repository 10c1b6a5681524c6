"""The log of the daemon: everything that it prints and logs, in files of a limited size.

llamora.log      0600   up to MAX_BYTES; then it is renamed to
llamora.log.1    0600   older logs are renumbered, and the oldest is deleted

A full disk must not stop the server: a line that cannot be written is dropped.
"""

import io
import logging.config
import os
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from django.conf import settings

NAME = "llamora.log"
MAX_BYTES = 4 * 2**20
OLD_FILES = 3
_READ_BYTES = 64 * 1024


class RotatingOutput(io.TextIOBase):
    """A text stream that appends to a log file, and starts another file when that one is full.

    `descriptors` are redirected to the same file, because libraries in C write to descriptors 1 and 2.
    """

    def __init__(self, path: Path, *, descriptors: Sequence[int] = (), max_bytes: int = MAX_BYTES) -> None:
        super().__init__()
        self._path, self._descriptors, self._max_bytes = path, descriptors, max_bytes
        self._file: int | None = None
        # Reentrant, since a signal may come while a line is written.
        self._guard = threading.RLock()
        with suppress(OSError):
            self._use(open_file(path))

    @property
    def encoding(self) -> str:  # type: ignore[override]  # the base class has a variable
        """The encoding of the file."""
        return "utf-8"

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, text: str, /) -> int:
        """Append a text, never split between two files; drop it if it cannot be written."""
        data = text.encode("utf-8", "backslashreplace")
        with self._guard, suppress(OSError):
            if self._file is None:
                self._use(open_file(self._path))
            elif (size := os.fstat(self._file).st_size) and size + len(data) > self._max_bytes:
                self._rotate()
            while data:
                data = data[os.write(self._file or 0, data) :]
        return len(text)

    def _rotate(self) -> None:
        """Begin a new file; continue with the old one if no file can be created, as on a full disk."""
        fresh = self._path.with_name(f"{self._path.name}.new")
        try:
            descriptor = open_file(fresh)
        except OSError:
            return
        names = [self._path, *(self._path.with_name(f"{self._path.name}.{n}") for n in _numbers())]
        for older, newer in zip(reversed(names[1:]), reversed(names[:-1]), strict=True):
            # Someone may have deleted one.
            with suppress(FileNotFoundError):
                newer.replace(older)
        fresh.replace(self._path)
        self._use(descriptor)

    def _use(self, descriptor: int) -> None:
        for other in self._descriptors:
            os.dup2(descriptor, other)
        if self._file is not None:
            os.close(self._file)
        self._file = descriptor


def _numbers() -> range:
    return range(1, OLD_FILES + 1)


def get_path() -> Path:
    """Return the path of the household's log."""
    return Path(settings.DATA_DIR) / NAME


def open_file(path: Path) -> int:
    """Open a log file for appending, with mode 0600; raise OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.fchmod(descriptor, 0o600)
    return descriptor


def redirect_output(path: Path) -> None:
    """Redirect everything that this process prints and logs to a log file."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    output = RotatingOutput(path, descriptors=(1, 2))
    sys.stdout = sys.stderr = output
    # The handlers have the stream of before.
    logging.config.dictConfig(settings.LOGGING)


def get_size(path: Path) -> int:
    """Return the size of a log file; 0 if there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def read_last_lines(path: Path, *, after: int, most: int) -> list[str]:
    """Return the last lines (at most `most`) that were written to a log after its first `after` bytes."""
    size = get_size(path)
    # Smaller than before: it is another file.
    begin = after if size >= after else 0
    try:
        with path.open("rb") as file:
            file.seek(max(begin, size - _READ_BYTES))
            return file.read(_READ_BYTES).decode("utf-8", "replace").splitlines()[-most:]
    except OSError:
        return []
