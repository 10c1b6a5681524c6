"""A process that measures a rotation of the data key or checks of access tokens, and prints JSON results.

Run it with the environment of a household for measurements: `python -m … ENTRIES` rotates the data key of a
generated diary with vectors, and `python -m … tokens` checks access tokens of a small diary, both while it is
locked and while it is unlocked in a browser.

Checks are measured in CPU seconds, so that other processes do not count. They alternate with the baseline,
the minimum that every check needs: reading a row and opening a box with libsodium.
"""

import json
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta

import django
from django.apps import apps

if not apps.ready:
    django.setup()

from accounts.auth.services.registration import create_person
from accounts.keys import key_pairs, key_slots, token_slots
from accounts.keys.slot_list import TOKEN_KIND, ListedSlot, change_slot_list
from accounts.models import AccessToken, Person, SlotKind
from accounts.rotation import services as rotation_services
from accounts.rotation.epoch_change import begin_rotation
from accounts.sessions.services import create_session
from accounts.tokens.call_limits import call_limits
from accounts.tokens.open_keyrings import open_keyrings
from accounts.tokens.verification import verify_token
from diary.models import Entry
from llamora import crypto
from llamora.crypto import (
    Keyring,
    TokenKind,
    TokenTerms,
    in_force,
    new_vault_keys,
    open_sealed,
    seal_to,
    secret_bytes,
)
from llamora.database import CachedQuery, write_transaction
from llamora.fields import new_id
from llamora.ops.benchmarks.client import PASSWORD
from llamora.ops.benchmarks.figures import median
from search.models import Vector

TEXT = "An ordinary sentence of a diary, of some length. " * 12
VECTOR_BYTES, BATCH_SIZE = 1536, 1000
CHECKS = 2_000
SCOPES = {TokenKind.ORDINARY: "diary:read", TokenKind.AWAY: "diary:read", TokenKind.DROP: "drop"}

_select_row: CachedQuery[tuple[object, ...]] = CachedQuery(
    lambda id: AccessToken.objects.filter(id=id).values_list()  # noqa: A006 - the column's
)


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
    """Print how long it takes to check an access token, and to use it for a query with one decryption.

    The times are medians, for a token of each kind.

    A token that works only while its owner is unlocked is measured only in that state.
    """
    name = "Measured tokens"
    enrolled = create_person(
        name=name, password=PASSWORD, time_zone="UTC", is_administrator=False, address=name
    )
    with in_force(enrolled.keyring), write_transaction():
        for number in range(20):
            Entry.objects.create(owner=enrolled.person, day=f"2026-11-{number + 1:02}", text="A sentence.")
    tokens = {kind: _create_token(enrolled.keyring, kind) for kind in SCOPES}
    found = {
        f"{kind.value}, locked": _time_checks(tokens[kind])
        for kind in SCOPES
        if kind is not TokenKind.ORDINARY
    }
    create_session(person=enrolled.person, keyring=enrolled.keyring, is_persistent=False, device="")
    open_keyrings.add(enrolled.keyring)
    found |= {f"{kind.value}, unlocked": _time_checks(tokens[kind]) for kind in SCOPES}
    open_keyrings.clear()
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
    with in_force(keyring), write_transaction():
        row.confirmation = token_slots.register_confirmation(row)
        row.save(force_insert=True)
        change_slot_list(
            keyring, lambda listed: listed.update({row.id: ListedSlot(id=row.id, kind=TOKEN_KIND)})
        )
    return token.encode()


def _time_checks(text: str) -> tuple[float, float]:
    """Return the medians of the check and of its baseline, in milliseconds of CPU time."""
    durations, compared = [], []
    private, public = new_vault_keys()
    box, token_id = seal_to(public, bytes(128)), crypto.parse_token(text).id
    for _ in range(CHECKS):
        # A program may call a hundred times a minute.
        call_limits.clear()
        durations.append(_time_once(lambda: verify_token(text, address="127.0.0.1")))
        compared.append(_time_once(lambda: (_select_row(id=token_id), open_sealed(private, public, box))))
    return median(durations), median(compared)


def _time_once(call: Callable[[], object]) -> float:
    began = time.thread_time()
    call()
    return (time.thread_time() - began) * 1000


if __name__ == "__main__":
    if sys.argv[1] == "tokens":
        time_tokens()
    else:
        main(int(sys.argv[1]))
