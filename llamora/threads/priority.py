"""Which threads go last when pages want the processor: key derivation, embedding, backups."""

import os
import sys
import threading
from contextlib import suppress

NICENESS = 10


def lower_priority() -> None:
    """Let every other thread go before this one; only Linux gives each thread a niceness of its own.

    Threads it starts inherit it, Argon2's lanes for one.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
