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
from diary.transfer.export_targets import ExportTarget, ZipTarget
from llamora.crypto import Keyring
from llamora.threads import lower_priority, yield_turn

CHUNK_BYTES: Final = 64 * 1024
MAX_CHUNKS_AHEAD: Final = 4  # parts that may wait for the browser
POLL_SECONDS: Final = 0.5  # seconds between looks at whether anybody still wants it

_log = logging.getLogger(__name__)
_lock = threading.Lock()
_active_downloads: dict[UUID, "ZipDownload"] = {}


class DownloadAborted(Exception):  # noqa: N818 - says what became of it
    """The zip is not whole: locked meanwhile, or something could not be read."""


class ZipDownload:
    """The bytes of one zip, in order; `write` puts files into a sink with the keyring it is given."""

    def __init__(
        self, keyring: Keyring, *, sign_in_id: UUID, write: Callable[[ExportTarget, Keyring], None]
    ) -> None:
        self._keyring, self._write = keyring, write
        self.sign_in_id = sign_in_id
        self._parts: Queue[bytes] = Queue(MAX_CHUNKS_AHEAD)
        self._ended = threading.Event()
        self._is_whole = self._has_stopped = False
        self._thread = threading.Thread(target=self._run, name="download", daemon=True)
        with _lock:
            before, _active_downloads[keyring.owner] = _active_downloads.get(keyring.owner), self
        if before is not None:
            before.close()
        self._thread.start()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        while self._is_whole or not self._ended.is_set():
            with suppress(Empty):
                with yield_turn():
                    part = self._parts.get(timeout=POLL_SECONDS)
                if part:
                    return part
                raise StopIteration
        raise DownloadAborted

    def close(self) -> None:
        """End it, done or not, and let go of the key."""
        self._ended.set()
        self._keyring.close()
        with _lock:
            if _active_downloads.get(self._keyring.owner) is self:
                del _active_downloads[self._keyring.owner]

    def _run(self) -> None:
        lower_priority()
        try:
            pipe = io.BufferedWriter(_DownloadPipe(self._enqueue), CHUNK_BYTES)
            archive = zipfile.ZipFile(pipe, "w")
            self._write(ZipTarget(archive), self._keyring)
            archive.close()
            pipe.flush()
            self._enqueue(b"")
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

    def _enqueue(self, part: bytes) -> None:
        """Hand a part on once there is room; an empty one says that it was the last."""
        while not self._ended.is_set():
            with suppress(Full):
                return self._parts.put(part, timeout=POLL_SECONDS)
        if not self._has_stopped:
            raise DownloadAborted
        return None


class _DownloadPipe(io.RawIOBase):
    """The writing end: takes bytes in order, and knows no way back."""

    def __init__(self, put: Callable[[bytes], None]) -> None:
        self._enqueue = put

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._enqueue(bytes(data))
        return len(data)


def _stop_download(sender: object, *, person_id: UUID, sign_in_id: UUID, **_: Any) -> None:
    """Stop sending to a browser that locked, or was signed out."""
    del sender
    with _lock:
        found = _active_downloads.get(person_id)
    if found is not None and found.sign_in_id == sign_in_id:
        found.close()


def connect() -> None:
    """Listen; called once from `AppConfig.ready`."""
    vault_locked.connect(_stop_download, dispatch_uid="diary.downloads.end")
