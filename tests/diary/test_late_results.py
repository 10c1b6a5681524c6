"""Tests that the result of a job is discarded if its entry or opening has changed meanwhile."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from diary.entries.services import delete_entry, destroy_entry, edit_entry, move_entry
from diary.generation.prompt_entries import build_prompt_entries
from diary.generation.prompt_record import PromptRecord
from diary.models import Entry, Opening, Recap
from diary.openings import services as openings_services
from diary.openings.tasks import OpeningTask
from diary.recaps.tasks import RecapTask
from llamora.database import write_transaction
from llamora.fields import new_id
from llamora.inference.job import JobOutcome, JobState
from tests.people import Resident

DAY = date(2024, 3, 1)
DONE = JobOutcome(text="You meant to mend the boat.", state=JobState.DONE)


def delete(owner: Resident, entry: Entry) -> None:
    delete_entry(owner_id=owner.id, entry_id=entry.id)


def destroy(owner: Resident, entry: Entry) -> None:
    delete(owner, entry)
    destroy_entry(owner_id=owner.id, entry_id=entry.id)


def move(owner: Resident, entry: Entry) -> None:
    move_entry(owner_id=owner.id, entry_id=entry.id, day=DAY + timedelta(days=9))


def edit(owner: Resident, entry: Entry) -> None:
    edit_entry(owner_id=owner.id, entry_id=entry.id, text="The oars", revision=entry.revision)


def dismiss(owner: Resident, _: Entry) -> None:
    openings_services.dismiss(owner.id, DAY + timedelta(days=1))


def do_nothing(_: Resident, __: Entry) -> None:
    """Change nothing meanwhile."""


Meanwhile = Callable[[Resident, Entry], None]


@pytest.mark.parametrize(
    ("meanwhile", "kept"), [(do_nothing, 1), (delete, 0), (destroy, 0), (move, 0), (edit, 0)]
)
def test_a_recap_is_kept_while_its_day_says_the_same(
    owner: Resident, meanwhile: Meanwhile, kept: int
) -> None:
    entry = owner.write("The boat", day=DAY)
    with owner.unlocked():
        pieces = build_prompt_entries([entry], zone="Europe/Berlin")
        errand = RecapTask(id=new_id(), owner_id=owner.id, day=DAY, entries=pieces, digest="")
        meanwhile(owner, entry)

        with write_transaction():
            errand.save(DONE)

    assert Recap.objects.count() == kept


@pytest.mark.parametrize(
    ("meanwhile", "kept"), [(do_nothing, 1), (delete, 1), (move, 1), (destroy, 0), (dismiss, 0)]
)
@pytest.mark.parametrize("by_recap", [False, True])
def test_an_opening_is_kept_while_it_is_wanted_and_its_entries_are_there(
    owner: Resident, meanwhile: Meanwhile, kept: int, *, by_recap: bool
) -> None:
    entry = owner.write("The boat", day=DAY)
    reading = PromptRecord(recapped=[entry.id]) if by_recap else PromptRecord(entries=[(entry.id, DAY)])
    errand = OpeningTask(
        id=new_id(), owner_id=owner.id, day=DAY + timedelta(days=1), sources=(), record=reading
    )
    with owner.unlocked():
        meanwhile(owner, entry)

        with write_transaction():
            errand.save(DONE)

    assert Opening.objects.filter(is_dismissed=False).count() == kept


def test_another_is_kept_where_an_earlier_one_was_dismissed(owner: Resident) -> None:
    with owner.unlocked():
        openings_services.dismiss(owner.id, DAY)
        errand = OpeningTask(id=new_id(), owner_id=owner.id, day=DAY, sources=())

        with write_transaction():
            errand.save(DONE)

        assert Opening.objects.get().text == DONE.text
