"""Tests that the database reveals nothing of a trace's name without the key."""

import hashlib
import random
import time
import unicodedata
from typing import Any

import pytest
from django.db import connection

from accounts.models import Unlock
from accounts.rotation.epoch_change import begin_rotation
from llamora.crypto import Keyring, in_force, secret_bytes
from tests.people import Resident, register_resident
from tests.traces.tagging import add_traces
from traces.editing import services as editing_services
from traces.matcher import name_matchers
from traces.models import NAME_INDEX_LABEL, Change, Trace, compute_name_index
from traces.names import MAX_NAME_LENGTH, get_identity
from traces.tagging import services as tagging_services

RANGES = ((0x21, 0x7E), (0xC0, 0x24F), (0x370, 0x3FF), (0x400, 0x4FF), (0x5D0, 0x5EA), (0x905, 0x939))
RANGES += ((0x3041, 0x3096), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0x1F300, 0x1F5FF))


def random_names(count: int) -> list[str]:
    """Return this number of names with different identities, in many scripts, always the same."""
    pick = random.Random(11)
    names: dict[str, str] = {}
    while len(names) < count:
        low, high = pick.choice(RANGES)
        signs = [chr(pick.randint(low, high)) for _ in range(pick.randint(4, MAX_NAME_LENGTH))]
        name = "".join(sign for sign in signs if unicodedata.category(sign)[0] != "C")
        if pick.random() < 0.3 and len(name) > 4:
            name = f"{name[:2]} {name[3:]}"
        name = " ".join(name.split())
        if name and get_identity(name):
            names.setdefault(get_identity(name), name)
    return list(names.values())


@pytest.mark.parametrize("count", [500, pytest.param(10_000, marks=pytest.mark.slow)])
def test_every_name_comes_back_as_written_and_is_found_by_it(owner: Resident, count: int) -> None:
    names = random_names(count)
    with owner.unlocked():
        for name in names:
            trace = Trace(owner_id=owner.id)
            trace.set_name(name)
            trace.save(force_insert=True)

        held = {trace.id: str(trace.name) for trace in Trace.objects.for_owner(owner.id)}
        found = [tagging_services.find_by_name(owner.id, f" {name.upper().lower()} ") for name in names]
        same = [get_identity(name.upper().lower()) == get_identity(name) for name in names]

    assert sorted(held.values()) == sorted(names)
    # A few letters have an upper case of other letters than their own; Unicode says so, not we.
    assert sum(same) > 0.97 * count
    for name, trace_found, is_same in zip(names, found, same, strict=True):
        if is_same:
            assert trace_found is not None
            assert held[trace_found.id] == name


def test_the_same_name_of_two_people_has_unrelated_indexes(owner: Resident, housemate: Resident) -> None:
    (mine,) = add_traces(owner, owner.write("a"), "weir")
    (theirs,) = add_traces(housemate, housemate.write("b"), "weir")

    one, other = bytes(mine.name_index), bytes(theirs.name_index)
    differing = sum((a ^ b).bit_count() for a, b in zip(one, other, strict=True))

    assert len(one) == len(other) == 32
    # Of 256 bits half differ, give or take six standard deviations.
    assert 80 < differing < 176


def test_a_dictionary_finds_no_name_without_the_key(owner: Resident) -> None:
    words = [f"word{number}" for number in range(9_995)] + ["weir", "Größe", "Привет", "子供", "☕"]
    traces = add_traces(owner, owner.write("a"), "weir", "Größe", "Привет", "子供", "☕")
    stored = {bytes(trace.name_index) for trace in traces}
    strangers_key = Keyring(owner=owner.id, epoch=1, keys={1: secret_bytes(32)})

    guesses = set()
    for word in words:
        for form in {word, get_identity(word)}:
            data = form.encode()
            guesses |= {hashlib.sha256(data).digest(), hashlib.blake2b(data, digest_size=32).digest()}
            guesses |= {hashlib.sha256(owner.id.bytes + data).digest(), hashlib.sha3_256(data).digest()}
        guesses.add(strangers_key.blind_index(label=NAME_INDEX_LABEL, value=get_identity(word)))

    assert not stored & guesses
    with owner.unlocked():
        # With the key the same dictionary finds them all: it is the key that keeps it from finding any.
        assert stored <= {compute_name_index(word) for word in words}


