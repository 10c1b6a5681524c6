"""Measurements of a rotation of the data key, and of the check of an access token.

They are made in a separate process, `key_process`.
"""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from llamora.ops.benchmarks.figures import BenchmarkReport, Figure
from llamora.ops.benchmarks.household import serve_household

PEER = 8_900
_CHILD_MODULE = "llamora.ops.benchmarks.key_process"


@dataclass(frozen=True, kw_only=True)
class RotationTiming:
    """The durations of one rotation and of its first step, which blocks writers, in seconds."""

    rows: int
    seconds: float
    first_step: float

    @property
    def rate(self) -> float:
        """The number of rows per second."""
        return self.rows / self.seconds


def measure_rotation(report: BenchmarkReport, *, entries: int) -> None:
    """Add to the report how many rows per second a rotation reseals in a diary with `entries` entries.

    This rate is compared with the rate for a diary a tenth as large. If the duration grows in proportion to
    the diary, their ratio is 1.
    """
    with tempfile.TemporaryDirectory(prefix="llamora-bench-") as folder:
        with serve_household(Path(folder), "--no-model") as served:
            environment = dict(served.environment)
        small, large = _time_rotation(environment, entries // 10), _time_rotation(environment, entries)
    report.add(
        Figure(
            name=f"rotate the key of {entries:,} entries and their vectors",
            value=large.rate,
            unit="rows/s",
            ratio=large.rate / small.rate,
            baseline=f"with {entries // 10:,}",
            peer=PEER,
        )
    )
    report.add(Figure(name="  of which nobody can write", value=large.first_step * 1000, unit="ms"))


def measure_tokens(report: BenchmarkReport) -> None:
    """Add to the report the CPU time of checking an access token, for each kind of token."""
    with tempfile.TemporaryDirectory(prefix="llamora-bench-") as folder:
        with serve_household(Path(folder), "--no-model") as served:
            environment = dict(served.environment)
        found = json.loads(_run_process(environment, "tokens"))
    for name, (check, compared) in found.items():
        report.add(
            Figure(
                name=f"check an access token, {name}",
                value=check,
                unit="ms of CPU",
                ratio=check / compared,
                baseline="a row and a box",
            )
        )


def _time_rotation(environment: dict[str, str], entries: int) -> RotationTiming:
    return RotationTiming(**json.loads(_run_process(environment, str(entries))))


def _run_process(environment: dict[str, str], argument: str) -> str:
    """Run the module with the environment of a household, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", _CHILD_MODULE, argument],
        cwd=settings.BASE_DIR,
        env={**environment, "DJANGO_SETTINGS_MODULE": "llamora.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
