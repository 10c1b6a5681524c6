"""Tests of a person's choice among the models of the household's server."""

from collections.abc import Iterator

import pytest

from tests.diary.tabs import ServingLoop, run_serving_loop, start_reply, wait_for_reply_row
from tests.fakes.model_server import FakeModelServer
from tests.people import Resident

pytestmark = pytest.mark.django_db(transaction=True)

CHOICES = {"shown_name": "", "time_zone": "UTC", "week_start": "0", "theme": "system"}


@pytest.fixture
def model() -> Iterator[FakeModelServer]:
    """An Ollama server with two chat models and an embedding model."""
    also = ("heron:7b", "nomic-embed-text")
    with FakeModelServer(kind="Ollama", model="wren:3b", also=also) as server:
        yield server


def choose_model(who: Resident, name: str) -> int:
    status = who.post("/settings/", **CHOICES, model=name).status_code
    who.person.refresh_from_db()
    return int(status)


def test_one_of_them_is_asked_for_whoever_chose_it(
    live: ServingLoop, model: FakeModelServer, owner: Resident, housemate: Resident
) -> None:
    page = owner.get("/settings/").content.decode()
    assert "Household default: wren:3b" in page
    assert '<option value="heron:7b">' in page
    assert "nomic-embed-text" not in page

    assert choose_model(owner, "heron:7b") == 302
    for who in (owner, housemate):
        wait_for_reply_row(who, start_reply(who, who.write("Tea.").id))

    assert [call["model"] for call in model.calls] == ["heron:7b", "wren:3b"]


def test_what_is_not_offered_cannot_be_chosen(live: ServingLoop, owner: Resident) -> None:
    assert choose_model(owner, "eagle:70b") == 422

    assert owner.person.model == ""


def test_a_model_that_went_away_gives_way_to_the_households(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    owner.set_preferences(model="eagle:70b")

    wait_for_reply_row(owner, start_reply(owner, owner.write("Tea.").id))

    assert [call["model"] for call in model.calls] == ["wren:3b"]


def test_where_one_is_offered_there_is_nothing_to_choose_and_the_choice_is_kept(
    transactional_db: None, owner: Resident
) -> None:
    owner.set_preferences(model="heron:7b")

    with FakeModelServer() as lone, run_serving_loop(lone.url):
        page = owner.get("/settings/").content.decode()
        saved = owner.post("/settings/", **CHOICES).status_code

    owner.person.refresh_from_db()
    assert "Model for replies" not in page
    assert (saved, owner.person.model) == (302, "heron:7b")
