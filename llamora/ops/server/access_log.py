"""The access log: one line per request, with method, path without its query, status, size and time."""

import logging
from typing import Any
from urllib.parse import unquote

from django.urls import Resolver404, resolve

logger = logging.getLogger("llamora.access")
_SOCKET_PATH = "/live/"
_FIRST_ERROR_STATUS = 400


def strip_query(path: str) -> str:
    """Return a path without its query, and without control characters, which could forge log lines."""
    path = path.partition("?")[0]
    return path if path.isprintable() else ascii(path)


def loggable_path(path: str) -> str:
    """Return the path of a known URL; replace any other path, because it may contain private text."""
    path = strip_query(path)
    try:
        resolve(unquote(path))
    except Resolver404:
        return path if path == _SOCKET_PATH else "(no such page)"
    return path


def log_action(protocol: str, action: str, details: dict[str, Any]) -> None:
    """Log a finished request or a change of a WebSocket; daphne calls this function."""
    if protocol == "http":
        status, milliseconds = details["status"], details["time_taken"] * 1000
        path = (
            loggable_path(details["path"]) if status >= _FIRST_ERROR_STATUS else strip_query(details["path"])
        )
        logger.info(
            "%s %s %s %s B %.0f ms", details["method"], path, status, details["size"] or 0, milliseconds
        )
    else:
        logger.info("socket %s %s", action, loggable_path(details["path"]))
