"""An export streamed to a browser or a program while a thread writes it, without a temporary file.

It needs its own thread, because the writer uses one database snapshot and one keyring from beginning to end,
while each chunk of a response is read in any free thread. The writer stops when the diary is locked, when the
client disconnects, or when the same person or program starts another download. The end of the file is then
missing, so that no program takes it for complete.
"""

import io
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import Empty, Full, Queue
from typing import IO, Any, Final
from uuid import UUID

from django.db import connection

from accounts.signals import vault_locked
from llamora.crypto import RealmKeyring
from llamora.threads import lower_priority, yield_turn

# Each chunk takes several changes between threads, and a check of the token of a program.
CHUNK_BYTES: Final = 256 * 1024
MAX_CHUNKS_AHEAD: Final = 4  # chunks that may wait for the browser
POLL_SECONDS: Final = 0.5  # between checks whether the download was closed

_log = logging.getLogger(__name__)
_lock = threading.Lock()
# By person, and the id of the program's access token, or None for a browser.
_active_downloads: dict[tuple[UUID, UUID | None], "StreamedDownload"] = {}


class DownloadAborted(Exception):  # noqa: N818 - says what became of it
    """Raised when a download cannot be completed: the diary was locked, or a value could not be read."""


WriteDownload = Callable[[IO[bytes], RealmKeyring], None]


class StreamedDownload:
    """A download, as an iterator of its chunks. `write` produces the file in a thread, using `keyring`.

    A person can have one download at a time, and so can each program: `token_id` names a program,
    `sign_in_id` a browser. The download ends once `may_continue` returns False, which is called in the
    writer's snapshot of the database. `may_send` is called outside the snapshot, before each chunk.
    """

    def __init__(
        self,
        keyring: RealmKeyring,
        *,
        write: WriteDownload,
        sign_in_id: UUID | None = None,
        token_id: UUID | None = None,
        may_continue: Callable[[], bool] = lambda: True,
        may_send: Callable[[], bool] = lambda: True,
    ) -> None:
        self._keyring, self._write = keyring, write
        self._may_continue, self._may_send = may_continue, may_send
        self.sign_in_id = sign_in_id
        self._place = keyring.owner, token_id
        self._chunks: Queue[bytes] = Queue(MAX_CHUNKS_AHEAD)
        self._ended = threading.Event()
        self._is_complete = self._has_stopped = False
        self._thread = threading.Thread(target=self._run, name="download", daemon=True)
        with _lock:
            previous, _active_downloads[self._place] = _active_downloads.get(self._place), self
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
                if not chunk:
                    raise StopIteration
                if self._may_send():
                    return chunk
                self.close()
                break
        raise DownloadAborted

    def close(self) -> None:
        """Stop the download, complete or not, and close its keyring."""
        self._ended.set()
        self._keyring.close()
        with _lock:
            if _active_downloads.get(self._place) is self:
                del _active_downloads[self._place]

    def _run(self) -> None:
        lower_priority()
        try:
            pipe = io.BufferedWriter(_DownloadPipe(self._enqueue), CHUNK_BYTES)
            self._write(pipe, self._keyring)
            pipe.flush()
            self._enqueue(b"")
            self._is_complete = True
        except Exception as error:
            # From here on `_enqueue` drops what a zip still writes when it is garbage collected, with the
            # frames of the error.
            self._has_stopped = True
            # Only the kind is logged: an error while reading texts may quote them.
            _log.warning("An export was not downloaded completely: %s", type(error).__name__)
        finally:
            self._has_stopped = True
            self._keyring.close()
            self._ended.set()
            connection.close()

    def _enqueue(self, chunk: bytes) -> None:
        """Add a chunk to the queue once there is room; an empty chunk marks the end."""
        while not self._ended.is_set() and self._may_continue():
            with suppress(Full):
                return self._chunks.put(chunk, timeout=POLL_SECONDS)
        if not self._has_stopped:
            raise DownloadAborted
        return None


class _DownloadPipe(io.RawIOBase):
    """A file that cannot seek, whose bytes go into the queue of a download."""

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
        download = _active_downloads.get((person_id, None))
    if download is not None and download.sign_in_id == sign_in_id:
        download.close()


def connect() -> None:
    """Connect the function that stops downloads to the signal `vault_locked`.

    It is called once from `AppConfig.ready`.
    """
    vault_locked.connect(_stop_download, dispatch_uid="diary.downloads.end")
