"""The access log: one line per request, with method, route, status, size and time.

A route is what the path was resolved by, such as `/d/<day:day>/`: a path may contain words of somebody.
"""

import logging
from typing import Any

from accounts.http.redacted_logging import find_route

logger = logging.getLogger("llamora.access")
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}


def log_action(protocol: str, action: str, details: dict[str, Any]) -> None:
    """Log a finished request or a change of a WebSocket; daphne calls this function."""
    route = find_route(details["path"])
    if protocol == "http":
        method = details["method"] if details["method"] in _METHODS else "(other)"
        milliseconds = details["time_taken"] * 1000
        logger.info(
            "%s %s %s %s B %.0f ms", method, route, details["status"], details["size"] or 0, milliseconds
        )
    else:
        logger.info("socket %s %s", action, route)
