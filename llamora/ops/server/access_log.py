"""The access log: one line per request, with method, route, status, size and time.

The route is logged, such as `/d/<day:day>/`, and not the path, which may contain words that a person typed.
For a refused request the line ends with the client's address, so that attackers can be found; other lines do
not identify the reader. If a response is cut short, usually because the client left, the line says so; its
status is 499 if the response had not begun.
"""

import logging
from typing import Any

from accounts.http.redacted_logging import find_route
from llamora.api.errors import PROGRAM_PATHS
from llamora.api.urls import find_call

logger = logging.getLogger("llamora.access")
_FIRST_ERROR_STATUS = 400
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}


def log_action(protocol: str, action: str, details: dict[str, Any]) -> None:
    """Log a finished request or a change of a WebSocket; daphne calls this function."""
    path = details["path"]
    # Calls of programs are many, and the resolver of pages takes as long as all the rest of a line.
    call = find_call(path.partition("?")[0]) if path.startswith(PROGRAM_PATHS) else None
    route = call.route if call else find_route(path)
    if protocol == "http":
        method = details["method"] if details["method"] in _METHODS else "(other)"
        status, milliseconds = details["status"], details["time_taken"] * 1000
        address = (details["client"] or "").rpartition(":")[0]
        origin = f" from {address}" if status >= _FIRST_ERROR_STATUS and address else ""
        size = details["size"] or 0
        ending = ", cut short" if action == "cut short" else ""
        logger.info("%s %s %s %s B %.0f ms%s%s", method, route, status, size, milliseconds, ending, origin)
    else:
        logger.info("socket %s %s", action, route)
