"""Logs and error reports without values and messages: frames hold diary text, keys and passwords."""

import logging
import traceback
from types import TracebackType
from typing import Any

from django.http import HttpRequest
from django.views.debug import ExceptionReporter


class RedactedFormatter(logging.Formatter):
    """A formatter whose tracebacks are lines of code and a type; an error's message may quote the diary."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's own name
        """Return the lines of code an error passed through, and its type."""
        lines = [
            f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(ei[2])
        ]
        return "\n".join([*lines, f"  {ei[0].__name__}"])


class RedactedExceptionReporter(ExceptionReporter):
    """An error report of the lines of code and the type; without the request, values and the message."""

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
