"""Tests of traces proposed by the model: requested, validated, in the background."""

import json
import time
from typing import Any

import pytest

from diary.models import Entry, Origin
from llamora.inference.registry import registry
from tests.diary.tabs import ServingLoop, run_serving_loop, start_reply, wait_for_reply_row
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script
from tests.fakes.waiting import PATIENCE
from tests.page import read
from tests.people import Resident, new_resident
from tests.traces.tagging import add_traces, list_names
from traces.models import TraceProposal
from traces.proposals.services import get_proposal_job

WALK = "In the rain with Aunt Iris past the weir and down to the water."


@pytest.fixture
def owner(live: ServingLoop, owner: Resident) -> Resident:
    """The person whose diary a test is about, with a serving loop."""
    return owner


def build_answer(*, emoji: str = "☕", traces: object = ("the weir", "Aunt Iris")) -> Script:
    return Script(tokens=[json.dumps({"emoji": emoji, "traces": traces}, ensure_ascii=False)])


def request_proposals(who: Resident, entry: Entry, **fields: str) -> str:
    """Request proposals and wait until the job has ended."""
    path = f"/entries/{entry.id}/traces/propose/"
    page = who.post(path, script=True, **fields).content.decode()
    until = time.monotonic() + PATIENCE
    while "Looking for traces" in page:
        assert time.monotonic() < until, "still looking"
        time.sleep(0.02)
        page = who.get(path, script=True).content.decode()
    return str(page)


def list_proposed(page: str) -> list[str]:
    return read(page).texts("[data-proposal] bdi")


def test_the_model_proposes_an_emoji_and_traces(owner: Resident, model: FakeModelServer) -> None:
    entry = owner.write(WALK)
    model.add_json_scripts(build_answer())

    page = request_proposals(owner, entry)

    assert list_proposed(page) == ["☕", "the weir", "Aunt Iris"]
    assert list_names(owner, entry) == []
    form = model.asked_for_json[0]["response_format"]
    assert form["type"] == "json_schema"
    assert form["json_schema"]["schema"]["required"] == ["emoji", "traces"]


def test_traces_that_are_kept_already_are_told_to_the_model(owner: Resident, model: FakeModelServer) -> None:
    add_traces(owner, owner.write("a"), "The Weir")
    entry = owner.write(WALK)
    model.add_json_scripts(build_answer(traces=["the weir", "water"]))

    page = request_proposals(owner, entry)

    assert "The Weir" in model.asked_for_json[0]["messages"][1]["content"]
    assert list_proposed(page) == ["☕", "The Weir", "water"]


@pytest.mark.parametrize("origin", [Origin.IMPORTED, Origin.PROGRAM, Origin.MODEL])
def test_from_what_its_owner_did_not_write_none_are_made(
    owner: Resident, model: FakeModelServer, origin: Origin
) -> None:
    entry = owner.write(WALK, origin=origin)

    page = request_proposals(owner, entry)

    assert list_proposed(page) == []
    assert "Suggest" not in page
    assert model.asked_for_json == []


def test_a_name_that_came_with_an_import_is_not_told_to_the_model(
    owner: Resident, model: FakeModelServer
) -> None:
    add_traces(owner, owner.write("Elsewhere.", origin=Origin.IMPORTED), "FOREIGN NAME")
    add_traces(owner, owner.write("At home."), "own name")
    model.add_json_scripts(build_answer())

    request_proposals(owner, owner.write(WALK))

    said = str(model.asked_for_json[0]["messages"])
    assert "own name" in said
    assert "FOREIGN NAME" not in said


def test_an_answer_out_of_form_is_asked_for_once_more(owner: Resident, model: FakeModelServer) -> None:
    model.add_json_scripts(Script(tokens=["Certainly! ", "Here you are."]))
    model.add_scripts(Script(tokens=["```json\n", '{"emoji": "🌊", "traces": ["weir"]}', "\n```"]))

    page = request_proposals(owner, owner.write(WALK))

    assert list_proposed(page) == ["🌊", "weir"]
    assert (len(model.asked_for_json), len(model.calls)) == (1, 1)


def test_a_server_that_cannot_keep_to_a_schema_is_asked_without_one(
    owner: Resident, model: FakeModelServer
) -> None:
    model.add_json_scripts(Script(status=500))
    model.add_scripts(build_answer())

    assert list_proposed(request_proposals(owner, owner.write(WALK))) == [
        "☕",
        "the weir",
        "Aunt Iris",
    ]


