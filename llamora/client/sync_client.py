"""The synchronous client."""

import contextlib
import os
import time
from collections.abc import Callable, Generator, Iterator
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from llamora.client import calls
from llamora.client.answers import (
    BinnedEntry,
    ChatAnswer,
    ChatEvent,
    ChatSession,
    CountedDay,
    DiaryDay,
    DiaryEntry,
    DiaryTrace,
    FoundText,
    SearchAnswer,
    ServerHealth,
    ServerStatus,
    TracedEntry,
    WriteAnswer,
)
from llamora.client.calls import AnswerPage, ApiCall, Day
from llamora.client.errors import LlamoraError, UnexpectedAnswer
from llamora.client.exchange import (
    AnswerBuffer,
    ChatReader,
    RawAnswer,
    RetryPolicy,
    build_connection,
    build_early_end_error,
    find_incomplete_framing,
    is_event_stream,
    translate_failure,
)
from llamora.client.file_download import PartialFile

T = TypeVar("T")


class Llamora:
    """A diary on a server, reached with an access token.

    Idempotent calls are repeated up to three times after a temporary failure: reading, deleting, and writing,
    for which the client sends an idempotency key. Other calls are sent once. Errors are those of
    `llamora.client.errors`.

    * `url`: the server's address. Plain http is for this machine, or with `allow_plain_http=True`.
    * `token`: an access token from *Settings, Programs*. Without one only `get_health` works.
    * `timeout`: seconds to wait for a connection, for the next bytes, and for a complete answer;
      `chat_timeout`: the same for what a model writes, and for an export, for each wait.
    * `retries`: how often and how long to wait; `on_wait` is called with the seconds before each wait.
    * `ca_file`: a PEM file with the authority of the server's certificate, if it is your own.

    A client may be used by several threads. Close it, or use it as a context manager:

    >>> with Llamora(url, token=token) as diary:
    ...     answer = diary.write("Rain since noon.", day="2026-01-05")
    ...     day = diary.get_day("2026-01-05")
    >>> answer.action
    'created'
    >>> day.entries[-1].text
    'Rain since noon.'
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        timeout: float = 30.0,
        chat_timeout: float = 960.0,
        retries: RetryPolicy | None = None,
        on_wait: Callable[[float], None] | None = None,
        ca_file: str | os.PathLike[str] | None = None,
        allow_plain_http: bool = False,
    ) -> None:
        self._connection = build_connection(
            url,
            token,
            timeout=timeout,
            chat_timeout=chat_timeout,
            retries=retries,
            ca_file=ca_file,
            allow_plain_http=allow_plain_http,
        )
        self._on_wait = on_wait
        self._http = httpx.Client(**self._connection.build_options())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._connection.address.host!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    # --- The server ---------------------------------------------------------------------------------------

    def get_health(self) -> ServerHealth:
        """Return whether the server is available; works without a token.

        >>> Llamora(url).get_health().status
        'ok'
        """
        return self.send(calls.get_health())

    def get_status(self) -> ServerStatus:
        """Return the state of the model, the search index, the token, and whether the diary is unlocked.

        >>> status = diary.get_status()
        >>> status.unlocked, "diary:read" in status.token.scopes
        (True, True)
        """
        return self.send(calls.get_status())

    # --- Days and entries ---------------------------------------------------------------------------------

    def list_days(
        self, *, from_day: Day | None = None, to_day: Day | None = None, page_size: int = 100
    ) -> Iterator[CountedDay]:
        """Yield the days with entries, newest first; pages are fetched on demand.

        >>> for found in diary.list_days(from_day="2026-01-01", to_day="2026-01-04"):
        ...     print(found.day, found.entry_count)
        2026-01-04 1
        """
        return self._iter_pages(lambda cursor: calls.list_days(from_day, to_day, page_size, cursor))

    def get_day(self, day: Day) -> DiaryDay:
        """Return a day with its entries, its opening and its recap.

        >>> [entry.text for entry in diary.get_day("2026-01-04").entries]
        ['The kite flew over the weir.']
        """
        return self.send(calls.get_day(day))

    def list_entries(
        self,
        *,
        day: Day | None = None,
        from_day: Day | None = None,
        to_day: Day | None = None,
        page_size: int = 50,
    ) -> Iterator[DiaryEntry]:
        """Yield entries, newest day first; pages are fetched on demand.

        >>> [entry.text for entry in diary.list_entries(day="2026-01-04")]
        ['The kite flew over the weir.']
        """
        return self._iter_pages(lambda cursor: calls.list_entries(day, from_day, to_day, page_size, cursor))

    def write(
        self,
        text: str,
        *,
        day: Day | None = None,
        written_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> WriteAnswer:
        """Write an entry; return whether it was created or waits in the Inbox, and its id.

        With a token that "writes what I type", `action` is "created". With any other it is "pending": the
        text waits in the Inbox. Without `day` and `written_at`, the entry gets the current day and time.

        A program can save an `idempotency_key` before the call, and repeat the call with it after a crash:
        the text is stored once.

        >>> first = diary.write("Bread is baked.", idempotency_key="note-17")
        >>> again = diary.write("Bread is baked.", idempotency_key="note-17")
        >>> first.id == again.id
        True
        """
        return self.send(calls.write(text, day=day, written_at=written_at, idempotency_key=idempotency_key))

    def get_entry(self, entry_id: object) -> DiaryEntry:
        """Return an entry; raise NotFound.

        >>> (entry,) = diary.get_day("2026-01-04").entries
        >>> diary.get_entry(entry.id).day
        datetime.date(2026, 1, 4)
        """
        return self.send(calls.get_entry(entry_id))

    def edit_entry(
        self, entry_id: object, *, revision: int, text: str | None = None, day: Day | None = None
    ) -> DiaryEntry:
        """Change the text or the day of an entry; return the changed entry.

        `revision` is the revision that you read. If the entry was changed since, Conflict is raised and
        nothing is changed. Only a token that "writes what I type" may change the text.

        >>> entry = diary.write("Tea at four.", day="2026-01-06").entry
        >>> diary.edit_entry(entry.id, revision=entry.revision, text="Tea at five.").text
        'Tea at five.'
        """
        return self.send(calls.edit_entry(entry_id, revision=revision, text=text, day=day))

    def delete_entry(self, entry_id: object) -> BinnedEntry:
        """Move an entry to the bin, where it stays for thirty days.

        >>> entry = diary.write("Not worth a line.", day="2026-01-07").entry
        >>> diary.delete_entry(entry.id).in_bin_days
        30
        """
        return self.send(calls.delete_entry(entry_id))

    def restore_entry(self, entry_id: object) -> DiaryEntry:
        """Restore an entry from the bin.

        >>> entry = diary.write("Worth a line.", day="2026-01-07").entry
        >>> diary.restore_entry(diary.delete_entry(entry.id).id).text
        'Worth a line.'
        """
        return self.send(calls.restore_entry(entry_id))

    # --- Search -------------------------------------------------------------------------------------------

    def search(
        self,
        query: str,
        *,
        from_day: Day | None = None,
        to_day: Day | None = None,
        limit: int = 20,
        offset: int = 0,
    ) -> SearchAnswer:
        """Return one page of search results; the query may have operators, as in `"at the weir" -rain`.

        >>> found = diary.search("kite weir")
        >>> found.total, found.results[0].day
        (1, datetime.date(2026, 1, 4))
        """
        return self.send(calls.search(query, from_day=from_day, to_day=to_day, limit=limit, offset=offset))

    def iter_search(
        self, query: str, *, from_day: Day | None = None, to_day: Day | None = None, page_size: int = 50
    ) -> Iterator[FoundText]:
        """Yield all search results, best first; pages are fetched on demand.

        >>> [found.kind for found in diary.iter_search("kite")]
        ['entry']
        """
        return self._iter_pages(lambda cursor: calls.search_page(query, from_day, to_day, page_size, cursor))

    # --- Traces -------------------------------------------------------------------------------------------

    def list_traces(self, *, page_size: int = 100) -> Iterator[DiaryTrace]:
        """Yield the traces, oldest first; pages are fetched on demand.

        >>> [(trace.name, trace.entry_count) for trace in diary.list_traces()]
        [('kite', 1)]
        """
        return self._iter_pages(lambda cursor: calls.list_traces(page_size, cursor))

    def list_trace_entries(self, trace_id: object, *, page_size: int = 100) -> Iterator[TracedEntry]:
        """Yield the ids and days of a trace's entries, latest day first.

        >>> (kite,) = [trace for trace in diary.list_traces()]
        >>> [str(entry.day) for entry in diary.list_trace_entries(kite.id)]
        ['2026-01-04']
        """
        return self._iter_pages(lambda cursor: calls.list_trace_entries(trace_id, page_size, cursor))

    # --- Export -------------------------------------------------------------------------------------------

    def export(
        self, path: str | os.PathLike[str], *, export_format: str = "zip", overwrite: bool = False
    ) -> Path:
        """Save the whole diary in a file that only you can read, and return its path.

        `export_format` is "zip", "json" or "markdown". The file is written under a temporary name and renamed
        when it is complete. An existing file is replaced only with `overwrite=True`.

        >>> path = diary.export(folder / "diary.json", export_format="json")
        >>> json.loads(path.read_text())["format"]
        'llamora.diary'
        """
        return self.download(calls.export(export_format), path, overwrite=overwrite)

    # --- Questions ----------------------------------------------------------------------------------------

    def chat(
        self,
        message: str,
        *,
        session_id: str | None = None,
        model: str | None = None,
        idempotency_key: str | None = None,
    ) -> ChatAnswer:
        """Ask a question about the diary; return the complete answer with its sources.

        A repeated call with the same `idempotency_key` is the same question, as in `write`.

        >>> answer = diary.chat("When did I fly the kite?")
        >>> answer.response, answer.sources[0].day
        ('On 4 January [1].', datetime.date(2026, 1, 4))
        >>> diary.chat("Where?", session_id=answer.session_id).session_id == answer.session_id
        True
        """
        call = calls.chat(
            message,
            session_id=session_id,
            model=model,
            idempotency_key=idempotency_key,
            is_stream=False,
        )
        return self.send(call)

    def chat_stream(
        self,
        message: str,
        *,
        session_id: str | None = None,
        model: str | None = None,
        idempotency_key: str | None = None,
    ) -> Iterator[ChatEvent]:
        """Ask about the diary; yield a ChatStart, then ChatTexts while they are written, then a ChatEnd.

        A ChatRestart between them means that the text so far is not part of the answer. The server stops
        writing when the iterator is closed; `contextlib.closing` does this. If the connection is lost during
        the answer, NetworkError is raised; if it is lost before, the same question is sent again.
        `idempotency_key` is as in `write`.

        >>> for event in diary.chat_stream("When did I fly the kite?"):
        ...     if isinstance(event, ChatText):
        ...         print(event.text, end="")
        On 4 January [1].
        """
        call = calls.chat(
            message,
            session_id=session_id,
            model=model,
            idempotency_key=idempotency_key,
            is_stream=True,
        )
        return self._iter_events(call)

    def list_sessions(self, *, page_size: int = 100) -> Iterator[ChatSession]:
        """Yield the chat sessions (conversations about the diary), the one with the latest question first.

        >>> answer = diary.chat("When did I fly the kite?")
        >>> answer.session_id in [session.session_id for session in diary.list_sessions()]
        True
        """
        return self._iter_pages(lambda cursor: calls.list_sessions(page_size, cursor))

    def delete_session(self, session_id: object) -> None:
        """Delete a chat session (a conversation about the diary) for good.

        >>> answer = diary.chat("When did I fly the kite?")
        >>> diary.delete_session(answer.session_id)
        """
        self.send(calls.delete_session(session_id))

    # --- Sending ------------------------------------------------------------------------------------------

    def send(self, call: ApiCall[T]) -> T:
        """Send a call of `llamora.client.calls`, with retries; return its parsed response or raise its error.

        >>> diary.send(calls.get_health()).status
        'ok'
        """
        return self._repeat(call, lambda: self._exchange(call))

    def fetch(self, call: ApiCall[Any]) -> RawAnswer:
        """Send a call once and return the unparsed response; raise NetworkError if there is none.

        >>> diary.fetch(calls.get_health()).status
        200
        """
        answer = self._fetch(call)
        if isinstance(answer, LlamoraError):
            raise answer
        return answer

    def download(self, call: ApiCall[None], path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Send a call whose response is a file, save the file as `export` does, and return its path.

        >>> diary.download(calls.export("json"), folder / "a.json").name
        'a.json'
        """
        with PartialFile(path, overwrite=overwrite) as file:
            self._repeat(call, lambda: self._download(call, file))
        return file.path

    def _repeat(self, call: ApiCall[T], attempt: Callable[[], T | LlamoraError]) -> T:
        number = 0
        while True:
            outcome = attempt()
            if not isinstance(outcome, LlamoraError):
                return outcome
            if not self._wait_to_repeat(call, outcome, number):
                raise outcome
            number += 1

    def _wait_to_repeat(self, call: ApiCall[Any], error: LlamoraError, number: int) -> bool:
        """Wait before a call is sent again; return False at once if it must not be sent again."""
        wait = self._connection.retries.get_wait(error, attempt=number) if call.is_idempotent else None
        if wait is None:
            return False
        if self._on_wait is not None:
            self._on_wait(wait)
        time.sleep(wait)
        return True

    def _exchange(self, call: ApiCall[T]) -> T | LlamoraError:
        return self._connection.parse(call, self._fetch(call))

    def _fetch(self, call: ApiCall[Any]) -> RawAnswer | LlamoraError:
        """Send a call once. Errors are returned: raised here, they would refer to httpx's request."""
        request = self._connection.build_request(call)
        try:
            response = self._http.send(request, stream=True)
            try:
                body = self._read(response, call)
            finally:
                response.close()
        except httpx.HTTPError as error:
            return translate_failure(error, self._connection.address)
        if isinstance(body, LlamoraError):
            return body
        return self._connection.read_raw(call, response.status_code, response.headers, body)

    def _read(self, response: httpx.Response, call: ApiCall[T]) -> bytes | LlamoraError:
        buffer = AnswerBuffer(seconds=self._connection.get_timeout(call))
        for chunk in response.iter_bytes():
            if (error := buffer.add(chunk)) is not None:
                return error
        return buffer.join()

    def _download(self, call: ApiCall[None], file: PartialFile) -> LlamoraError | None:
        request = self._connection.build_request(call)
        try:
            response = self._http.send(request, stream=True)
            try:
                if response.status_code != httpx.codes.OK:
                    body = self._read(response, call)
                    if isinstance(body, LlamoraError):
                        return body
                    return self._connection.read_error(call, response.status_code, response.headers, body)
                if (error := find_incomplete_framing(response.headers)) is not None:
                    return error
                file.open()
                for chunk in response.iter_bytes():
                    file.write(chunk)
            finally:
                response.close()
        except httpx.HTTPError as failure:
            return translate_failure(failure, self._connection.address)
        return None if file.complete(call.is_whole) else build_early_end_error()

    def _iter_events(self, call: ApiCall[ChatAnswer]) -> Iterator[ChatEvent]:
        number = 0
        while True:
            has_begun, failure = False, None
            with contextlib.closing(self._iter_events_once(call)) as events:
                try:
                    for event in events:
                        has_begun = True
                        yield event
                except LlamoraError as error:
                    failure = error
            if failure is None:
                return
            if has_begun or not self._wait_to_repeat(call, failure, number):
                raise failure
            number += 1

    def _iter_events_once(self, call: ApiCall[ChatAnswer]) -> Generator[ChatEvent]:
        failure: LlamoraError | None = None
        request = self._connection.build_request(call)
        reader = ChatReader(self._connection.list_secrets(call))
        try:
            response = self._http.send(request, stream=True)
            try:
                if response.status_code == httpx.codes.OK and is_event_stream(response.headers):
                    for chunk in response.iter_bytes():
                        for event in reader.feed(chunk):
                            if isinstance(event, LlamoraError):
                                raise event
                            yield event
                        if reader.is_complete:
                            return
                    failure = reader.build_early_end_error()
                else:
                    body = self._read(response, call)
                    failure = (
                        body
                        if isinstance(body, LlamoraError)
                        else self._connection.read_error(call, response.status_code, response.headers, body)
                    )
            finally:
                response.close()
        except httpx.HTTPError as error:
            failure = reader.translate_failure(error, self._connection.address)
        raise failure

    def _iter_pages(self, build: Callable[[str | None], ApiCall[AnswerPage[T]]]) -> Iterator[T]:
        cursor: str | None = None
        while True:
            page = self.send(build(cursor))
            yield from page.items
            if page.next is None:
                return
            if page.next == cursor:
                raise UnexpectedAnswer("The server's list of pages does not end.")
            cursor = page.next
