"""Protection of the memory of this process, where keys and open pages are, from other programs of the user.

On Linux a process that is not dumpable cannot be read in /proc or by a debugger, except by root. Elsewhere
nothing of the kind is done, and `doctor` says so. A crash leaves no core dump anywhere.
"""

import ctypes
import resource
import sys

PR_GET_DUMPABLE, PR_SET_DUMPABLE = 3, 4


def protect_process_memory() -> None:
    """Disable core dumps, and reading by debuggers and in /proc; a new program has to do it again."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def has_unreadable_memory() -> bool:
    """Return whether other programs of the same user cannot read the memory of this process."""
    return sys.platform == "linux" and bool(ctypes.CDLL(None).prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0)
