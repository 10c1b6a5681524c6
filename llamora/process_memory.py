"""Protection of this process's memory (keys, diary text), and return of freed memory to the system.

On Linux the process is made non-dumpable, so that nobody except root can read its memory in /proc or with a
debugger. On other systems this is not possible, and `doctor` reports it. Core dumps are disabled everywhere.

By default, glibc's allocator has an arena for each thread, which can grow to 64 MB and rarely shrinks. In a
server with many threads, rendering a day of long entries once cost 130 MB until the next start.
"""

import ctypes
import resource
import sys

PR_GET_DUMPABLE, PR_SET_DUMPABLE = 3, 4
# Numbers of mallopt(3).
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
# Of glibc by default 8 for each processor. Nearly all memory is taken under Python's lock, by one thread.
MALLOC_POOLS = 2
# Blocks so long are given back as soon as they are free; of shorter ones, what is free at the end of a pool.
LONG_BLOCK_BYTES, FREE_END_BYTES = 256 * 1024, 1024 * 1024


def protect_process_memory() -> None:
    """Disable core dumps, and prevent debuggers and readers of /proc from reading this process's memory.

    A new program (exec) does not inherit this.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def is_memory_protected() -> bool:
    """Return whether the memory of this process is protected from other programs of the same user."""
    return sys.platform == "linux" and bool(ctypes.CDLL(None).prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0)


def return_freed_memory() -> None:
    """Configure glibc to return freed memory to the system; call before threads are started.

    Does nothing with another allocator.
    """
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallopt"):
        return
    libc.mallopt(M_ARENA_MAX, MALLOC_POOLS)
    libc.mallopt(M_MMAP_THRESHOLD, LONG_BLOCK_BYTES)
    libc.mallopt(M_TRIM_THRESHOLD, FREE_END_BYTES)
