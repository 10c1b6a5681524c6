"""A process that writes facts of a person for measurements, or measures work on these facts.

    python -m llamora.ops.benchmarks.facts.fact_process write NAME NUMBER
    python -m llamora.ops.benchmarks.facts.fact_process measure NAME

Run it with the environment of the household. It prints each figure as a line of JSON. While facts are
changed, another thread asks for the write lock again and again: its longest wait is what a save of somebody
else may wait for. The baseline of a change is the save of an entry in the same run. The baseline of an export
is the same file written from a table of plain SQLite.
"""

import io
import json
import random
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, Final
from uuid import UUID

import django
from django.apps import apps
from django.db import connection

if not apps.ready:
    django.setup()

from accounts.keys import key_slots
from accounts.models import Person, SlotKind
from accounts.sessions.services import create_session
from diary.models import Entry
from diary.transfer.programs.file_formats import TextFormat
from llamora.crypto import Keyring, in_force
from llamora.database import write_transaction
from llamora.database.compaction import compact_database, wait_for_compaction
from llamora.ops.benchmarks.client import PASSWORD
from llamora.ops.benchmarks.figures import measure_milliseconds, median, p95
from traces.facts import services
from traces.facts.comparison import Strategy
from traces.facts.fact_body import FactText
from traces.facts.indexes import set_indexes
from traces.facts.models import Fact, FactState
from traces.facts.pages.list_cache import get_listed_facts, listed_facts_cache
from traces.facts.selection import FactSelection
from traces.facts.transfer.exports import COLUMNS, FactExportReport, write_facts
from traces.facts.transfer.imports import import_harmonia

NAMES: Final = (
    "Anna",
    "Ben",
    "Clara",
    "Dora",
    "Emil",
    "Frida",
    "Georg",
    "Hanna",
    "Ivo",
    "Jana",
    "Your mother",
)
RELATIONS: Final = ("lives in", "works at", "likes", "has a", "is allergic to", "was born in")
THINGS: Final = (
    *("river house", "winter garden", "oat bread", "lamp shop", "old bicycle", "green boat", "apple orchard"),
    *("brass band", "tall ladder", "paper mill", "stone bridge", "small dog"),
)
_BATCH, _ROUNDS, _EXPORTS, _IMPORTED = 1000, 60, 15, 1000
_POLL_SECONDS: Final = 0.001
_COMPACTION_SECONDS: Final = 120
_WAIT: Final = "longest wait of another writer"


def write(name: str, number: int) -> None:
    """Write this number of accepted facts of a person, as if the owner had accepted them from proposals."""
    person = Person.objects.get(name=name)
    with in_force(_open_keyring(person)):
        for first in range(0, number, _BATCH):
            rows = [_build_fact(person, each) for each in range(first, min(first + _BATCH, number))]
            with write_transaction():
                Fact.objects.bulk_create(rows)


def build_sentence(number: int) -> str:
    """Return the sentence of the fact with this number; no two numbers have the same sentence."""
    chance = random.Random(number)  # noqa: S311 - a made fact, no secret
    return f"{chance.choice(NAMES)} {chance.choice(RELATIONS)} {chance.choice(THINGS)} {number}"


def _build_fact(person: Person, number: int) -> Fact:
    text = FactText.create(build_sentence(number), kind="people")
    quote = {"text": f"{text.text}, as I heard today", "start": 0, "end": len(text.text) + 18}
    fact = Fact(owner=person, state=FactState.ACCEPTED, body={**text.to_json(), "quote": quote})
    set_indexes(fact, text)
    return fact


def _open_keyring(person: Person) -> Keyring:
    request = key_slots.DerivationRequest(name=person.name, address=person.name)
    return key_slots.open_slot(
        person=person, kind=SlotKind.PASSWORD, secret=PASSWORD, request=request
    ).keyring


def measure(name: str) -> None:
    """Print the figures of exports and of changes of a person's facts."""
    person = Person.objects.get(name=name)
    keyring = _open_keyring(person)
    create_session(person=person, keyring=keyring, is_persistent=False, device="")
    with in_force(keyring):
        _measure_exports(keyring)
        _measure_changes(person)


def _print(
    name: str, values: list[float], *, ratio: float | None = None, baseline: str = "", unit: str = "ms"
) -> None:
    """Print the median and, of many values, the 95th percentile."""
    figure = {"name": name, "value": median(values), "unit": unit, "ratio": ratio, "baseline": baseline}
    print(json.dumps(figure), flush=True)
    if len(values) >= _EXPORTS:
        print(json.dumps({"name": f"{name}, p95", "value": p95(values), "unit": unit}), flush=True)


# --- Exports -----------------------------------------------------------------------------------------------


def _measure_exports(keyring: Keyring) -> None:
    content = _export(keyring, TextFormat.JSON)
    rows = json.loads(content)["memories"]
    plain = median(measure_milliseconds(_build_plain_export(rows), _EXPORTS))
    rounds = _EXPORTS if len(rows) <= 20_000 else 3
    for state in ("not opened before", "opened after the unlock"):
        if state == "not opened before":
            listed_facts_cache.forget(keyring.owner)
        else:
            get_listed_facts(keyring.owner)
        for text_format in TextFormat:
            taken = measure_milliseconds(lambda each=text_format: _export(keyring, each), rounds)  # type: ignore[misc]
            name = f"export as {text_format.value}, {state}"
            _print(name, taken, ratio=median(taken) / plain, baseline="plain SQLite and json")


