"""The memory of this process, where keys and open pages are: closed to others, and given back when free.

On Linux a process that is not dumpable cannot be read in /proc or by a debugger, except by root. Elsewhere
nothing of the kind is done, and `doctor` says so. A crash leaves no core dump anywhere.

The allocator of glibc by default gives each thread a pool of its own, and lets pools grow to 64 MB that are
hardly ever given back: with the threads of a server, a day of long entries that was shown once cost 130 MB
until the next start.
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
    """Disable core dumps, and reading by debuggers and in /proc; a new program has to do it again."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def has_unreadable_memory() -> bool:
    """Return whether other programs of the same user cannot read the memory of this process."""
    return sys.platform == "linux" and bool(ctypes.CDLL(None).prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0)


def return_freed_memory() -> None:
    """Let the allocator give freed memory back to the system; call it before threads are started.

    Does nothing where the allocator isn't glibc's.
    """
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallopt"):
        return
    libc.mallopt(M_ARENA_MAX, MALLOC_POOLS)
    libc.mallopt(M_MMAP_THRESHOLD, LONG_BLOCK_BYTES)
    libc.mallopt(M_TRIM_THRESHOLD, FREE_END_BYTES)
