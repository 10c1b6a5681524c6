"""A benchmark of a rotation, on a generated diary with a vector for each entry."""

import time
from dataclasses import dataclass
from datetime import timedelta

from accounts.rotation import services as rotation_services
from accounts.rotation.epoch_change import begin_rotation
from diary.models import Entry
from llamora.crypto import Context, Keyring, in_force, secret_bytes
from llamora.database import write_transaction
from llamora.fields import new_id
from tests.people import FIRST_DAY, register_resident

TEXT = "An ordinary sentence of a diary, of some length. " * 12
VECTOR_BYTES = 1536
AT_ONCE = 1000


@dataclass(frozen=True)
class RotationTiming:
    """Durations of a rotation: wall time, CPU time, and the time of its first step, which blocks writes."""

    envelopes: int
    seconds: float
    core_seconds: float
    first_step: float

    @property
    def rate(self) -> float:
        return self.envelopes / self.seconds

    @property
    def rate_of_a_core(self) -> float:
        """The envelopes per second of CPU time."""
        return self.envelopes / self.core_seconds


def measure_rotation(rows: int) -> RotationTiming:
    """Measure a rotation of a new diary with so many entries, each with a text, a vector and a code."""
    owner = register_resident(f"Bench {rows} {secret_bytes(4).hex()}")
    with in_force(owner.open_keyring()):
        for first in range(0, rows, AT_ONCE):
            _write(owner.id, range(first, min(first + AT_ONCE, rows)))
    opened = owner.open_slot()
    began, core_began = time.perf_counter(), time.thread_time()
    turned = begin_rotation(opened)
    first_step = time.perf_counter() - began
    moved = rotation_services.resume_rotation(turned.keyring)
    return RotationTiming(
        envelopes=moved.envelopes,
        seconds=time.perf_counter() - began,
        core_seconds=time.thread_time() - core_began,
        first_step=first_step,
    )


def measure_sealing(count: int = 4000) -> float:
    """Return how many texts and vectors are sealed and opened in a second of CPU time, without a database."""
    keyring = Keyring(owner=new_id(), epoch=1, keys={1: secret_bytes(32)})
    began = time.thread_time()
    for _ in range(count):
        context = Context(purpose="field", label="diary.entry.text", row=new_id(), owner=keyring.owner)
        for size in (len(TEXT), VECTOR_BYTES):
            keyring.unseal(keyring.seal(bytes(size), context), context)
    return 2 * count / (time.thread_time() - began)


def _write(owner_id: object, numbers: range) -> None:
    entries = [
        Entry(
            owner_id=owner_id,
            day=FIRST_DAY + timedelta(days=number % 10_000),
            text=f"Entry {number}. {TEXT}",
            source=secret_bytes(VECTOR_BYTES),
        )
        for number in numbers
    ]
    with write_transaction():
        Entry.objects.bulk_create(entries)
