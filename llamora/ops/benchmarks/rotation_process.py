"""A process that measures what keys cost, and prints the durations as JSON.

Run it with the environment of a household for measurements: `python -m … ENTRIES` rotates the data key of a
generated diary with vectors, and `python -m … tokens` checks access tokens of a small diary that is locked,
as while a program calls at night.
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
from accounts.keys import key_pairs, key_slots, token_slots
from accounts.keys.slot_list import TOKEN_KIND, ListedSlot, change_slot_list
from accounts.models import Person, SlotKind
from accounts.rotation import services as rotation_services
from accounts.rotation.epoch_change import begin_rotation
from accounts.tokens.call_limits import call_limits
from accounts.tokens.verification import verify_token
from diary.models import Entry
from llamora import crypto
from llamora.crypto import Keyring, TokenKind, TokenTerms, in_force, secret_bytes
from llamora.database import write_transaction
from llamora.fields import new_id
from llamora.ops.benchmarks.client import PASSWORD
from llamora.ops.benchmarks.figures import median
from search.models import Vector

TEXT = "An ordinary sentence of a diary, of some length. " * 12
VECTOR_BYTES, BATCH_SIZE = 1536, 1000
CHECKS = 2_000
SCOPES = {TokenKind.AWAY: "diary:read", TokenKind.DROP: "drop"}


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


def time_tokens() -> None:
    """Make a token of each kind that works while its owner is away, and print the medians of its check."""
    name = "Measured tokens"
    enrolled = create_person(
        name=name, password=PASSWORD, time_zone="UTC", is_administrator=False, address=name
    )
    with in_force(enrolled.keyring), write_transaction():
        for number in range(20):
            Entry.objects.create(owner=enrolled.person, day=f"2026-11-{number + 1:02}", text="A sentence.")
    found = {kind.value: _time_checks(_create_token(enrolled.keyring, kind)) for kind in SCOPES}
    enrolled.keyring.close()
    print(json.dumps(found))


def _create_token(keyring: Keyring, kind: TokenKind) -> str:
    token = crypto.new_token(new_id())
    terms = TokenTerms(
        kind=kind,
        scopes=frozenset({SCOPES[kind]}),
        created_at=int(time.time()),
        created_epoch=keyring.epoch,
        lifetime_days=90,
    )
    slot = crypto.create_token_slot(
        token, terms=terms, keyring=keyring, vault_public_key=key_pairs.find_public_key(keyring) or b""
    )
    row = token_slots.row_from_slot(slot, name="A program")
    row.confirmation = token_slots.compute_confirmation(slot)
    with in_force(keyring), write_transaction():
        row.save(force_insert=True)
        change_slot_list(
            keyring, lambda listed: listed.update({row.id: ListedSlot(id=row.id, kind=TOKEN_KIND)})
        )
    return token.encode()


def _time_checks(text: str) -> float:
    """Return the median of the check in milliseconds."""
    durations = []
    for _ in range(CHECKS):
        # A program may call a hundred times a minute.
        call_limits.clear()
        began = time.perf_counter()
        opened = verify_token(text, address="127.0.0.1")
        durations.append((time.perf_counter() - began) * 1000)
        if opened.keyring is not None:
            opened.keyring.close()
    return median(durations)


if __name__ == "__main__":
    if sys.argv[1] == "tokens":
        time_tokens()
    else:
        main(int(sys.argv[1]))
