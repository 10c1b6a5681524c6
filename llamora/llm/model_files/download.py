"""Download of a model file from a hub: resumed after interruptions, verified, then renamed.

    NAME.gguf.part         the partial file; remains after an interruption, so that it can be resumed
    NAME.gguf.part.json    size, SHA-256 and ETag of the complete file
    NAME.gguf              the complete, verified file

Size and SHA-256 are from the hub's response for the file (`X-Linked-Size`, `X-Linked-Etag`), or from its list
of files. Redirects are followed only to https; plain http is allowed only on this machine. A download writes
to the disk on its event loop, so it needs a loop of its own.

Source: https://huggingface.co/docs/hub/api
"""

import asyncio
import hashlib
import json
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from errno import EDQUOT, ENOSPC
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import quote, urljoin, urlsplit

import httpx

from llamora.llm.client import is_loopback_url
from llamora.llm.model_files.gguf import UnreadableModelFile, read_gguf

PART_SUFFIX, FACTS_SUFFIX = ".part", ".part.json"
# Left free for the diary, which needs to be saved whatever is downloaded.
SPACE_FOR_OTHERS: Final = 256 << 20
_MOST_REDIRECTS: Final = 5
_CONNECT_SECONDS, _SILENCE_SECONDS = 15.0, 30.0
_PAUSES: Final = (1.0, 2.0, 4.0, 8.0, 15.0)
_BLOCK, _SYNC_EVERY = 1 << 18, 64 << 20
_LARGEST_LIST: Final = 8 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
_NO_SPACE = (ENOSPC, EDQUOT)

ReportProgress = Callable[[str, int, int], None]
"""Function that is told the phase ("checking", "loading", "waiting"), the bytes that are there, and all."""


class DownloadFailed(Exception):  # noqa: N818 - states what happened
    """Raised when a file could not be downloaded; `code` is the reason.

    not_found         the hub does not have the file, or shows it only to signed-in users
    hub_away          the hub does not respond
    hub_error         the hub reports an error, or does not state size and checksum of the file
    wrong_redirect    the hub redirects to an unencrypted address
    broken_off        the connection was lost repeatedly; the partial file remains
    disk_full         the disk has too little space; the partial file remains
    checksum_wrong    the checksum of the downloaded file is wrong; it is deleted
    already_here      the folder already has a file of this name
    no_gguf, damaged, unsupported, incomplete   as in `UnreadableModelFile`; the partial file is deleted
    """

    def __init__(self, code: str, *, needed: int = 0, free: int = 0) -> None:
        self.code, self.needed, self.free = code, needed, free
        super().__init__(code)


