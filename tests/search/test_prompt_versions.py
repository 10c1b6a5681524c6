"""Tests that each generated text is stored with the name and the version of its prompt."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from diary.generation.prompt_record import load_author
from diary.models import Opening, Recap, Reply
from search.models import CheckInProposal, Question
from tests.diary.openings import open_day, write_days_ago
from tests.diary.tabs import ServingLoop, start_reply, wait_for_reply_row
from tests.diary.test_authors import get_label
from tests.diary.test_recaps import wait_for_recap, write_past_day
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script
from tests.people import Resident
from tests.search.asking import get_answer
from tests.search.check_ins.checking_in import build_answer as build_check_in
from tests.search.check_ins.checking_in import build_proposal, check_in, get_record, write_requests
from tests.search.test_look_backs import WEEK, load_body, look_back
from tests.traces.facts.finding import build_answer, build_claim, request_facts
from tests.traces.tagging import add_traces
from tests.traces.test_proposals import WALK, request_proposals
from tests.traces.test_proposals import build_answer as build_traces
from tests.traces.test_summaries import request_summary
from traces.facts.models import Fact
from traces.models import Trace, TraceProposal

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("embedder", "live")]

TEXT = "Walked to the weir with my dog Biggie."
Make = Callable[[Resident, FakeModelServer], Any]


def make_reply(owner: Resident, model: FakeModelServer) -> Any:
    del model
    wait_for_reply_row(owner, start_reply(owner, owner.write(TEXT).id))
    with owner.unlocked():
        return Reply.objects.get().read["author"]


def make_opening(owner: Resident, model: FakeModelServer) -> Any:
    del model
    write_days_ago(owner, TEXT, ago=1)
    open_day(owner)
    with owner.unlocked():
        return Opening.objects.get().read["author"]


def make_recap(owner: Resident, model: FakeModelServer) -> Any:
    del model
    owner.write(TEXT, day=write_past_day(owner))
    wait_for_recap(owner)
    with owner.unlocked():
        return Recap.objects.get().body["author"]


def make_trace_summary(owner: Resident, model: FakeModelServer) -> Any:
    del model
    (trace,) = add_traces(owner, owner.write(TEXT), "Weir")
    request_summary(owner, trace.id)
    with owner.unlocked():
        return Trace.objects.get().summary["author"]


def make_trace_proposals(owner: Resident, model: FakeModelServer) -> Any:
    model.add_json_scripts(build_traces())
    request_proposals(owner, owner.write(WALK))
    with owner.unlocked():
        return TraceProposal.objects.get().body["author"]


def make_fact_proposals(owner: Resident, model: FakeModelServer) -> Any:
    model.add_json_scripts(build_answer(build_claim("You have a dog called Biggie", "my dog Biggie")))
    request_facts(owner, owner.write(TEXT))
    with owner.unlocked():
        return Fact.objects.get().body


def make_look_back(owner: Resident, model: FakeModelServer) -> Any:
    del model
    owner.write(TEXT, day=date(2026, 2, 2))
    owner.write(TEXT, day=date(2026, 2, 4))
    return load_body(owner, look_back(owner, WEEK))["read"]["author"]


def make_check_in(owner: Resident, model: FakeModelServer) -> Any:
    owner.write("The garden is full of tulips.", day=date(2026, 2, 27))
    write_requests(owner, "Ask me about the garden.")
    model.add_json_scripts(build_check_in(build_proposal("Are the tulips out?", "full of tulips")))
    check_in(owner)
    record = get_record(owner).body
    with owner.unlocked():
        assert CheckInProposal.objects.get().body["prompt"] == record["prompt"]
    return record


def make_answer(owner: Resident, model: FakeModelServer) -> Any:
    owner.write(TEXT, day=owner.today - timedelta(days=3))
    model.add_scripts(Script(tokens=["To the weir [1]."]))
    get_answer(owner, "Where did I walk with Biggie?")
    with owner.unlocked():
        return Question.objects.get().read["author"]


@pytest.mark.parametrize(
    ("prompt", "make"),
    [
        ("respond", make_reply),
        ("opening", make_opening),
        ("recap", make_recap),
        ("trace_summary", make_trace_summary),
        ("traces", make_trace_proposals),
        ("facts", make_fact_proposals),
        ("look_back", make_look_back),
        ("check_in", make_check_in),
        ("ask", make_answer),
    ],
)
def test_what_a_model_wrote_names_the_model_and_the_version_of_its_prompt(
    live: ServingLoop, model: FakeModelServer, owner: Resident, prompt: str, make: Make
) -> None:
    author = load_author({"host": "", **make(owner, model)})

    assert (author.model, author.host, author.prompt) == ("fake-model", "", get_label(prompt))
