"""Output of the commands: data on stdout, words on stderr.

Characters that a terminal obeys are left out of data, since a text of a diary may come from anyone.
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
    """Raised if a command can't do anything with what it was given."""

    code = "usage"


class Console:
    """The terminal, or the files and pipes in its place.

    `is_json` prints each answer as JSON, on one line. `may_ask` says whether someone may be asked something.
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
        """Whether someone sits there who can be asked."""
        return self.may_ask and sys.stdin is not None and sys.stdin.isatty()

    def print_text(self, text: str, *, end: str = "\n") -> None:
        """Print data, and flush it, so that a stream appears as it comes."""
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
        """Return a text in bold, if there is a terminal that wants colours; call it on texts of ours only."""
        return f"\x1b[1m{text}\x1b[0m" if self._is_colored else text

    def print_heading(self, text: str) -> None:
        """Print a heading of data."""
        self._out.write(self.emphasize(clean_text(text)) + "\n")

    def say(self, words: str) -> None:
        """Print words to whoever runs the command."""
        sys.stderr.write(clean_text(words) + "\n")
        sys.stderr.flush()


def clean_text(text: str) -> str:
    """Return a text without what a terminal obeys; lines and tabs stay."""
    return "".join(one for one in text if one in "\n\t" or unicodedata.category(one) not in ("Cc", "Cs"))


def _encode(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    if isinstance(value, date):  # datetime is one
        return value.isoformat()
    return str(value)
