"""An export streamed to the browser as a zip while a thread writes it, without a temporary file.

It needs its own thread, because the writer uses one database snapshot and one keyring from beginning to end,
while each chunk of a response is read in any free thread. A lock, a disconnected browser or another download
of the same person stops the writer; the zip then ends without its central directory, so that no program takes
it for complete.
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
MAX_CHUNKS_AHEAD: Final = 4  # chunks that may wait for the browser
POLL_SECONDS: Final = 0.5  # between checks whether the download was closed

_log = logging.getLogger(__name__)
_lock = threading.Lock()
_active_downloads: dict[UUID, "ZipDownload"] = {}


class DownloadAborted(Exception):  # noqa: N818 - says what became of it
    """Raised when a zip cannot be completed: the diary was locked, or a value could not be read."""


class ZipDownload:
    """The chunks of one zip, in order; `write` writes the files to a target with a given keyring."""

    def __init__(
        self, keyring: Keyring, *, sign_in_id: UUID, write: Callable[[ExportTarget, Keyring], None]
    ) -> None:
        self._keyring, self._write = keyring, write
        self.sign_in_id = sign_in_id
        self._chunks: Queue[bytes] = Queue(MAX_CHUNKS_AHEAD)
        self._ended = threading.Event()
        self._is_complete = self._has_stopped = False
        self._thread = threading.Thread(target=self._run, name="download", daemon=True)
        with _lock:
            previous, _active_downloads[keyring.owner] = _active_downloads.get(keyring.owner), self
        if previous is not None:
            previous.close()
        self._thread.start()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        while self._is_complete or not self._ended.is_set():
            with suppress(Empty):
                with yield_turn():
                    chunk = self._chunks.get(timeout=POLL_SECONDS)
                if chunk:
                    return chunk
                raise StopIteration
        raise DownloadAborted

    def close(self) -> None:
        """Stop the download, finished or not, and close its keyring."""
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
            self._is_complete = True
        except Exception as error:
            # Only the kind is logged: an error while reading texts may quote them.
            _log.warning("An export was not downloaded completely: %s", type(error).__name__)
        finally:
            # From here on `_enqueue` drops what the archive still writes when it is garbage collected.
            self._has_stopped = True
            self._keyring.close()
            self._ended.set()
            connection.close()

    def _enqueue(self, chunk: bytes) -> None:
        """Add a chunk to the queue once there is room; an empty chunk marks the end."""
        while not self._ended.is_set():
            with suppress(Full):
                return self._chunks.put(chunk, timeout=POLL_SECONDS)
        if not self._has_stopped:
            raise DownloadAborted
        return None


class _DownloadPipe(io.RawIOBase):
    """A file without seeking, whose written bytes go into the queue of a download."""

    def __init__(self, enqueue: Callable[[bytes], None]) -> None:
        self._enqueue = enqueue

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._enqueue(bytes(data))
        return len(data)


def _stop_download(sender: object, *, person_id: UUID, sign_in_id: UUID, **_: Any) -> None:
    """Stop the download of a browser that locked the diary or was signed out."""
    del sender
    with _lock:
        download = _active_downloads.get(person_id)
    if download is not None and download.sign_in_id == sign_in_id:
        download.close()


def connect() -> None:
    """Connect the receiver; called once from `AppConfig.ready`."""
    vault_locked.connect(_stop_download, dispatch_uid="diary.downloads.end")
