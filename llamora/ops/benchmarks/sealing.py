"""Measurements of sealing and opening a value, and of deriving a key."""

import time
from collections.abc import Callable
from datetime import date
from uuid import uuid4

from llamora.crypto import DEFAULT_COST, Context, Keyring, derive, secret_bytes
from llamora.ops.benchmarks.client import PASSWORD
from llamora.ops.benchmarks.figures import BenchmarkReport, Figure, measure_milliseconds, median

RECORDS, ROUNDS = 2_000, 9


def measure(report: BenchmarkReport) -> None:
    """Add to the report how long it takes to seal a value, to open an envelope and to derive a key."""
    keyring = Keyring(owner=uuid4(), epoch=1, keys={1: secret_bytes(32)})
    context = Context(
        purpose="field",
        label="diary.entry.text",
        row=uuid4(),
        owner=keyring.owner,
        bound=(("diary.entry.day", date(2026, 11, 20).isoformat().encode()),),
    )
    text = b"An ordinary sentence of a diary. " * 31
    envelope = keyring.seal(text, context)
    copying = _time_in_microseconds(lambda: bytes(bytearray(text)))
    for name, call in (
        ("seal a record of 1 kB", lambda: keyring.seal(text, context)),
        ("open a record of 1 kB", lambda: keyring.unseal(envelope, context)),
    ):
        duration = _time_in_microseconds(call)
        report.add(
            Figure(name=name, value=duration, unit="us", ratio=duration / copying, baseline="copying it")
        )
    report.add(
        Figure(
            name=f"derive a key ({DEFAULT_COST.memory_kib // 1024} MiB)",
            value=median(
                measure_milliseconds(lambda: derive(secret=PASSWORD, salt=bytes(16), cost=DEFAULT_COST), 7)
            ),
            unit="ms",
        )
    )


def _time_in_microseconds(call: Callable[[], object]) -> float:
    durations = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(RECORDS):
            call()
        durations.append((time.perf_counter() - began) / RECORDS * 1e6)
    return median(durations)
