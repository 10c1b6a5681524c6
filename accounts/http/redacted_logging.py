"""Logs and error reports without values and messages of errors, because these may contain diary text."""

import logging
import traceback
from types import TracebackType
from typing import Any

from django.http import HttpRequest
from django.views.debug import ExceptionReporter


class RedactedFormatter(logging.Formatter):
    """Formatter whose tracebacks show lines of code and the error's type, but not its message."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's own name
        """Return the lines of code of a traceback, and the error's type."""
        lines = [
            f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(ei[2])
        ]
        return "\n".join([*lines, f"  {ei[0].__name__}"])


class RedactedExceptionReporter(ExceptionReporter):
    """Error report with lines of code and the error's type, but no request, no values and no message."""

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
        """Return no variables."""
        return []
