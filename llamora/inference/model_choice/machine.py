"""Memory and processor of this machine, and estimates of what a model needs."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# What llama.cpp needs beside the weights and the context window.
_BASE_BYTES: Final = 400 << 20
_TOPOLOGY = Path("/sys/devices/system/cpu")
_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Memory in bytes, total and free, and the number of processor cores."""

    memory: int
    available: int
    cores: int


def read_machine() -> Machine:
    """Return the memory and cores available to this process or its container; 0 if unknown."""
    memory, available = _read_meminfo("MemTotal"), _read_meminfo("MemAvailable")
    if limit := _read_number(_CGROUP / "memory.max"):
        memory = min(memory or limit, limit)
        available = min(available, max(0, limit - _read_number(_CGROUP / "memory.current")))
    return Machine(memory=memory, available=available, cores=count_cores())


def count_cores() -> int:
    """Return the number of physical cores that this process may use; hyper-threads are not counted."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    cores = set()
    for number in allowed:
        name = str(number)
        with suppress(OSError):
            name = (_TOPOLOGY / f"cpu{number}/topology/thread_siblings_list").read_text().strip()
        cores.add(name)
    return max(1, len(cores))


def choose_threads(cores: int) -> int:
    """Return the number of threads for a model: all cores, or one less if there are more than two."""
    return cores - 1 if cores > 2 else cores


def estimate_memory(*, size: int, cache_bytes: int, context: int, parallel: int) -> int:
    """Return the bytes that a model needs: its weights, and a context window for each parallel reply."""
    return size + cache_bytes * context * parallel + _BASE_BYTES


def _read_meminfo(name: str) -> int:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 0
    found = (line.split() for line in lines if line.startswith(f"{name}:"))
    return next((int(parts[1]) << 10 for parts in found), 0)


def _read_number(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 0
