"""Tests of the sources of a reply or an opening: exactly the entries in its prompt."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from diary.generation.prompt_context import PromptContext, PromptEntry
from diary.generation.prompt_record import BESIDE_ENTRIES, PromptRecord, find_read_realms, withdraw_clean
from diary.models import Reply
from diary.openings.tasks import OpeningSource, OpeningTask
from diary.replies.tasks import ReplyTask
from llamora.crypto import Realm
from llamora.llm.deltas import ChatMessages
from llamora.llm.tokens import estimate_tokens
from tests.diary.tabs import run_serving_loop, start_reply, wait_for_reply_row
from tests.fakes.model_server import FakeModelServer
from tests.people import Resident

pytestmark = pytest.mark.django_db(transaction=True)

DAY = date(2024, 5, 1)


class NarrowModel:
    """A model with a very small context window."""

    thinking_tokens = 0

    class offer:  # noqa: N801 - named as what it stands for
        context_window = 1200

    async def count_message_tokens(self, turns: ChatMessages) -> int:
        return sum(estimate_tokens(turn["content"]) for turn in turns)


def load_record_page(owner: Resident, path: str) -> str:
    return " ".join(owner.get(path, script=True).content.decode().split())


def get_record_labels(owner: Resident, reading: Any) -> str:
    entry = owner.write("Tea.")
    with owner.unlocked():
        reply = Reply(owner_id=owner.id, entry_id=entry.id, text="A walk.")
        reply.read = reading
        reply.save(force_insert=True)
    return load_record_page(owner, f"/replies/{reply.id}/read/")


def test_a_reply_that_failed_before_anything_was_sent_has_read_nothing(owner: Resident) -> None:
    # A window into which no prompt fits.
    with FakeModelServer(context=64) as model, run_serving_loop(model.url):
        reply = start_reply(owner, owner.write("Tea.").id)
        assert wait_for_reply_row(owner, reply)[1] == "failed"

        said = load_record_page(owner, f"/replies/{reply}/read/")

    assert "No sources were used." in said
    assert "any more" not in said


def test_what_is_gone_and_what_cannot_be_told_are_said_as_such(owner: Resident) -> None:
    gone = PromptRecord(entries=[(uuid4(), DAY)]).to_json()

    assert "All sources have since been deleted" in get_record_labels(owner, gone)
    assert "There is no record of the sources" in get_record_labels(owner, None)


def test_earlier_replies_and_recaps_that_were_left_out_are_named(owner: Resident) -> None:
    entry = owner.write("Fog.", day=DAY)
    reading = PromptRecord(entries=[(entry.id, DAY)], recaps_left_out=[DAY], replies_left_out=2)

    said = get_record_labels(owner, reading.to_json())

    assert "Not read, because it was too much for the model:" in said
    assert ">the recap of" in said.split("Not read")[1]
    assert ", 2 earlier replies to the same entry." in said


def test_what_was_kept_before_these_were_noted_is_read_as_it_was() -> None:
    old = PromptRecord(replies=1).to_json()
    del old["recaps_left_out"], old["replies_left_out"]

    assert PromptRecord.from_json(old) == PromptRecord(replies=1)


FACTS, NOTES = frozenset({Realm.FACTS}), frozenset({Realm.NOTES})


@pytest.mark.parametrize(
    ("columns", "realms"),
    [
        ({}, frozenset()),
        ({"facts": [uuid4()]}, FACTS),
        ({"notes": [uuid4()]}, NOTES),
        ({"has_persona": True}, NOTES),
        ({"realms": FACTS, "notes": [uuid4()]}, BESIDE_ENTRIES),
    ],
)
def test_a_text_has_read_what_its_record_says(columns: dict[str, Any], realms: frozenset[Realm]) -> None:
    record = PromptRecord(**columns)
    record.bind_to_text("Tea.")

    assert find_read_realms(record.to_json(), "Tea.") == realms
    assert PromptRecord.from_json(record.to_json()) == record


def make_record(**changes: Any) -> dict[str, Any]:
    """Return the record of "Tea.", for which no facts and no notes were read."""
    record = PromptRecord()
    record.bind_to_text("Tea.")
    return {**record.to_json(), **changes}


@pytest.mark.parametrize(
    "read",
    [
        None,
        "damaged",
        PromptRecord().to_json(),
        make_record(realms=["diary"]),
        # One of before that does not vouch for its text, and so does not name it.
        make_record(of="", clean=""),
    ],
)
def test_without_its_own_record_a_text_has_read_everything(read: Any) -> None:
    assert find_read_realms(read, "Tea.") == BESIDE_ENTRIES


def test_a_record_is_that_of_one_text_and_a_text_that_is_empty_has_read_nothing() -> None:
    before = make_record(skill_revision=3)
    del before["of"], before["realms"]

    assert find_read_realms(make_record(), "Coffee.") == find_read_realms(make_record(), None)
    assert find_read_realms(make_record(), None) == BESIDE_ENTRIES
    assert find_read_realms(withdraw_clean(make_record()), "Tea.") == frozenset()
    assert find_read_realms(before, "Tea.") == NOTES
    assert find_read_realms(None, " ") == frozenset()


async def test_a_reply_notes_the_earlier_replies_that_did_not_fit() -> None:
    replies = ("One. " * 300, "Two. " * 300)
    material = PromptContext(
        day=DAY, entry=PromptEntry(time="12:00", text="Tea.", id=uuid4()), replies=replies
    )
    errand = ReplyTask(id=uuid4(), owner_id=uuid4(), entry_id=uuid4(), context=material)

    await errand.build_prompt(NarrowModel(), share=1.0)

    assert (errand.record.replies, errand.record.replies_left_out) == (0, 2)


async def test_an_opening_notes_the_recaps_that_did_not_fit() -> None:
    days = [DAY - timedelta(days=ago) for ago in (3, 2, 1)]
    told = (
        OpeningSource(day=days[0], ago=3, text="A recap. " * 200),
        OpeningSource(day=days[1], ago=2, text="Another."),
        OpeningSource(day=days[2], ago=1, text="Fog.", id=uuid4()),
    )
    errand = OpeningTask(id=uuid4(), owner_id=uuid4(), day=DAY, sources=told)

    await errand.build_prompt(NarrowModel(), share=1.0)

    assert errand.record.recaps == [days[1]]
    assert errand.record.recaps_left_out == [days[0]]
