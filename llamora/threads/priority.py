"""Thread priority: threads for key derivation, embedding and backups have a lower priority than pages."""

import os
import sys
import threading
from contextlib import suppress

NICENESS = 10


def lower_priority() -> None:
    """Lower the priority of the calling thread; only on Linux, where each thread has its own niceness.

    Threads that it starts later, such as Argon2's, inherit the priority.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
