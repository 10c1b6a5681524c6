"""Tests of the status line of the model on a day page, and of the administrator's page with more about it."""

from pathlib import Path
from typing import Any

import pytest

from accounts.models import Person
from tests.diary.tabs import ServingLoop, Tab, run_serving_loop, start_reply, wait_for_text
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import make_unending
from tests.page import read
from tests.people import Resident, new_resident

pytestmark = pytest.mark.django_db(transaction=True)

NO_MODEL = "No model is set up yet."


@pytest.fixture
def nothing_found(settings: Any, tmp_path: Path) -> Any:
    """A machine on which no model is found."""
    settings.MODEL_USUAL_ADDRESSES, settings.DATA_DIR = ("http://127.0.0.1:9",), tmp_path
    with run_serving_loop("") as live:
        yield live


@pytest.fixture
def administrator(db: None) -> Resident:
    resident = new_resident("Adam")
    Person.objects.filter(id=resident.id).update(is_staff=True)
    return resident


def get_line(person: Resident) -> str:
    """Return the line about the model on the page of a person's day."""
    page = read(person.get(f"/d/{person.today}/"))
    assert page.text.count("model") == page.one(".model-line").text.count("model")
    return page.one(".model-line").text


def get_parts(tab: Tab, place: str = "model-status") -> list[str]:
    return [frame["html"] for frame in tab.frames if frame.get("place") == place and frame["type"] == "part"]


def test_without_a_model_one_line_says_so_and_leads_to_one(
    nothing_found: ServingLoop, owner: Resident, administrator: Resident
) -> None:
    for person, links in ((owner, []), (administrator, ["/settings/model/"])):
        status = read(person.get(f"/d/{person.today}/")).one("#model-status")

        assert NO_MODEL in status.text
        assert status.values("a", "href") == links
    assert "The administrator can choose one." in get_line(owner)
    assert administrator.get("/settings/model/").status_code == 200


def test_the_line_is_dismissed_for_good_and_only_for_oneself(
    nothing_found: ServingLoop, owner: Resident, housemate: Resident
) -> None:
    path = f"/d/{owner.today}/hide-model-notice/"

    answer = owner.post(path)

    assert (answer.status_code, answer.url) == (302, f"/d/{owner.today}/")
    assert NO_MODEL not in owner.get(f"/d/{owner.today}/").content.decode()
    assert NO_MODEL in get_line(housemate)
    assert housemate.post(path, script=True).content == b""
    assert NO_MODEL not in housemate.get("/").content.decode()


def test_the_line_names_the_model_and_where_it_runs(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    line = get_line(owner)

    assert f"fake-model, served by llama.cpp at 127.0.0.1:{model.port}." in line


def test_a_model_that_goes_and_comes_back_is_shown_in_the_open_page(owner: Resident) -> None:
    with FakeModelServer() as model:
        port = model.port
    with run_serving_loop(model.url) as live:
        tab = live.tab(owner, owner.today)
        tab.wait_for("part", count=2)
        assert "The model server is not running. Llamora looks for it again" in get_parts(tab)[-1]
        with FakeModelServer(port=port):
            tab.wait_for("part", count=3, seconds=20)
            assert "Replies are written by fake-model" in get_parts(tab)[-1]
            assert get_parts(tab)[-1] in owner.get(f"/d/{owner.today}/").content.decode()


def test_the_queue_is_shown_while_there_is_one(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(make_unending())
    tab = live.tab(owner, owner.today)
    reply = start_reply(owner, owner.write("Tea.").id)
    wait_for_text(tab, reply)

    line = get_line(owner)

    tab.wait_for("part", count=3)
    owner.post(f"/replies/{reply}/stop/", script=True)
    tab.wait_for("part", count=4)
    assert "Now writing 1 text." in line
    assert [bool(html) for html in get_parts(tab, "model-queue")] == [False, True, False]
    assert len(get_parts(tab)) == 1
