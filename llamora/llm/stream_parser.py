"""Parser of a streamed reply, from bytes to deltas.

bytes -> events (sse, json_lines) -> text and thought (the reader of the wire format) -> whole characters
(surrogates) -> no markup (think_filter)
"""

from llamora.llm.deltas import Delta, StreamEnd
from llamora.llm.errors import (
    ConnectionDropped,
    ContentFiltered,
    MalformedResponse,
    ModelError,
    ModelServerFailed,
    RepetitionDetected,
    ThoughtUntilLimit,
)
from llamora.llm.formats.chat_completions import CHAT_COMPLETIONS
from llamora.llm.formats.wire_format import WireFormat
from llamora.llm.repetition import RepetitionDetector
from llamora.llm.surrogates import SurrogateJoiner
from llamora.llm.think_filter import ThinkFilter


class StreamParser:
    """Parser of one streamed reply, from the bytes of the response to its text and thinking.

    Set `thinks_first` if the model is known to begin its replies inside thinking.
    """

    def __init__(self, *, wire_format: WireFormat = CHAT_COMPLETIONS, thinks_first: bool = False) -> None:
        self.ended = False
        self._events = wire_format.build_splitter()
        self._reader = wire_format.build_reader()
        self._think_filter = ThinkFilter(thinks_first=thinks_first)
        self._joiners = (SurrogateJoiner(), SurrogateJoiner())
        self._detectors = (RepetitionDetector(), RepetitionDetector())
        self._has_thought = False
        # The error after the last text of a read; raised by `close` or `finish`, once that text was returned.
        self._broken: ModelError | None = None
        # Events since the last delta: some only add to a character or a tag that is not complete yet.
        self._pieces = 0

    def feed(self, chunk: bytes) -> Delta | None:
        """Return the text that this chunk adds to the reply, or None."""
        return self._parse_events(self._events.feed(chunk))

    def close(self) -> Delta | None:
        """Return the rest of the reply; raise a ModelError if the stream ended too early or with an error."""
        if self._broken is not None:
            raise self._broken
        try:
            # After the end, the rest may be half an event.
            last = None if self.ended else self._parse_events(self._events.close())
        except MalformedResponse:
            # Half an event is a stream that broke off.
            raise ConnectionDropped from None
        if not self.ended and self._reader.reason is None:
            raise ConnectionDropped
        text, thought, _ = self._think_filter.close(is_whole=self._reader.reason != "length")
        self._has_thought |= bool(thought)
        if text or thought:
            last = last or Delta()
            last = last._replace(text=last.text + text, thought=last.thought + thought)
        return last and last._replace(pieces=last.pieces + self._pieces)

    @property
    def thinks_first_was_wrong(self) -> bool:
        """Whether the reply did not begin with thinking, although `thinks_first` was set."""
        return self._think_filter.thinks_first_was_wrong

    def finish(self) -> StreamEnd:
        """Return the end of the stream: its reason and its numbers of tokens.

        Raise a ModelError if the reason is not a normal end.
        """
        if self._broken is not None:
            raise self._broken
        if self._reader.reason == "content_filter":
            raise ContentFiltered
        if self._reader.reason == "error":
            raise ModelServerFailed
        if self._reader.reason == "length" and self._has_thought and not self._think_filter.has_text:
            raise ThoughtUntilLimit
        return StreamEnd(self._reader.reason or "stop", self._reader.usage)

    def _parse_events(self, payloads: list[bytes]) -> Delta | None:
        reader = self._reader
        for payload in payloads:
            try:
                reader.read(payload)
            except ModelError as error:
                if not reader.text and not reader.thought:
                    raise
                self._broken, self.ended = error, True
            if reader.ended or self.ended:
                # What follows in the same read is no part of this reply.
                self.ended = True
                break
        if not reader.text and not reader.thought:
            return None
        self._pieces += len(reader.text) + len(reader.thought)
        text, thought = "".join(reader.text), "".join(reader.thought)
        reader.text.clear()
        reader.thought.clear()
        return self._build_delta(text, thought)

    def _build_delta(self, text: str, apart: str) -> Delta | None:
        text, apart = self._joiners[0].feed(text), self._joiners[1].feed(apart)
        filtered = self._think_filter.feed(text, thought_apart=bool(apart))
        thought = apart + filtered.thought
        if self._think_filter.ended:
            self.ended = True
        if thought:
            self._has_thought = True
        if self._detectors[0].feed(filtered.text) or (thought and self._detectors[1].feed(thought)):
            # The text before the repetition may have come in the same read.
            self._broken, self.ended = RepetitionDetected(), True
        if filtered.text or thought or filtered.withdraw:
            pieces, self._pieces = self._pieces, 0
            return Delta(filtered.text, thought, pieces, filtered.withdraw)
        return None
