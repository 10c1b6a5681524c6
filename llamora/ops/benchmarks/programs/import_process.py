"""A process that imports the Python modules of all pages, then those of the API, and prints both costs.

The costs are printed as JSON.

    python -m llamora.ops.benchmarks.programs.import_process

The costs are CPU time in ms and resident memory in MiB. As at the start of the server, garbage collection is
off.
"""

import gc
import importlib
import json
import os
import sys
import time
from pathlib import Path

# What a server imports, the API aside.
WITHOUT_PROGRAMS = (
    *("llamora.ops.management.commands.up", "accounts.urls", "diary.urls", "search.urls", "traces.urls"),
)
OF_PROGRAMS = ("llamora.api.urls", "llamora.api.error_views", "llamora.mcp.urls")
_PACKAGES = ("llamora.api", "llamora.mcp")


def measure_imports(names: tuple[str, ...]) -> tuple[float, float]:
    """Import modules; return the CPU time in ms and the memory in MiB."""
    began, memory = time.process_time(), _get_memory()
    for name in names:
        importlib.import_module(name)
    return (time.process_time() - began) * 1000, _get_memory() - memory


def _get_memory() -> float:
    """Return the resident memory in MiB (Linux only; 0 elsewhere)."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    """Import the modules of the pages, then those of the API, and print the cost of each as JSON."""
    gc.disable()
    began, memory = time.process_time(), _get_memory()
    import django  # noqa: PLC0415 - its import is measured

    django.setup()
    measure_imports(WITHOUT_PROGRAMS)
    without = (time.process_time() - began) * 1000, _get_memory() - memory
    if early := [name for name in sys.modules if name.startswith(_PACKAGES)]:
        raise RuntimeError(f"The pages import {early[0]}, so that its cost can't be told from theirs.")
    more = measure_imports(OF_PROGRAMS)
    sys.stdout.write(json.dumps({"without": without, "more": more}) + "\n")


if __name__ == "__main__":
    main()
