"""Tests of many saves at the same moment: each is saved once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import connection

from diary.drafts.services import SubmittedDraft, save_draft
from diary.entries.services import edit_entry, save_entry
from diary.errors import EditConflict
from diary.models import Entry
from llamora.crypto import in_force
from tests.people import Resident, new_resident

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 8


def run_in_parallel(owner: Resident, act: Callable[[int], object]) -> list[object]:
    """Call a function in several threads, each with its own connection; return results and errors."""

    def one(number: int) -> object:
        try:
            with in_force(owner.keyring):
                return act(number)
        except EditConflict as conflict:
            return conflict.code
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, range(AT_ONCE)))


def test_one_save_sent_many_times_at_once_is_one_entry() -> None:
    owner, key = new_resident("Olive"), uuid4()

    kept = run_in_parallel(
        owner,
        lambda _: (
            save_entry(owner_id=owner.id, day=owner.today, text="Once", key=key, draft_revision=0).entry.id
        ),
    )

    assert set(kept) == {Entry.objects.get().id}


def test_many_saves_at_once_are_all_kept() -> None:
    owner = new_resident("Olive")

    run_in_parallel(
        owner,
        lambda n: save_entry(owner_id=owner.id, day=owner.today, text=f"{n}", key=uuid4(), draft_revision=0),
    )

    assert sorted(owner.list_texts()) == [str(number) for number in range(AT_ONCE)]


def test_of_many_edits_at_once_one_is_made_and_the_others_are_told() -> None:
    owner = new_resident("Olive")
    entry = owner.write("Before")

    answers = run_in_parallel(
        owner, lambda n: edit_entry(owner_id=owner.id, entry_id=entry.id, text=f"{n}", revision=1).revision
    )

    assert sorted(answers, key=str) == [2] + ["conflict"] * (AT_ONCE - 1)


def test_of_many_drafts_at_once_one_stands_and_the_others_are_told() -> None:
    owner = new_resident("Olive")

    answers = run_in_parallel(
        owner,
        lambda n: (
            save_draft(SubmittedDraft(owner_id=owner.id, day=owner.today, text=f"{n}", revision=0)).revision
        ),
    )

    assert answers.count("conflict") == AT_ONCE - 1