def test_the_bytes_of_the_database_hold_no_name(owner: Resident) -> None:
    names = ["Zanzibarkade", "Größenwahnsinn", "Приветствие", "子供時代", "☕🪁"]
    entry = owner.write("a")
    first, second, *_ = add_traces(owner, entry, *names)
    with owner.unlocked():
        change = editing_services.rename_trace(owner_id=owner.id, trace_id=first.id, name="Zanzibarkade two")
        assert change is not None
    owner.post(f"/entries/{entry.id}/traces/dismiss/", script=True, pick="Dismissedword")

    held = read_database_bytes()

    for name in [*names, "Zanzibarkade two", "Dismissedword"]:
        for form in (name, get_identity(name)):
            assert form.encode() not in held
            assert form.encode("utf-16-le") not in held
            assert form.encode().hex().encode() not in held
    assert Change.objects.count() == 1
    assert bytes(second.name_index) in held, "what is looked through holds what was written"


def read_database_bytes() -> bytes:
    """Return the bytes of the database."""
    connection.ensure_connection()
    source: Any = connection.connection
    held: bytes = source.serialize()
    return held


@pytest.mark.django_db
def test_a_rotation_makes_the_indexes_anew_and_every_name_is_still_found() -> None:
    rosa = register_resident("Rosa", entries=1)
    with in_force(rosa.open_keyring()):
        (entry_id,) = rosa.written
        names = ["weir", "Größe", "子供", "gone"]
        traces = [
            tagging_services.add_trace(owner_id=rosa.id, entry_id=entry_id, name=name) for name in names
        ]
        editing_services.delete_trace(owner_id=rosa.id, trace_id=traces[3].id)
    before = {trace.id: bytes(trace.name_index) for trace in traces}

    turned = begin_rotation(rosa.open_slot())

    after = {trace.id: bytes(trace.name_index) for trace in Trace.objects.filter(owner_id=rosa.id)}
    assert after.keys() == before.keys()
    assert all(after[id_] != before[id_] for id_ in before)
    with in_force(turned.keyring):
        found = [tagging_services.find_by_name(rosa.id, name) for name in ("WEIR", "GRÖSSE", "子供", "gone")]
        again = tagging_services.add_trace(owner_id=rosa.id, entry_id=entry_id, name="weir")
    assert [trace and trace.id for trace in found] == [trace.id for trace in traces[:3]] + [None]
    assert again.id == traces[0].id


def test_a_lock_drops_the_names_from_memory(owner: Resident, django_capture_on_commit_callbacks: Any) -> None:
    add_traces(owner, owner.write("a"), "weir")
    owner.get(f"/d/{owner.today}/")
    held = name_matchers.has_value(owner.id)

    with django_capture_on_commit_callbacks(execute=True):
        owner.lock()

    assert (held, name_matchers.has_value(owner.id)) == (True, False)


def test_who_has_been_idle_too_long_is_swept_from_memory(owner: Resident, settings: Any) -> None:
    add_traces(owner, owner.write("a"), "weir")
    owner.get(f"/d/{owner.today}/")

    name_matchers.sweep()
    held = name_matchers.has_value(owner.id)
    name_matchers.sweep(now=time.monotonic() + 60 * settings.IDLE_MINUTES + 1)

    assert (held, name_matchers.has_value(owner.id)) == (True, False)


def test_names_made_while_a_lock_came_are_not_held(owner: Resident) -> None:
    add_traces(owner, owner.write("a"), "weir")
    Unlock.objects.filter(sign_in__person_id=owner.id).delete()

    with owner.unlocked():
        assert set(name_matchers.get_current().names.values()) == {"weir"}

    assert not name_matchers.has_value(owner.id)


def test_a_change_of_a_name_is_known_at_once(owner: Resident) -> None:
    (trace,) = add_traces(owner, owner.write("a"), "weir")
    with owner.unlocked():
        before = set(name_matchers.get_current().names.values())
        change = editing_services.rename_trace(owner_id=owner.id, trace_id=trace.id, name="mill")
        renamed = set(name_matchers.get_current().names.values())
        assert change is not None
        editing_services.undo_change(owner_id=owner.id, change_id=change.id)
        again = set(name_matchers.get_current().names.values())
        editing_services.delete_trace(owner_id=owner.id, trace_id=trace.id)
        deleted = set(name_matchers.get_current().names.values())

    assert (before, renamed, again, deleted) == ({"weir"}, {"mill"}, {"weir"}, set())
