"""The app of the test pages: its socket, its credential, and a log of temporary files."""

import os
import sys
import tempfile
from typing import Any

from django.apps import AppConfig

# Asked for once: inside the hook it would open files, and wait for itself.
TEMPORARY = tempfile.gettempdir()


class ServingConfig(AppConfig):
    """Configuration of the app of the test pages."""

    name = "tests.ops.serving"
    label = "serving"

    def ready(self) -> None:
        from accounts.sessions.scope import credential_openers
        from diary.live import consumers
        from tests.ops.serving.sockets import patterns

        credential_openers.append(open_test_credential)
        consumers.websocket_urlpatterns.extend(patterns)
        sys.addaudithook(print_temporary_file)


def open_test_credential(scope: dict[str, Any]) -> str:
    """Take whoever says so for somebody of the household."""
    found = [value for name, value in scope["headers"] if name == b"x-household"]
    return found[0].decode() if found else ""


def print_temporary_file(event: str, arguments: tuple[Any, ...]) -> None:
    """Print each temporary file that is opened for writing, even without a name."""
    if event != "open":
        return
    path, _, flags = arguments
    if flags & (os.O_WRONLY | os.O_RDWR) and str(path).startswith(TEMPORARY):
        print(f"TEMPORARY FILE {path}", flush=True)
