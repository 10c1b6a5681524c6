"""Downloads of models: one at a time for the household, each in a thread while the server runs.

The lock on `data/models/.download.lock` is shared by the server and `manage.py model get`. The partial file
of an interrupted download remains, and the next download of the same file resumes it.
"""

import asyncio
import fcntl
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from llamora.inference.model_choice.catalogue import CatalogueModel, find_catalogue_model, format_gigabytes
from llamora.inference.model_choice.errors import ChoiceRefused, get_sentence
from llamora.llm.model_files.gguf import is_part
from llamora.threads import lower_priority

LOCK_FILE: Final = ".download.lock"
PART_SUFFIX: Final = ".gguf.part"
_NAME = re.compile(r"[\w-][\w.-]{0,127}")
_MOST_NAMES: Final = 8
RUNNING: Final = ("starting", "checking", "loading", "waiting")


@dataclass(frozen=True, kw_only=True)
class DownloadSource:
    """A file in a repository on the hub."""

    repository: str
    file: str

    @property
    def name(self) -> str:
        """The name of the file after the download."""
        return Path(self.file).name


@dataclass(frozen=True, kw_only=True)
class DownloadProgress:
    """The state of a download.

    phase     "starting"; "checking" a partial file; "loading"; "waiting" before a retry; then "finished",
              "failed" or "cancelled"
    done      the number of bytes downloaded, of `total`; both are 0 if unknown
    code      the code of the error if it failed; `sentence` is the message for people
    """

    name: str
    phase: str = "starting"
    done: int = 0
    total: int = 0
    code: str = ""
    sentence: str = ""

    @property
    def is_running(self) -> bool:
        return self.phase in RUNNING

    @property
    def percent(self) -> int:
        return min(100, self.done * 100 // self.total) if self.total else 0


Report = Callable[[DownloadProgress], None]


def parse_source(text: str) -> DownloadSource:
    """Return the source for a name in the catalogue or for "repository/file", or raise ChoiceRefused."""
    if found := find_catalogue_model(text):
        return get_catalogue_source(found)
    names = text.strip().split("/")
    if not 3 <= len(names) <= _MOST_NAMES or not all(map(_NAME.fullmatch, names)):
        raise ChoiceRefused("bad_source")
    if not names[-1].endswith(".gguf"):
        raise ChoiceRefused("bad_source")
    if is_part(names[-1]):
        raise ChoiceRefused("split_file")
    return DownloadSource(repository="/".join(names[:2]), file="/".join(names[2:]))


def get_catalogue_source(model: CatalogueModel) -> DownloadSource:
    """Return the source of a listed model."""
    return DownloadSource(repository=model.repository, file=model.file)


@contextmanager
def lock_downloads(folder: Path) -> Iterator[None]:
    """Lock the folder for one download during the `with` block; raise ChoiceRefused if it is locked."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ChoiceRefused("already_running") from None
        yield
    finally:
        os.close(descriptor)


class Download:
    """A download, run by one thread; other threads may watch and cancel it."""

    def __init__(
        self, source: DownloadSource, *, hub: str, folder: Path, report: Report = lambda _: None
    ) -> None:
        self.progress = DownloadProgress(name=source.name)
        self._source, self._hub, self._folder, self._report = source, hub, folder, report
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Path] | None = None
        self._is_cancelled = False

    def run(self) -> Path | None:
        """Download the file and return its path; return None if it failed or was cancelled (see `progress`).

        Raise ChoiceRefused if another download is running.
        """
        with lock_downloads(self._folder):
            return asyncio.run(self._run())

    def cancel(self) -> None:
        """Cancel the download, from any thread."""
        with self._lock:
            self._is_cancelled = True
            if self._loop is not None and self._task is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._task.cancel)

    async def _run(self) -> Path | None:
        # Importing httpx takes a tenth of a second.
        from llamora.llm.model_files.download import DownloadFailed, HubDownload  # noqa: PLC0415

        source = self._source
        download = HubDownload(
            hub=self._hub,
            repository=source.repository,
            file=source.file,
            folder=self._folder,
            report=self._note,
        )
        with self._lock:
            self._loop = asyncio.get_running_loop()
            self._task = self._loop.create_task(download.run())
            if self._is_cancelled:
                self._task.cancel()
        try:
            path = await self._task
        except asyncio.CancelledError:
            self.end("cancelled", "cancelled")
        except DownloadFailed as failure:
            facts = {"needed": format_gigabytes(failure.needed), "free": format_gigabytes(failure.free)}
            self.end("failed", failure.code, name=source.name, **facts)
        except OSError as error:
            self.end("failed", "interrupted", reason=error.strerror or "an error of the disk")
        else:
            self._set(replace(self.progress, phase="finished"))
            return path
        finally:
            with self._lock:
                self._loop = self._task = None
        return None

    def _note(self, phase: str, done: int, total: int) -> None:
        self._set(replace(self.progress, phase=phase, done=done, total=total))

    def end(self, phase: str, code: str, **facts: str) -> None:
        """Set the final state: the phase, the code, and the sentence for the code."""
        self._set(replace(self.progress, phase=phase, code=code, sentence=get_sentence(code, **facts)))

    def _set(self, progress: DownloadProgress) -> None:
        self.progress = progress
        self._report(progress)


class BackgroundDownloads:
    """The downloads of this process, one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._download: Download | None = None
        self._thread: threading.Thread | None = None

    def start(
        self, source: DownloadSource, *, hub: str, folder: Path, on_finish: Callable[[Path], None]
    ) -> DownloadProgress:
        """Start a download in a thread; raise ChoiceRefused if one is running, here or in a command."""
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                raise ChoiceRefused("already_running")
            with lock_downloads(folder):
                pass
            download = self._download = Download(source, hub=hub, folder=folder)
            self._thread = threading.Thread(
                target=self._run, args=(download, on_finish), name="model download", daemon=True
            )
            self._thread.start()
            return download.progress

    def cancel(self) -> None:
        """Cancel the running download, if any."""
        with self._lock:
            if self._download is not None:
                self._download.cancel()

    def get_progress(self) -> DownloadProgress | None:
        """Return the state of the running or last download, or None."""
        download = self._download
        return download.progress if download else None

    def wait(self, *, seconds: float) -> bool:
        """Wait until no download is running; return False if that takes too long."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)
        return thread is None or not thread.is_alive()

    @staticmethod
    def _run(download: Download, on_finish: Callable[[Path], None]) -> None:
        lower_priority()
        try:
            path = download.run()
        except ChoiceRefused as refusal:
            download.end("failed", refusal.code)
            return
        except OSError as error:
            download.end("failed", "interrupted", reason=error.strerror or "an error of the disk")
            return
        if path is not None:
            on_finish(path)


downloads = BackgroundDownloads()
