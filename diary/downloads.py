"""A diary as a zip that is made while it is sent: one thread writes it, the answer reads; no file in between.

A thread of its own, because the writer keeps one view of the database and one keyring from beginning to end,
while each part of an answer is pulled in whichever thread is free. Locking ends it, as does the browser that
goes away, and so does another download of the same person; the zip then breaks off without its end, so that
no program takes it for whole.
"""

import io
import logging
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import Empty, Full, Queue
from typing import Any, Final
from uuid import UUID

from django.db import connection

from accounts.signals import vault_locked
from diary.sinks import Sink, ZipSink
from llamora.crypto import Keyring
from llamora.urgency import go_last

PART: Final = 64 * 1024
AHEAD: Final = 4  # parts that may wait for the browser
PATIENCE: Final = 0.5  # seconds between looks at whether anybody still wants it

_log = logging.getLogger(__name__)
_guard = threading.Lock()
_under_way: dict[UUID, "Download"] = {}


class BrokenOff(Exception):  # noqa: N818 - says what became of it
    """The zip is not whole: locked meanwhile, or something could not be read."""


class Download:
    """The bytes of one zip, in order; `write` puts files into a sink with the keyring it is given."""

    def __init__(self, keyring: Keyring, *, sign_in_id: UUID, write: Callable[[Sink, Keyring], None]) -> None:
        self._keyring, self._write = keyring, write
        self.sign_in_id = sign_in_id
        self._parts: Queue[bytes] = Queue(AHEAD)
        self._ended = threading.Event()
        self._is_whole = self._has_stopped = False
        self._thread = threading.Thread(target=self._run, name="download", daemon=True)
        with _guard:
            before, _under_way[keyring.owner] = _under_way.get(keyring.owner), self
        if before is not None:
            before.close()
        self._thread.start()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        while self._is_whole or not self._ended.is_set():
            with suppress(Empty):
                if part := self._parts.get(timeout=PATIENCE):
                    return part
                raise StopIteration
        raise BrokenOff

    def close(self) -> None:
        """End it, done or not, and let go of the key."""
        self._ended.set()
        self._keyring.close()
        with _guard:
            if _under_way.get(self._keyring.owner) is self:
                del _under_way[self._keyring.owner]

    def _run(self) -> None:
        go_last()
        try:
            pipe = io.BufferedWriter(_Pipe(self._put), PART)
            archive = zipfile.ZipFile(pipe, "w")
            self._write(ZipSink(archive), self._keyring)
            archive.close()
            pipe.flush()
            self._put(b"")
            self._is_whole = True
        except Exception as error:
            # By its kind alone: what went wrong while reading texts may quote them.
            _log.warning("A download was broken off: %s", type(error).__name__)
        finally:
            # What a zip writes when it is let go of falls from now on.
            self._has_stopped = True
            self._keyring.close()
            self._ended.set()
            connection.close()

    def _put(self, part: bytes) -> None:
        """Hand a part on once there is room; an empty one says that it was the last."""
        while not self._ended.is_set():
            with suppress(Full):
                return self._parts.put(part, timeout=PATIENCE)
        if not self._has_stopped:
            raise BrokenOff
        return None


class _Pipe(io.RawIOBase):
    """The writing end: takes bytes in order, and knows no way back."""

    def __init__(self, put: Callable[[bytes], None]) -> None:
        self._put = put

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._put(bytes(data))
        return len(data)


def _end_with_the_session(sender: object, *, person_id: UUID, sign_in_id: UUID, **_: Any) -> None:
    """Stop sending to a browser that locked, or was signed out."""
    del sender
    with _guard:
        found = _under_way.get(person_id)
    if found is not None and found.sign_in_id == sign_in_id:
        found.close()


def connect() -> None:
    """Listen; called once from `AppConfig.ready`."""
    vault_locked.connect(_end_with_the_session, dispatch_uid="diary.downloads.end")
