import os
import sys
import tempfile
from typing import Any

from django.apps import AppConfig

# Asked for once: inside the hook it would open files, and wait for itself.
TEMPORARY = tempfile.gettempdir()


class ServingConfig(AppConfig):
    name = "tests.ops.serving"
    label = "serving"

    def ready(self) -> None:
        from diary.live import consumers
        from tests.ops.serving.sockets import patterns

        consumers.websocket_urlpatterns.extend(patterns)
        sys.addaudithook(tell_of_temporary_files)


def tell_of_temporary_files(event: str, arguments: tuple[Any, ...]) -> None:
    """Print each file opened for writing among the temporary ones, also those that never get a name."""
    if event != "open":
        return
    path, _, flags = arguments
    if flags & (os.O_WRONLY | os.O_RDWR) and str(path).startswith(TEMPORARY):
        print(f"TEMPORARY FILE {path}", flush=True)
