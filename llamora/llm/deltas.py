"""What a stream is made of: deltas, then one finish."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

ChatMessages = Sequence[Mapping[str, str]]
"""What is sent: `{"role": "system" | "user" | "assistant", "content": text}` each."""


class Delta(NamedTuple):
    """Everything one network read brought, joined: never half a character, never markup of the model.

    `pieces` counts the events it was made of (about one per token). When `withdraw` is true, all the text
    of earlier deltas was thinking after all (a lone `</think>`): whoever keeps the text drops that first.
    """

    text: str = ""
    thought: str = ""
    pieces: int = 0
    withdraw: bool = False


class TokenUsage(NamedTuple):
    """Tokens as the server counted them."""

    prompt: int
    reply: int


class StreamEnd(NamedTuple):
    """The end of a stream: `stop` (the model was done) or `length` (it was cut at the limit it was given)."""

    reason: str
    usage: TokenUsage | None = None
