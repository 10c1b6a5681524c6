"""Thread priority: key derivation, embedding and backups let pages use the processor first."""

import os
import sys
import threading
from contextlib import suppress

NICENESS = 10


def lower_priority() -> None:
    """Lower the priority of the calling thread; only Linux gives each thread a niceness of its own.

    Threads it starts inherit it, Argon2's lanes for one.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