def _export(keyring: Keyring, text_format: TextFormat) -> bytes:
    file, report = io.BytesIO(), FactExportReport()
    write_facts(file, keyring=keyring, text_format=text_format, wanted=FactSelection(), report=report)
    if report.damaged:
        raise RuntimeError("A fact of the export was damaged.")
    return file.getvalue()


def _build_plain_export(rows: list[dict[str, Any]]) -> Callable[[], bytes]:
    """Return a function that writes the same JSON from a table in a plain database."""
    database = sqlite3.connect(":memory:")
    columns = ", ".join(f'"{name}"' for name in COLUMNS)
    database.execute(f"CREATE TABLE facts ({columns})")
    marks = ", ".join("?" * len(COLUMNS))
    values = (
        [json.dumps(value) if isinstance(value, dict) else value for value in row.values()] for row in rows
    )
    database.executemany(f"INSERT INTO facts VALUES ({marks})", values)  # noqa: S608 - our own names

    def export() -> bytes:
        found = database.execute("SELECT * FROM facts ORDER BY created_at, id")
        lines = (json.dumps(dict(zip(COLUMNS, row, strict=True))) for row in found)
        return ",\n".join(lines).encode()

    return export


# --- Changes -----------------------------------------------------------------------------------------------


class _OtherWriter(threading.Thread):
    """Thread that acquires the write lock again and again, and records how long it waits, in ms."""

    def __init__(self) -> None:
        super().__init__(name="another writer", daemon=True)
        self.waits: list[float] = []
        self.is_done = threading.Event()

    def run(self) -> None:
        # Once at least.
        self.waits += measure_milliseconds(_write_nothing, 1)
        while not self.is_done.wait(_POLL_SECONDS):
            self.waits += measure_milliseconds(_write_nothing, 1)
        connection.close()


def _write_nothing() -> None:
    with write_transaction():
        pass


@contextmanager
def _another_writing() -> Iterator[list[float]]:
    """Let another thread ask for the write lock during the `with` block; yield its waits in ms."""
    writer = _OtherWriter()
    writer.start()
    try:
        yield writer.waits
    finally:
        writer.is_done.set()
        writer.join()


def _measure_changes(person: Person) -> None:
    number = Fact.objects.for_owner(person.id).count()
    _measure_change("write nothing", lambda _: _write_nothing())

    def save_entry(_: int) -> None:
        with write_transaction():
            Entry.objects.create(owner=person, day=date(2026, 1, 1), text="An ordinary entry.")

    plain = _measure_change("save an entry", save_entry)
    sentences = [build_sentence(number + each) for each in range(_IMPORTED)]
    memories = [{"content": sentence, "category": "people"} for sentence in sentences]
    content = json.dumps({"memories": memories}).encode()
    _measure_change(
        f"import {_IMPORTED:,} proposals",
        lambda _: import_harmonia(person.id, content),
        plain=plain,
        rounds=1,
    )
    ids = list(Fact.objects.only_proposed(person.id).values_list("id", flat=True))
    for name, change in _list_changes(person.id, ids).items():
        _measure_change(name, change, plain=plain)
    with _another_writing() as waits:
        compact_database()
    _print(f"compact the database after forgetting, {_WAIT}", [max(waits)])


def _list_changes(owner_id: UUID, ids: list[UUID]) -> dict[str, Callable[[int], object]]:
    """Return the changes to measure, each of the numbered proposal, in an order in which all succeed."""
    merged = ids[2 * _ROUNDS :]

    def merge(number: int) -> object:
        text = FactText.create(f"{build_sentence(-number - 1)} and more")
        return services.resolve_conflict(
            owner_id=owner_id,
            fact_id=merged[number],
            earlier_id=ids[number],
            strategy=Strategy.MERGE,
            text=text,
        )

    def correct(number: int) -> object:
        text = FactText.create(f"{build_sentence(-number - 1)} now")
        return services.correct_fact(owner_id=owner_id, fact_id=ids[number], text=text)

    return {
        "accept a fact": lambda number: services.accept_fact(owner_id=owner_id, fact_id=ids[number]),
        "correct a fact": correct,
        "undo a change": lambda number: services.undo_change(owner_id=owner_id, fact_id=ids[number]),
        "merge two facts": merge,
        "forget a fact": lambda number: services.forget_fact(owner_id=owner_id, fact_id=ids[number]),
    }


def _measure_change(
    name: str, change: Callable[[int], object], *, plain: float = 0.0, rounds: int = 0
) -> float:
    """Print the durations of a change, and the longest wait of another writer; return the median."""
    taken: list[float] = []
    with _another_writing() as waits:
        for number in range(rounds or _ROUNDS):
            taken += measure_milliseconds(lambda each=number: change(each), 1)  # type: ignore[misc]
    wait_for_compaction(_COMPACTION_SECONDS)
    ratio = median(taken) / plain if plain else None
    _print(name, taken, ratio=ratio, baseline="an entry" if plain else "")
    _print(f"{name}, {_WAIT}", [max(waits)])
    return median(taken)


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(sys.argv[2], int(sys.argv[3]))
    else:
        measure(sys.argv[2])
