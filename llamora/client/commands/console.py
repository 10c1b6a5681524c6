"""Output of the commands: data on stdout, messages on stderr.

Terminal control characters are removed from data, because the text of a diary may come from anyone.
"""

import dataclasses
import json
import os
import sys
import unicodedata
from datetime import date
from typing import Any, TextIO

from llamora.client.errors import LlamoraError


class UsageRefused(LlamoraError):  # noqa: N818 - like the other errors of the client
    """Raised if the arguments or input of a command are invalid."""

    code = "usage"


class Console:
    """Input and output of a command: a terminal, or files and pipes.

    With `is_json` each result is printed as one line of JSON. Without `may_ask` the command never prompts.
    """

    def __init__(self, *, is_json: bool = False, may_ask: bool = True) -> None:
        self.is_json = is_json
        self.may_ask = may_ask
        self._out: TextIO = sys.stdout
        self.is_terminal = self._out.isatty()
        self._is_colored = (
            self.is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        )
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                # A terminal that can't show a character must not end the command.
                stream.reconfigure(errors="backslashreplace")

    @property
    def is_interactive(self) -> bool:
        """Whether a person at a terminal can be prompted."""
        return self.may_ask and sys.stdin is not None and sys.stdin.isatty()

    def print_text(self, text: str, *, end: str = "\n") -> None:
        """Print data and flush it, so that a stream appears immediately."""
        self._out.write(clean_text(text) + end)
        self._out.flush()

    def print_json(self, value: Any) -> None:
        """Print a value as JSON on one line."""
        line = json.dumps(value, ensure_ascii=False, default=_encode)
        escaped = "".join(
            f"\\u{ord(one):04x}" if unicodedata.category(one) in ("Cc", "Cs") else one for one in line
        )
        self._out.write(escaped + "\n")
        self._out.flush()

    def emphasize(self, text: str) -> str:
        """Return a text in bold if the terminal shows colours; only for our own texts, never for data."""
        return f"\x1b[1m{text}\x1b[0m" if self._is_colored else text

    def print_heading(self, text: str) -> None:
        """Print the heading of a list."""
        self._out.write(self.emphasize(clean_text(text)) + "\n")

    def say(self, words: str) -> None:
        """Print a message on stderr."""
        sys.stderr.write(clean_text(words) + "\n")
        sys.stderr.flush()


def clean_text(text: str) -> str:
    """Return a text without terminal control characters; line breaks and tabs remain."""
    return "".join(one for one in text if one in "\n\t" or unicodedata.category(one) not in ("Cc", "Cs"))


def _encode(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    if isinstance(value, date):  # datetime is one
        return value.isoformat()
    return str(value)
