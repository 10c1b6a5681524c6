"""Types of a streamed reply: deltas, then one end."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

ChatMessages = Sequence[Mapping[str, str]]
"""Messages of a prompt, each `{"role": "system" | "user" | "assistant", "content": text}`."""


class Delta(NamedTuple):
    """Text of one network read: never half a character, never markup of the model.

    `pieces` counts the events it was made of (about one per token). When `withdraw` is true, all text of
    earlier deltas was thinking after all (a lone `</think>`): whoever stores the text drops that first.
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
    """End of a stream: `stop` (the model was done) or `length` (it was cut off at its limit)."""

    reason: str
    usage: TokenUsage | None = None
