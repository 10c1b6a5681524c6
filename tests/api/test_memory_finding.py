"""Tests of facts that a model finds in a message of a program."""

import pytest

from diary.models import Entry
from tests.api.program import Program
from tests.diary.tabs import ServingLoop
from tests.fakes.model_server import FakeModelServer
from tests.people import register_resident
from tests.traces.facts.finding import build_answer, build_claim, list_proposed, wait_for_search

MESSAGE = "In the morning I took my dog Biggie to the weir."


@pytest.mark.parametrize(
    ("scopes", "found"),
    [(("diary:write", "facts:propose"), ["You have a dog called Biggie"]), (("diary:write",), [])],
    ids=["may propose", "may not"],
)
def test_facts_are_proposed_from_what_its_owner_types(
    live: ServingLoop, db: None, model: FakeModelServer, scopes: tuple[str, ...], found: list[str]
) -> None:
    owner = register_resident("Olive", signed_in=True)
    model.add_json_scripts(build_answer(build_claim("You have a dog called Biggie", "my dog Biggie")))
    program = Program.create(owner, *scopes, writes_own_text=True)

    program.post("/api/v1/memory/store", {"message": MESSAGE}, **{"Idempotency-Key": "a"})
    wait_for_search(owner, Entry.objects.get())

    assert list_proposed(owner) == found
    program.post("/api/v1/memory/store", {"message": MESSAGE}, **{"Idempotency-Key": "a"})
    wait_for_search(owner, Entry.objects.get())
    assert len(model.asked_for_json) == len(found)
