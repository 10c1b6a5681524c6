"""Measurements of the CPU time and memory for importing the Python modules of the API and MCP."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from django.conf import settings

from llamora.ops.benchmarks.figures import BenchmarkReport, Figure, median
from llamora.ops.benchmarks.household import build_environment
from llamora.ops.benchmarks.programs import import_process

ROUNDS = 7


def measure(report: BenchmarkReport, *, rounds: int = ROUNDS) -> None:
    """Add to the report the CPU time and memory for importing the Python modules of the API and MCP.

    Both are also compared with the import of the modules for pages.
    """
    with tempfile.TemporaryDirectory(prefix="llamora-bench-") as folder:
        environment = build_environment(Path(folder)) | {"DJANGO_SETTINGS_MODULE": "llamora.settings"}
        found = [_run_process(environment) for _ in range(rounds)]
    for place, (what, unit) in enumerate((("start", "ms of CPU"), ("memory", "MiB"))):
        without, more = (median([one[kind][place] for one in found]) for kind in ("without", "more"))
        report.add(
            Figure(
                name=f"{what} with the API and MCP, more than without",
                value=more,
                unit=unit,
                ratio=more / without if without else None,
                baseline=f"pages alone, {without:.0f} {unit}",
            )
        )


def _run_process(environment: dict[str, str]) -> dict[str, tuple[float, float]]:
    done = subprocess.run(
        [sys.executable, "-m", import_process.__name__],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    costs: dict[str, tuple[float, float]] = json.loads(done.stdout)
    return costs
