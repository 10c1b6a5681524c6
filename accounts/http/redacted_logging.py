"""Logs and error reports without a single variable or word: frames hold text, keys, passwords."""

import logging
import traceback
from types import TracebackType
from typing import Any

from django.http import HttpRequest
from django.views.debug import ExceptionReporter


class RedactedFormatter(logging.Formatter):
    """Formats tracebacks as places and the error's type; what the error says may quote the diary."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's own name
        """Return the places an error passed through, and its type."""
        places = [
            f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(ei[2])
        ]
        return "\n".join([*places, f"  {ei[0].__name__}"])


class RedactedExceptionReporter(ExceptionReporter):
    """Reports where an error was raised and of what type; never a request, a value or its words."""

    def __init__(
        self,
        request: HttpRequest | None,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
        is_email: bool = False,
    ) -> None:
        del request
        silent = None if exc_value is None else Exception(type(exc_value).__name__).with_traceback(tb)
        super().__init__(None, exc_type, silent, tb, is_email)

    def get_traceback_frame_variables(self, *_: Any) -> list[tuple[str, Any]]:
        """Return nothing."""
        return []
