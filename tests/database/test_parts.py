"""Tests of writes of many rows in batches, between which other people can save."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from diary.entries.services import delete_entry, empty_bin
from diary.inbox.inbox_text import InboxText
from diary.inbox.services import accept_items, add_item, compute_review
from diary.models import Entry, Origin
from diary.notes.workspace.files import WorkspaceFile
from diary.notes.workspace.imports import import_workspace
from diary.origins import services as origins
from diary.origins.imports import list_imports
from llamora.database import split_into_parts, transactions
from tests.api.program import Program
from tests.diary.transfers import export_to_folder, import_file
from tests.people import Resident, register_resident
from tests.tokens import forgotten_afterwards
from tests.traces.facts.fact_steps import accept_new, add_fact
from traces.facts.services import claim_facts
from traces.facts.transfer.imports import import_harmonia

pytestmark = pytest.mark.django_db(transaction=True)

DAY = date(2026, 3, 5)


class LongestTransaction:
    """The number of statements in the longest transaction of a block."""

    def __init__(self) -> None:
        self.most, self._now = 0, 0

    @contextmanager
    def watch(self) -> Iterator[None]:
        with connection.execute_wrapper(self._count):
            yield

    def _count(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not connection.in_atomic_block:
            self._now = 0
        elif sql.startswith(("INSERT", "UPDATE", "DELETE", "REPLACE")):
            self._now += 1
        self.most = max(self.most, self._now)
        return execute(sql, params, many, context)


@contextmanager
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """End each part after its first item, as if that had taken long."""
    with monkeypatch.context() as patched:
        patched.setattr(transactions, "PART_SECONDS", 0)
        yield


def store_facts(who: Resident, count: int, folder: Path) -> Callable[[], object]:
    program = Program.create(who, "facts:propose", "facts:read", "diary:write", writes_own_text=True)
    facts = [{"content": f"You own {count} boats named {number}"} for number in range(count)]
    return lambda: program.post("/api/v1/memory/store", {"message": "Boats", "facts": facts})


def import_memories(who: Resident, count: int, folder: Path) -> Callable[[], object]:
    memories = [{"id": n, "content": f"The user has {count} cats named {n}"} for n in range(count)]
    return lambda: import_harmonia(who.id, json.dumps(memories).encode())


def claim_many_facts(who: Resident, count: int, folder: Path) -> Callable[[], object]:
    texts = (f"You have {count} dogs named {number}" for number in range(count))
    ids = [accept_new(who, text, origin=Origin.IMPORTED).id for text in texts]
    return lambda: claim_facts(owner_id=who.id, fact_ids=ids)


def import_notes(who: Resident, count: int, folder: Path) -> Callable[[], object]:
    files = [WorkspaceFile(path=f"knowledge/{count}/{number}.md", content="Words") for number in range(count)]
    return lambda: import_workspace(who.open_keyring(), files, source="Notes")


def accept_many(who: Resident, count: int, folder: Path) -> Callable[[], object]:
    with who.unlocked():
        texts = (InboxText.create(f"Text {number}", source="Tablet") for number in range(count))
        items = [add_item(owner_id=who.id, day=DAY, origin=Origin.PROGRAM, text=text) for text in texts]
        ids, review = [item.id for item in items], compute_review(who.id, items)
    return lambda: accept_items(owner_id=who.id, item_ids=ids, review=review, zone="UTC")


def empty_full_bin(who: Resident, count: int, folder: Path) -> Callable[[], object]:
    for number in range(5 * count):
        entry = who.write(f"Entry {number}", day=DAY + timedelta(days=number))
        with who.unlocked():
            delete_entry(owner_id=who.id, entry_id=entry.id)
    return lambda: empty_bin(owner_id=who.id)


WRITERS = (store_facts, import_memories, claim_many_facts, import_notes, accept_many, empty_full_bin)


@pytest.mark.parametrize("make_writer", WRITERS, ids=lambda make: make.__name__)
def test_a_transaction_is_no_longer_for_more_rows(
    transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_writer: Callable[..., Any]
) -> None:
    owner, found = register_resident("Olive", signed_in=True), []
    with forgotten_afterwards(), one_at_a_time(monkeypatch):
        # The first rows of all bring others along.
        for count in (7, 6, 12):
            write, longest = make_writer(owner, count, tmp_path), LongestTransaction()
            with owner.unlocked(), longest.watch():
                write()
            found.append(longest.most)

    assert found[1] == found[2] > 0


def test_an_imported_diary_is_written_and_claimed_in_parts(
    owner: Resident, housemate: Resident, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(24):
        owner.write(f"Entry {number}", day=DAY + timedelta(days=number))
        add_fact(owner, f"You own {number} boats")
    export_to_folder(owner, tmp_path / "out")
    written, claimed = LongestTransaction(), LongestTransaction()

    with one_at_a_time(monkeypatch), written.watch():
        import_file(housemate, tmp_path / "out")
    with housemate.unlocked(), claimed.watch():
        (run,) = list_imports(housemate.id)
        review = origins.compute_review(housemate.id, run)
        assert origins.claim_import(owner_id=housemate.id, import_id=run.id, review=review) == 24

    assert Entry.objects.filter(owner_id=housemate.id, origin=Origin.OWN).count() == 24
    # A fact takes a handful of statements, and so does each of the ten entries of a batch.
    assert written.most < 24
    assert claimed.most < 24


def test_parts_have_each_item_once_and_end_when_their_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [list(part) for part in split_into_parts([])] == []
    assert [list(part) for part in split_into_parts(range(3))] == [[0, 1, 2]]
    with one_at_a_time(monkeypatch):
        assert [list(part) for part in split_into_parts(iter("abc"))] == [["a"], ["b"], ["c"]]
