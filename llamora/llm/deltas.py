"""Types of a streamed reply: several deltas, then one `StreamEnd`."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

ChatMessages = Sequence[Mapping[str, str]]
"""Messages of a prompt, each `{"role": "system" | "user" | "assistant", "content": text}`."""


class Delta(NamedTuple):
    """Text of one network read, in whole characters and without markup of the model.

    `pieces` is the number of events in it (about one per token). If `withdraw` is true (after a lone
    `</think>`), all text of earlier deltas was thinking, so the receiver must delete it.
    """

    text: str = ""
    thought: str = ""
    pieces: int = 0
    withdraw: bool = False


class TokenUsage(NamedTuple):
    """Numbers of tokens, counted by the server."""

    prompt: int
    reply: int


class StreamEnd(NamedTuple):
    """End of a stream, with its reason: `stop` (the model finished) or `length` (the limit was reached)."""

    reason: str
    usage: TokenUsage | None = None
