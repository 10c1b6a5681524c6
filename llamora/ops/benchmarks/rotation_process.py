"""A process that rotates the data key of a generated diary with vectors and prints the durations as JSON.

Run it with the environment of a household for measurements: `python -m … ENTRIES`.
"""

import json
import sys
import time
from datetime import date, timedelta

import django
from django.apps import apps

if not apps.ready:
    django.setup()

from accounts.auth.services.registration import create_person
from accounts.keys import key_slots
from accounts.models import Person, SlotKind
from accounts.rotation import services as rotation_services
from accounts.rotation.epoch_change import begin_rotation
from diary.models import Entry
from llamora.crypto import in_force, secret_bytes
from llamora.database import write_transaction
from llamora.ops.benchmarks.client import PASSWORD
from search.models import Vector

TEXT = "An ordinary sentence of a diary, of some length. " * 12
VECTOR_BYTES, BATCH_SIZE = 1536, 1000


def main(entries: int) -> None:
    """Create a diary of this many entries, rotate its data key, and print the durations."""
    opened = _create_diary(f"Measured {entries}", entries)
    began = time.perf_counter()
    rotation = begin_rotation(opened)
    first_step = time.perf_counter() - began
    result = rotation_services.resume_rotation(rotation.keyring)
    seconds = time.perf_counter() - began
    print(json.dumps({"rows": result.envelopes, "seconds": seconds, "first_step": first_step}))


def _create_diary(name: str, entries: int) -> key_slots.OpenedSlot:
    enrolled = create_person(
        name=name, password=PASSWORD, time_zone="UTC", is_administrator=False, address=name
    )
    with in_force(enrolled.keyring):
        for first in range(0, entries, BATCH_SIZE):
            _write_entries(enrolled.person, range(first, min(first + BATCH_SIZE, entries)))
    enrolled.keyring.close()
    request = key_slots.DerivationRequest(name=name, address=name)
    return key_slots.open_slot(
        person=enrolled.person, kind=SlotKind.PASSWORD, secret=PASSWORD, request=request
    )


def _write_entries(owner: Person, numbers: range) -> None:
    days = (date(2000, 1, 1) + timedelta(days=number % 9_000) for number in numbers)
    entries = [Entry(owner=owner, day=day, text=TEXT) for day in days]
    vectors = [
        Vector(owner=owner, source=entry.id, embedder="none", rule="none", body=secret_bytes(VECTOR_BYTES))
        for entry in entries
    ]
    with write_transaction():
        Entry.objects.bulk_create(entries)
        Vector.objects.bulk_create(vectors)


if __name__ == "__main__":
    main(int(sys.argv[1]))