def test_where_some_are_shown_more_can_be_asked_for(owner: Resident, model: FakeModelServer) -> None:
    model.add_json_scripts(build_answer())

    page = request_proposals(owner, owner.write(WALK))

    assert "Suggest more" in page
    assert "Suggest traces" not in page


def test_after_a_second_useless_answer_nothing_is_said(owner: Resident, model: FakeModelServer) -> None:
    model.add_json_scripts(Script(tokens=["I would rather not."]))
    model.add_scripts(Script(tokens=["Really, I would rather not."]))

    page = request_proposals(owner, owner.write(WALK))

    assert list_proposed(page) == []
    assert "Suggest traces" in page
    assert not TraceProposal.objects.exists()
    assert (len(model.asked_for_json), len(model.calls)) == (1, 1)


def test_what_was_dismissed_is_not_proposed_again_to_the_same_entry(
    owner: Resident, model: FakeModelServer
) -> None:
    entry = owner.write(WALK)
    model.add_json_scripts(build_answer(), build_answer(traces=["THE WEIR", "rain"]))
    request_proposals(owner, entry)

    owner.post(f"/entries/{entry.id}/traces/dismiss/", script=True, pick="the weir")

    assert list_proposed(request_proposals(owner, entry)) == ["☕", "rain"]


def test_names_that_neither_the_entry_nor_the_diary_has_are_not_proposed(
    owner: Resident, model: FakeModelServer
) -> None:
    add_traces(owner, owner.write("a"), "Boat")
    invented = ["boat", "the plague", "weir"]
    model.add_json_scripts(build_answer(traces=invented))

    page = request_proposals(owner, owner.write(WALK))

    assert list_proposed(page) == ["☕", "Boat", "weir"]


def test_sending_again_stops_what_is_being_proposed(owner: Resident, model: FakeModelServer) -> None:
    entry = owner.write(WALK)
    model.add_json_scripts(Script(endless=True, rate=20))
    owner.post(f"/entries/{entry.id}/traces/propose/", script=True)

    reply = start_reply(owner, entry.id)
    text, state, _ = wait_for_reply_row(owner, reply)
    with owner.unlocked():
        stopped = get_proposal_job(entry.id)

    assert (state, bool(text)) == ("done", True)
    assert stopped is not None
    assert model.wait_for_hang_up()
    until = time.monotonic() + PATIENCE
    while not stopped.is_over and time.monotonic() < until:
        time.sleep(0.02)
    assert stopped.is_over
    assert not TraceProposal.objects.exists()


def test_unasked_nothing_goes_to_a_model_elsewhere(
    transactional_db: None, model: FakeModelServer, settings: Any
) -> None:
    settings.MODEL_ALLOW_REMOTE = True
    # Every address of this machine, and so none that is its own alone.
    with run_serving_loop(model.url.replace("127.0.0.1", "0.0.0.0")):
        owner = new_resident("Olive")
        owner.agree_to("0.0.0.0")
        entry = owner.write(WALK)

        request_proposals(owner, entry, unasked="1")
        unasked = len(model.asked_for_json)
        request_proposals(owner, entry)

    assert (unasked, len(model.asked_for_json)) == (0, 1)


def test_who_wants_none_unasked_gets_them_only_when_asked(owner: Resident, model: FakeModelServer) -> None:
    entry = owner.write(WALK)
    owner.choose(proposes_traces=False)

    request_proposals(owner, entry, unasked="1")
    unasked = len(model.asked_for_json)
    request_proposals(owner, entry)
    owner.choose(proposes_traces=True)
    request_proposals(owner, entry, unasked="1")

    assert (unasked, len(model.asked_for_json)) == (0, 2)


def test_a_lock_ends_it_and_nothing_is_kept(owner: Resident, model: FakeModelServer) -> None:
    entry = owner.write(WALK)
    model.add_json_scripts(Script(endless=True, rate=20))
    owner.post(f"/entries/{entry.id}/traces/propose/", script=True)

    owner.lock()

    until = time.monotonic() + PATIENCE
    while registry.list_jobs(owner.keyring.key_id) and not all(
        job.is_over for job in registry.list_jobs(owner.keyring.key_id)
    ):
        assert time.monotonic() < until
        time.sleep(0.02)
    assert not TraceProposal.objects.exists()
