"""An answer during its generation, as events for a streamed response.

    started     once, at the beginning
    written     the next piece of the text
    restarted   the text so far was not the answer; it begins again
    waiting     nothing new for a while; keeps the connection open
    done        the end: the whole text, and why it ended
    failed      the end: the reason, a code of a job

The reader may run on any event loop. `close` may be called from any thread; before the end, it stops the
answer.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal, Self

from llamora.inference.job import Job
from search.ask.services import AskedQuestion, WrittenAnswer, read_answer, stop_answer
from search.ask.source_numbers import WITHOUT_TEXT, SourceNumberFilter, drop_unknown_numbers

WAITING_SECONDS: Final = 15.0
EventKind = Literal["started", "written", "restarted", "waiting", "done", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerEvent:
    """An event of an answer: its kind, its new `text` if any, and at the end the whole `answer`."""

    kind: EventKind
    asked: AskedQuestion = field(repr=False)
    text: str = field(default="", repr=False)
    answer: WrittenAnswer | None = None


class AnswerStream:
    """Asynchronous iterator over the events of one answer, for a single reader."""

    def __init__(self, asked: AskedQuestion, *, waiting_seconds: float = WAITING_SECONDS) -> None:
        self._asked = asked
        self._waiting_seconds = waiting_seconds
        self._changed = asyncio.Event()
        self._unsubscribe: Callable[[], None] | None = None
        self._numbers = SourceNumberFilter(count=len(asked.sources))
        self._pieces = self._restarts = 0
        self._sent = ""
        self._is_over = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AnswerEvent:
        if self._is_over:
            raise StopAsyncIteration
        if self._unsubscribe is None:
            self._subscribe()
            return self._build("started")
        while (event := self._take()) is None:
            try:
                async with asyncio.timeout(self._waiting_seconds):
                    await self._changed.wait()
            except TimeoutError:
                return self._build("waiting")
            self._changed.clear()
        return event

    def close(self) -> None:
        """End the stream, and stop the answer if it is not complete."""
        self._is_over = True
        if self._unsubscribe is not None:
            self._unsubscribe()
        stop_answer(self._asked)

    def _subscribe(self) -> None:
        job = self._asked.job
        if job is None:
            self._unsubscribe = _do_nothing
            return
        loop = asyncio.get_running_loop()

        def notice() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._changed.set)

        self._unsubscribe = job.subscribe(notice)
        self._restarts = job.restarts

    def _build(self, kind: EventKind, *, text: str = "", answer: WrittenAnswer | None = None) -> AnswerEvent:
        return AnswerEvent(kind=kind, asked=self._asked, text=text, answer=answer)

    def _take(self) -> AnswerEvent | None:
        """Return the next event, or None if there is nothing new."""
        job = self._asked.job
        if job is None:
            return self._take_complete()
        is_over = job.is_over
        if job.reason == "locked":
            return self._end(read_answer(self._asked))
        if job.restarts != self._restarts and (event := self._restart(job)):
            return event
        new, self._pieces = job.text_since(self._pieces)
        text = self._numbers.feed(new) + (self._numbers.finish() if is_over else "")
        if text:
            self._sent += text
            return self._build("written", text=text)
        if not is_over:
            return None
        return self._take_complete() if job.reason in WITHOUT_TEXT else self._end(read_answer(self._asked))

    def _take_complete(self) -> AnswerEvent:
        answer = read_answer(self._asked)
        if answer.text and not self._sent:
            self._sent = answer.text
            return self._build("written", text=answer.text)
        return self._end(answer)

    def _restart(self, job: Job) -> AnswerEvent | None:
        """Begin again after the text of a job was replaced; return no event if it was only cut at its end."""
        self._restarts = job.restarts
        text, pieces = job.text_since(0)
        self._numbers = SourceNumberFilter(count=len(self._asked.sources))
        if text and self._sent.startswith(drop_unknown_numbers(text, count=len(self._asked.sources))):
            # Cut at its end. What is too much cannot be taken back; the end has the whole text.
            self._pieces = pieces
            return None
        self._pieces = 0
        was_sent, self._sent = bool(self._sent), ""
        return self._build("restarted") if was_sent else None

    def _end(self, answer: WrittenAnswer) -> AnswerEvent:
        self._is_over = True
        if self._unsubscribe is not None:
            self._unsubscribe()
        return self._build("done" if answer.is_complete else "failed", answer=answer)


def _do_nothing() -> None:
    return
