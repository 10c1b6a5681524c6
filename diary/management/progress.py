"""A progress bar on a terminal; nothing is printed if the output is no terminal."""

from types import TracebackType
from typing import Self, TextIO

WIDTH = 30


class ProgressBar:
    """A progress bar on one line, which is cleared at the end."""

    def __init__(self, out: TextIO, *, total: int) -> None:
        self._out, self._total = out, max(total, 1)
        self._shown = ""
        self._draws = out.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            self._out.write("\r" + " " * len(self._shown) + "\r")
            self._out.flush()

    def show(self, done: int, words: str) -> None:
        """Draw the bar at `done` of the total, followed by `words`."""
        if not self._draws:
            return
        share = min(done / self._total, 1.0)
        line = f"[{'#' * round(share * WIDTH):<{WIDTH}}] {share:4.0%}  {words}"
        if line != self._shown:
            self._out.write("\r" + line.ljust(len(self._shown)))
            self._out.flush()
            self._shown = line
