"""Logs and error reports without values and error messages, which may contain diary text and keys.

Our own log messages contain nothing private. For messages of libraries only the constant part is logged,
because their arguments may contain a path that a person typed, a header, or the message of an error.
"""

import json
import logging
import re
import sys
import threading
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.http import HttpRequest
from django.urls import Resolver404, resolve
from django.views.debug import ExceptionReporter

logger = logging.getLogger("accounts.uncaught")
OWN_LOGGERS = {"llamora", "accounts", "diary", "traces", "search"}
NO_PAGE, SOCKET_PATH, LEFT_OUT = "(no such page)", "/live/", "…"
# A place for a value in a message (the printf style of Python), or an escaped per cent sign.
_PLACE = re.compile(r"%(?:%|(?:\(\w*\))?[-#0 +]*[\d.*]*[a-zA-Z])")


def find_route(path: str) -> str:
    """Return the route that matches a path, for logs.

    The path itself is not logged, since it may contain words that a person typed.
    """
    path = path.partition("?")[0]
    if path == SOCKET_PATH:
        return path
    if path.startswith(settings.STATIC_URL):
        return settings.STATIC_URL
    try:
        return f"/{resolve(unquote(path)).route.removeprefix('^').removesuffix('$')}"
    except Resolver404:
        return NO_PAGE


class RedactedFormatter(logging.Formatter):
    """Log formatter that leaves out error messages, and the arguments of libraries' log messages."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, followed by the places where its error was raised."""
        return super().format(redact_record(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's own name
        """Return a traceback as lines that say where the error was raised and its type, not its message."""
        return "\n".join(f"  {line}" for line in [*list_places(ei[2]), get_type_name(ei[0])])


class JsonFormatter(logging.Formatter):
    """Log formatter for one JSON object per line, redacted like `RedactedFormatter`. Times are in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as JSON: time, level, logger and message, and the type and places of its error."""
        record = redact_record(record)
        shown: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            shown["error"] = get_type_name(record.exc_info[0])
            shown["traceback"] = list_places(record.exc_info[2])
        # Nothing but ASCII: some readers take other characters for the end of a line.
        return json.dumps(shown)


def build_formatter() -> logging.Formatter:
    """Return the formatter that LLAMORA_LOG_FORMAT selects."""
    if settings.LOG_FORMAT == "json":
        return JsonFormatter()
    return RedactedFormatter("{asctime} {levelname} {name}: {message}", style="{")


def format_sentence(name: str, sentence: str) -> str:
    """Return a sentence formatted as a log line."""
    return build_formatter().format(logging.LogRecord(name, logging.INFO, "", 0, sentence, None, None))


def redact_record(record: logging.LogRecord) -> logging.LogRecord:
    """Return a log record without the arguments of its message, unless one of our own loggers wrote it."""
    if record.name.partition(".")[0] in OWN_LOGGERS:
        try:
            record.getMessage()
        except Exception:
            # Its values do not fit; Python would print them to say so.
            record = logging.makeLogRecord({**record.__dict__, "msg": _redact(record), "args": None})
        return record
    redacted = {**record.__dict__, "msg": _redact(record), "args": None}
    # Formatted already by a handler of somebody else, error message and all.
    return logging.makeLogRecord(redacted | {"exc_text": None})


def list_places(trace: TracebackType | None) -> list[str]:
    """Return the places in a traceback: file, line and function."""
    return [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(trace)]


def get_type_name(kind: type[BaseException] | None) -> str:
    """Return the name of an error's type."""
    return kind.__name__ if kind else "no error"


def _redact(record: logging.LogRecord) -> str:
    """Return the constant part of a library's message.

    For a message without arguments, that part is unknown; then return the file and line that logged it.
    """
    if not record.args:
        return f"(at {record.filename}:{record.lineno})"
    message = _PLACE.sub(lambda place: "%" if place[0] == "%%" else LEFT_OUT, str(record.msg))
    request = getattr(record, "request", None)
    # Django's messages about a request end with its path.
    if isinstance(request, HttpRequest) and message.endswith(LEFT_OUT):
        return message.removesuffix(LEFT_OUT) + find_route(request.path_info)
    return message


def log_uncaught_errors() -> None:
    """Log errors that end a thread or a destructor; Python would print their messages."""

    def log_thread(ended: threading.ExceptHookArgs) -> None:
        if ended.exc_type is not SystemExit:
            _log_uncaught("A thread ended.", ended.exc_type, ended.exc_value, ended.exc_traceback)

    threading.excepthook = log_thread
    sys.unraisablehook = lambda failed: _log_uncaught(
        "An error was ignored.", failed.exc_type, failed.exc_value, failed.exc_traceback
    )


def _log_uncaught(
    sentence: str, kind: type[BaseException], value: BaseException | None, tb: TracebackType | None
) -> None:
    logger.error(sentence, exc_info=(kind, value or kind(), tb))


class RedactedExceptionReporter(ExceptionReporter):
    """Reporter of errors that shows source code and the error's type, but no request, values or message."""

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
        """Return no variables, since their values may contain texts of a person."""
        return []
