"""Tests of the sampling parameters in requests: for which texts, and whose take precedence."""

from typing import Any

import pytest

from tests.diary.openings import open_day, write_days_ago
from tests.diary.tabs import ServingLoop, start_reply, wait_for_reply_row
from tests.diary.test_recaps import press_recap_button
from tests.fakes.model_server import FakeModelServer
from tests.people import Resident

pytestmark = pytest.mark.django_db(transaction=True)

KNOWN = ("temperature", "top_p", "min_p", "seed", "reasoning_effort", "n")


def list_asked(model: FakeModelServer) -> list[dict[str, Any]]:
    return [{name: body[name] for name in KNOWN if name in body} for body in model.calls]


def ask_for_everything(owner: Resident) -> None:
    """Ask for an opening, a reply, and a recap."""
    write_days_ago(owner, "Varnish is out.", ago=2)
    open_day(owner)
    wait_for_reply_row(owner, start_reply(owner, owner.write("Walked to the weir.").id))
    press_recap_button(owner)


def test_a_persons_parameters_go_before_the_households_and_those_before_the_prompts(
    live: ServingLoop, model: FakeModelServer, owner: Resident, settings: Any
) -> None:
    settings.MODEL_SAMPLING = {"temperature": 0.9, "top_p": 0.8}
    owner.set_preferences(sampling={"temperature": 1.5, "seed": 7})

    ask_for_everything(owner)

    free = {"temperature": 1.5, "top_p": 0.8, "seed": 7}
    assert list_asked(model) == [free, free, {"temperature": 0.2}]


def test_what_concerns_thinking_concerns_recaps_too(
    live: ServingLoop, model: FakeModelServer, owner: Resident, settings: Any
) -> None:
    settings.MODEL_SAMPLING = {"reasoning_effort": "low", "min_p": 0.1}

    ask_for_everything(owner)

    free = {"temperature": 0.7, "min_p": 0.1, "reasoning_effort": "low"}
    assert list_asked(model) == [free, free, {"temperature": 0.2, "reasoning_effort": "low"}]


def test_what_is_not_allowed_is_not_sent_whoever_wrote_it_into_the_database(
    live: ServingLoop, model: FakeModelServer, owner: Resident, housemate: Resident
) -> None:
    owner.set_preferences(sampling={"n": 3, "messages": [], "temperature": 9, "seed": 1})

    for who in (owner, housemate):
        wait_for_reply_row(who, start_reply(who, who.write("Walked to the weir.").id))

    assert list_asked(model) == [{"temperature": 0.7, "seed": 1}, {"temperature": 0.7}]
    assert all(len(body["messages"]) == 2 for body in model.calls)