class _ConnectionBroken(Exception):  # noqa: N818 - states what happened
    """Raised when a response ended early; the download is resumed with another request."""


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A file on a hub, with its size and checksum."""

    size: int
    sha256: str


@dataclass(kw_only=True)
class _PartFacts:
    """The content of `NAME.gguf.part.json`."""

    size: int = 0
    sha256: str = ""
    etag: str = ""


class HubDownload:
    """Download of one file into a folder."""

    def __init__(
        self,
        *,
        hub: str,
        repository: str,
        file: str,
        folder: Path,
        report: ReportProgress,
        pauses: tuple[float, ...] = _PAUSES,
    ) -> None:
        self._hub, self._repository, self._file = hub.rstrip("/"), repository, file
        self.target = folder / Path(file).name
        self._part = self.target.with_name(self.target.name + PART_SUFFIX)
        self._facts_path = self.target.with_name(self.target.name + FACTS_SUFFIX)
        self._report, self._pauses = report, pauses
        self._facts = _PartFacts()
        self._digest = hashlib.sha256()

    async def run(self) -> Path:
        """Download the file and return its path; raise DownloadFailed.

        Cancelling preserves the partial file.
        """
        if self.target.exists():
            raise DownloadFailed("already_here")
        timeout = httpx.Timeout(_SILENCE_SECONDS, connect=_CONNECT_SECONDS)
        headers = {"User-Agent": "Llamora", "Accept-Encoding": "identity"}
        try:
            async with httpx.AsyncClient(timeout=timeout, trust_env=False, headers=headers) as client:
                remote = await self._find_remote_file(client)
                await self._load(client, remote)
        except OSError as error:
            if error.errno not in _NO_SPACE:
                raise
            self._leave_space()
            raise DownloadFailed("disk_full", needed=SPACE_FOR_OTHERS, free=self._get_free_space()) from None
        self._finish(remote)
        return self.target

    # --- what the hub says ---------------------------------------------------------------------------------

    async def _find_remote_file(self, client: httpx.AsyncClient) -> RemoteFile:
        try:
            size, sha256 = await self._ask_for_file(client)
            if not (size and _SHA256.fullmatch(sha256)):
                size, sha256 = await self._ask_for_list(client)
        except _ConnectionBroken:
            # It answers, if only with an error of its own: the connection to the internet is not to blame.
            raise DownloadFailed("hub_error") from None
        except (httpx.HTTPError, httpx.InvalidURL):
            raise DownloadFailed("hub_away") from None
        if not (size > 0 and _SHA256.fullmatch(sha256)):
            raise DownloadFailed("hub_error")
        return RemoteFile(size=size, sha256=sha256)

    def _get_url(self) -> str:
        return f"{self._hub}/{quote(self._repository)}/resolve/main/{quote(self._file)}"

    async def _ask_for_file(self, client: httpx.AsyncClient) -> tuple[int, str]:
        """Return size and SHA-256 from the first response that states them, usually a redirect."""
        url = self._get_url()
        for _ in range(_MOST_REDIRECTS):
            response = await client.head(url)
            if "x-linked-etag" in response.headers:
                size, etag = response.headers.get("x-linked-size", ""), response.headers["x-linked-etag"]
                return int(size) if size.isdecimal() else 0, etag.removeprefix("W/").strip('"').lower()
            if not response.has_redirect_location:
                if response.status_code not in (405, 501):
                    _check_status(response.status_code)
                return 0, ""
            url = _follow(url, response)
        raise DownloadFailed("hub_error")

    async def _ask_for_list(self, client: httpx.AsyncClient) -> tuple[int, str]:
        folder = quote(str(Path(self._file).parent)).removeprefix(".")
        path = f"/api/models/{quote(self._repository)}/tree/main/{folder}".rstrip("/")
        async with client.stream("GET", self._hub + path) as response:
            _check_status(response.status_code)
            body = b""
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _LARGEST_LIST:
                    raise DownloadFailed("hub_error")
        try:
            entries = json.loads(body)
            found = next(entry["lfs"] for entry in entries if entry["path"] == self._file)
            return int(found["size"]), str(found["oid"])
        except (ValueError, KeyError, TypeError, StopIteration):
            raise DownloadFailed("hub_error") from None

    # --- loading -------------------------------------------------------------------------------------------

    async def _load(self, client: httpx.AsyncClient, remote: RemoteFile) -> None:
        """Download the missing bytes; after a lost connection, pause and try again."""
        self._begin(remote)
        with self._part.open("r+b") as file:
            await self._read_part(file, remote)
            self._check_space(remote.size - file.tell())
            failures = 0
            while (start := file.tell()) < remote.size:
                try:
                    await self._load_once(client, file, remote)
                except (_ConnectionBroken, httpx.HTTPError):
                    failures = 0 if file.tell() > start else failures + 1
                    if failures >= len(self._pauses):
                        raise DownloadFailed("broken_off" if file.tell() else "hub_away") from None
                    self._report("waiting", file.tell(), remote.size)
                    await asyncio.sleep(self._pauses[failures])
            file.flush()
            os.fsync(file.fileno())

    def _begin(self, remote: RemoteFile) -> None:
        """Use the partial file of an earlier download of the same file, or begin a new one."""
        try:
            facts = _PartFacts(**json.loads(self._facts_path.read_bytes()))
        except (OSError, ValueError, TypeError):
            facts = _PartFacts()
        if self._part.is_file() and (facts.size, facts.sha256) == (remote.size, remote.sha256):
            self._facts = facts
            return
        self._check_space(remote.size)
        self._facts = _PartFacts(size=remote.size, sha256=remote.sha256)
        os.close(os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        self._write_facts()

    def _write_facts(self) -> None:
        descriptor = os.open(self._facts_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(self._facts), file)

    async def _read_part(self, file: BinaryIO, remote: RemoteFile) -> None:
        """Add the bytes of the partial file to the checksum."""
        if os.fstat(file.fileno()).st_size > remote.size:
            file.truncate(0)
        while block := file.read(_BLOCK):
            self._digest.update(block)
            self._report("checking", file.tell(), remote.size)
            # So that it can be cancelled.
            await asyncio.sleep(0)

    async def _load_once(self, client: httpx.AsyncClient, file: BinaryIO, remote: RemoteFile) -> None:
        start = file.tell()
        headers = {"Range": f"bytes={start}-"} if start else {}
        if start and self._facts.etag:
            headers["If-Range"] = self._facts.etag
        async with self._open_response(client, headers) as response:
            if not _continues(response, start, remote.size):
                # Another file than before, or a server that only sends whole ones.
                file.seek(0)
                file.truncate()
                self._digest = hashlib.sha256()
                if response.status_code != 200:
                    raise _ConnectionBroken
            self._note_etag(response.headers.get("etag", ""))
            await self._write_body(response, file, remote)
        if file.tell() < remote.size:
            raise _ConnectionBroken

    async def _write_body(self, response: httpx.Response, file: BinaryIO, remote: RemoteFile) -> None:
        unsynced = 0
        # In the pieces that arrive: larger ones would be lost when the connection breaks.
        async for block in response.aiter_raw():
            if file.tell() + len(block) > remote.size:
                raise DownloadFailed("hub_error")
            file.write(block)
            self._digest.update(block)
            unsynced += len(block)
            if unsynced >= _SYNC_EVERY:
                unsynced = 0
                file.flush()
                # Little by little: all at once would hold up what the diary writes.
                os.fsync(file.fileno())
                self._check_space(0)
            self._report("loading", file.tell(), remote.size)
        file.flush()

    @asynccontextmanager
    async def _open_response(
        self, client: httpx.AsyncClient, headers: dict[str, str]
    ) -> AsyncIterator[httpx.Response]:
        url = self._get_url()
        for _ in range(_MOST_REDIRECTS):
            async with client.stream("GET", url, headers=headers) as response:
                if not response.has_redirect_location:
                    if response.status_code != 416:
                        _check_status(response.status_code)
                    yield response
                    return
                url = _follow(url, response)
        raise DownloadFailed("hub_error")

    def _note_etag(self, etag: str) -> None:
        strong = etag if etag.startswith('"') else ""
        if strong != self._facts.etag:
            self._facts.etag = strong
            self._write_facts()

    # --- space ---------------------------------------------------------------------------------------------

    def _get_free_space(self) -> int:
        return shutil.disk_usage(self.target.parent).free

    def _check_space(self, missing: int) -> None:
        """Raise DownloadFailed unless the missing bytes fit on the disk, with space left for the diary."""
        free = self._get_free_space()
        if free < missing + SPACE_FOR_OTHERS:
            raise DownloadFailed("disk_full", needed=missing + SPACE_FOR_OTHERS, free=free)

    def _leave_space(self) -> None:
        """Shorten the partial file, so that the diary can be saved on a disk that the download has filled."""
        try:
            size = self._part.stat().st_size
            os.truncate(self._part, max(0, size - SPACE_FOR_OTHERS))
        except OSError:
            self._part.unlink(missing_ok=True)

    # --- the end -------------------------------------------------------------------------------------------

    def _finish(self, remote: RemoteFile) -> None:
        if self._digest.hexdigest() != remote.sha256:
            self.delete_part()
            raise DownloadFailed("checksum_wrong")
        try:
            read_gguf(self._part)
        except UnreadableModelFile as problem:
            self.delete_part()
            raise DownloadFailed(problem.code) from None
        if self.target.exists():
            raise DownloadFailed("already_here")
        self._part.rename(self.target)
        self._facts_path.unlink(missing_ok=True)

    def delete_part(self) -> None:
        """Delete the partial file."""
        self._part.unlink(missing_ok=True)
        self._facts_path.unlink(missing_ok=True)


def is_safe_address(url: str) -> bool:
    """Return whether a URL is encrypted, or on this machine."""
    return urlsplit(url).scheme == "https" or (urlsplit(url).scheme == "http" and is_loopback_url(url))


def _follow(url: str, response: httpx.Response) -> str:
    target = urljoin(url, response.headers["location"])
    # Only a hub inside this machine may lead to another address inside it.
    is_inside = is_loopback_url(target) and not is_loopback_url(url)
    if not is_safe_address(target) or is_inside:
        raise DownloadFailed("wrong_redirect")
    return target


def _check_status(status: int) -> None:
    if status in (401, 403, 404, 410):
        raise DownloadFailed("not_found")
    if status == 429 or status >= 500:
        raise _ConnectionBroken
    if status not in (200, 206):
        raise DownloadFailed("hub_error")


def _continues(response: httpx.Response, start: int, size: int) -> bool:
    """Return whether a response begins where the partial file ends."""
    if response.status_code != 206:
        return start == 0
    found = _CONTENT_RANGE.match(response.headers.get("content-range", ""))
    return found is not None and (int(found[1]), int(found[2])) == (start, size)
