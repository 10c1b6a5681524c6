"""What was read for a reply or an opening is told as it was: all of it, and nothing that was not."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from diary.models import Reply
from diary.openings.errand import OpeningErrand, Told
from diary.reading import Reading
from diary.replies.context import Material, Piece
from diary.replies.errand import ReplyErrand
from llamora.llm.deltas import Turns
from llamora.llm.tokens import estimate
from tests.diary.cast import Member
from tests.diary.tabs import ask, serving, wait_until_kept

pytestmark = pytest.mark.django_db(transaction=True)

DAY = date(2024, 5, 1)


class Narrow:
    """A model with hardly any room."""

    class offer:  # noqa: N801 - named as what it stands for
        context_window = 1200

    async def count_turns(self, turns: Turns) -> int:
        return sum(estimate(turn["content"]) for turn in turns)


def read(owner: Member, path: str) -> str:
    return " ".join(owner.get(path, script=True).content.decode().split())


def read_for(owner: Member, reading: Any) -> str:
    entry = owner.wrote("Tea.")
    with owner.unlocked():
        reply = Reply(owner_id=owner.id, entry_id=entry.id, text="A walk.")
        reply.read = reading
        reply.save(force_insert=True)
    return read(owner, f"/replies/{reply.id}/read/")


def test_a_reply_that_failed_before_anything_was_sent_has_read_nothing(owner: Member) -> None:
    with serving("http://127.0.0.1:9"):
        reply = ask(owner, owner.wrote("Tea.").id)
        assert wait_until_kept(owner, reply)[1] == "failed"

        said = read(owner, f"/replies/{reply}/read/")

    assert "Nothing was read for this." in said
    assert "any more" not in said


def test_what_is_gone_and_what_cannot_be_told_are_said_as_such(owner: Member) -> None:
    gone = Reading(entries=[(uuid4(), DAY)]).as_json()

    assert "nothing is there any more" in read_for(owner, gone)
    assert "cannot be told any more" in read_for(owner, None)


def test_earlier_replies_and_recaps_that_were_left_out_are_named(owner: Member) -> None:
    entry = owner.wrote("Fog.", day=DAY)
    reading = Reading(entries=[(entry.id, DAY)], recaps_left_out=[DAY], replies_left_out=2)

    said = read_for(owner, reading.as_json())

    assert "Left out, since it was too long:" in said
    assert ">the recap of" in said.split("Left out")[1]
    assert ", 2 earlier replies to the same entry." in said


def test_what_was_kept_before_these_were_noted_is_read_as_it_was() -> None:
    old = Reading(replies=1).as_json()
    del old["recaps_left_out"], old["replies_left_out"]

    assert Reading.from_json(old) == Reading(replies=1)


async def test_a_reply_notes_the_earlier_replies_that_did_not_fit() -> None:
    replies = ("One. " * 300, "Two. " * 300)
    material = Material(day=DAY, entry=Piece(time="12:00", text="Tea.", id=uuid4()), replies=replies)
    errand = ReplyErrand(id=uuid4(), owner_id=uuid4(), entry_id=uuid4(), material=material)

    await errand.compose(Narrow(), share=1.0)

    assert (errand.reading.replies, errand.reading.replies_left_out) == (0, 2)


async def test_an_opening_notes_the_recaps_that_did_not_fit() -> None:
    days = [DAY - timedelta(days=ago) for ago in (3, 2, 1)]
    told = (
        Told(day=days[0], ago=3, text="A recap. " * 200),
        Told(day=days[1], ago=2, text="Another."),
        Told(day=days[2], ago=1, text="Fog.", id=uuid4()),
    )
    errand = OpeningErrand(id=uuid4(), owner_id=uuid4(), day=DAY, told=told)

    await errand.compose(Narrow(), share=1.0)

    assert errand.reading.recaps == [days[1]]
    assert errand.reading.recaps_left_out == [days[0]]
