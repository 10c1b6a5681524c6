"""Tests of facts that the model proposes for one entry: checked, in the background, never accepted."""

import threading
from typing import Any

import pytest

from accounts.rotation.epoch_change import begin_rotation
from diary.entries.services import delete_entry
from diary.models import Origin, Reply
from llamora.inference import model_server
from llamora.inference.registry import registry
from tests.diary.tabs import ServingLoop, run_serving_loop, start_reply, wait_for_reply_row
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script
from tests.fakes.waiting import wait_for
from tests.page import read
from tests.people import Resident, new_resident, register_resident
from tests.traces.facts.finding import (
    build_answer,
    build_claim,
    list_proposed,
    request_facts,
    wait_for_search,
)
from traces.facts import services
from traces.facts.comparison import Strategy
from traces.facts.fact_body import get_text
from traces.facts.models import Fact, FactState
from traces.facts.pages import messages, presenters
from traces.facts.proposals.services import stop_finding
from traces.facts.queries import FactChoices, find_touched, list_changes

WALK = "In the morning I took my dog Biggie to the weir. I have never been to Graz."
BIGGIE = build_claim("You have a dog called Biggie", "my dog Biggie")
INVENTED = build_claim("You have a dog called Max", "my dog Biggie")


@pytest.fixture
def owner(live: ServingLoop, owner: Resident) -> Resident:
    """The person whose diary a test is about, with a serving loop."""
    return owner


def choose_after_reply(who: Resident) -> None:
    with who.unlocked():
        services.save_choices(owner_id=who.id, choices=FactChoices(proposes_after_reply=True))


def is_idle(who: Resident) -> bool:
    return all(job.is_over for job in registry.list_jobs(who.keyring.key_id))


def test_a_fact_is_proposed_with_its_quote_and_not_accepted(owner: Resident, model: FakeModelServer) -> None:
    entry = owner.write(WALK)
    model.add_json_scripts(build_answer(BIGGIE, INVENTED))

    assert request_facts(owner, entry) == ["You have a dog called Biggie"]

    with owner.unlocked():
        (fact,) = Fact.objects.for_owner(owner.id)
        quote = fact.body["quote"]
        assert (fact.state, fact.origin, fact.entry_id) == (FactState.PROPOSED, Origin.MODEL, entry.id)
        assert WALK[quote["start"] : quote["end"]] == quote["text"] == "my dog Biggie"
        assert (fact.body["model"], fact.body["kind"]) == ("fake-model", "belongings")
        assert [change.body["by"] for change in list_changes(fact)] == ["model"]
    schema = model.asked_for_json[0]["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["facts"]["items"]["required"] == ["quote", "fact", "kind"]


@pytest.mark.parametrize("origin", [Origin.IMPORTED, Origin.PROGRAM, Origin.MODEL])
def test_what_its_owner_did_not_write_is_not_read(
    owner: Resident, model: FakeModelServer, origin: Origin
) -> None:
    entry = owner.write(WALK, origin=origin)

    assert request_facts(owner, entry) == []
    assert model.asked_for_json == []


def test_an_answer_out_of_form_is_asked_for_once_more(owner: Resident, model: FakeModelServer) -> None:
    model.add_json_scripts(Script(tokens=["Certainly! ", "Here you are."]))
    model.add_scripts(build_answer(BIGGIE))

    assert request_facts(owner, owner.write(WALK)) == ["You have a dog called Biggie"]
    assert (len(model.asked_for_json), len(model.calls)) == (1, 1)


def test_an_answer_without_facts_is_not_asked_for_again(owner: Resident, model: FakeModelServer) -> None:
    model.add_json_scripts(build_answer())

    assert request_facts(owner, owner.write(WALK)) == []
    assert (len(model.asked_for_json), len(model.calls)) == (1, 0)


@pytest.mark.parametrize(
    ("text", "quote", "fact"),
    [
        (
            "J'ai un chien qui s'appelle Biggie, et je n'aime pas le café.",
            "aime pas le café",
            "You aime café",
        ),
        ("Ho un cane che si chiama Biggie e non mi piace il caffè.", "un cane", "Ho un cane"),
        ("Tengo un perro que se llama Biggie y no me gusta el café.", "un perro", "You have un perro"),
    ],
)
def test_an_entry_in_a_language_without_tables_proposes_nothing_and_says_so(
    owner: Resident, model: FakeModelServer, text: str, quote: str, fact: str
) -> None:
    entry = owner.write(text)
    model.add_json_scripts(build_answer(build_claim(fact, quote), BIGGIE))

    assert request_facts(owner, entry) == []

    page = read(owner.get(f"/entries/{entry.id}/facts/find/", script=True))
    assert "They are looked for in English and German alone." in page.one(".fact-saved").text


def test_no_model_elsewhere_reads_for_facts_even_when_asked(
    transactional_db: None, model: FakeModelServer, settings: Any
) -> None:
    settings.MODEL_ALLOW_REMOTE = True
    # Every address of this machine, and so none that is its own alone.
    with run_serving_loop(model.url.replace("127.0.0.1", "0.0.0.0")):
        owner = new_resident("Olive")
        assert model_server.get_status().remote

        assert request_facts(owner, owner.write(WALK)) == []
        assert model.asked_for_json == []


def test_after_a_reply_facts_are_looked_for_only_by_choice(owner: Resident, model: FakeModelServer) -> None:
    first, second = owner.write(WALK), owner.write(WALK)
    wait_for_reply_row(owner, start_reply(owner, first.id))
    unasked = len(model.asked_for_json)
    choose_after_reply(owner)
    model.add_json_scripts(build_answer(BIGGIE))

    wait_for_reply_row(owner, start_reply(owner, second.id))
    wait_for(lambda: bool(list_proposed(owner)))

    assert (unasked, len(model.asked_for_json)) == (0, 1)


def test_after_a_reply_an_entry_with_the_former_key_is_read_for_facts(
    live: ServingLoop, model: FakeModelServer
) -> None:
    olive = register_resident("Olive", signed_in=True)
    entry = olive.write(WALK)
    wait_for_reply_row(olive, start_reply(olive, entry.id))
    choose_after_reply(olive)
    model.add_json_scripts(build_answer(BIGGIE))
    olive.keyring = begin_rotation(olive.open_slot(), current_cookie=olive.get_cookie()).keyring

    with olive.unlocked():
        Reply.objects.get(entry=entry).save()

    wait_for(lambda: list_proposed(olive) == ["You have a dog called Biggie"])


def test_a_model_that_is_too_small_looks_only_when_asked(transactional_db: None) -> None:
    with FakeModelServer(model="tiny-135m") as small, run_serving_loop(small.url):
        owner = new_resident("Olive")
        choose_after_reply(owner)
        small.add_json_scripts(build_answer(BIGGIE))
        entry = owner.write(WALK)

        wait_for_reply_row(owner, start_reply(owner, entry.id))
        wait_for(lambda: is_idle(owner))
        unasked = len(small.asked_for_json)

        assert request_facts(owner, entry) == ["You have a dog called Biggie"]
        assert unasked == 0


@pytest.mark.parametrize("how", ["deleted", "edited", "locked", "forgotten", "written"])
def test_what_happens_meanwhile_ends_the_search_and_nothing_is_saved(
    owner: Resident, model: FakeModelServer, how: str
) -> None:
    entry = owner.write(WALK)
    with owner.unlocked():
        former = services.add_fact(
            owner_id=owner.id,
            text=services.FactText.create("You live in Graz"),
            where=services.FactOrigin(),
        )
    model.add_json_scripts(Script(endless=True, rate=20, tokens=build_answer(BIGGIE).tokens))
    owner.post(f"/entries/{entry.id}/facts/find/", script=True)
    wait_for(lambda: bool(model.asked_for_json))

    match how:
        case "deleted":
            with owner.unlocked():
                delete_entry(owner_id=owner.id, entry_id=entry.id)
        case "edited":
            owner.post(f"/entries/{entry.id}/edit/", script=True, text="Nothing.", revision=entry.revision)
        case "locked":
            owner.lock()
        case "forgotten":
            with owner.unlocked():
                services.forget_fact(owner_id=owner.id, fact_id=former.id)
        case "written":
            owner.post(f"/d/{owner.today}/", text="Another entry.")

    wait_for(lambda: is_idle(owner))
    assert list_proposed(owner) == []


def test_two_clicks_are_one_search(owner: Resident, model: FakeModelServer) -> None:
    entry = owner.write(WALK)
    model.add_json_scripts(build_answer(BIGGIE, first_after=0.2))

    for _ in range(2):
        page = owner.post(f"/entries/{entry.id}/facts/find/", script=True).content.decode()
        assert "Looking for facts" in page
    wait_for_search(owner, entry)

    assert len(model.asked_for_json) == 1
    page = owner.get(f"/entries/{entry.id}/facts/find/", script=True).content.decode()
    assert "Looking for facts" not in page
    assert "You have a dog called Biggie" in page


# --- Advice on a conflict ----------------------------------------------------------------------------------

BALL = build_claim("Biggie loves his yellow ball", "Biggie loves his yellow ball", "preferences")


def add_chicken(who: Resident, origin: Origin = Origin.OWN) -> Fact:
    text = services.FactText.create("Biggie loves his stuffed chicken")
    with who.unlocked():
        return services.add_fact(owner_id=who.id, text=text, where=services.FactOrigin(origin=origin))


def get_first_button(who: Resident) -> Strategy:
    with who.unlocked():
        (fact,) = Fact.objects.only_proposed(who.id)
        (touched,) = find_touched(who.id, get_text(fact.body), besides=fact.id)
        return touched.comparison.first_strategy


@pytest.mark.parametrize(
    ("answer", "first"),
    [
        ("changed", Strategy.REPLACE),
        ("both", Strategy.BOTH),
        ("more", Strategy.MERGE),
        ("same", Strategy.BOTH),
    ],
)
def test_a_model_may_choose_the_first_button_and_no_more(
    owner: Resident, model: FakeModelServer, answer: str, first: Strategy
) -> None:
    earlier = add_chicken(owner)
    model.add_json_scripts(build_answer(BALL), Script(tokens=[f'{{"answer": "{answer}"}}']))

    request_facts(owner, owner.write("Biggie loves his yellow ball now."))
    wait_for(lambda: len(model.asked_for_json) == 2 and is_idle(owner))

    assert get_first_button(owner) is first
    with owner.unlocked():
        assert Fact.objects.get(id=earlier.id).state == FactState.ACCEPTED
        assert len(Fact.objects.only_proposed(owner.id)) == 1


def test_a_model_is_not_asked_about_what_came_from_elsewhere(owner: Resident, model: FakeModelServer) -> None:
    add_chicken(owner, Origin.IMPORTED)
    model.add_json_scripts(build_answer(BALL))

    request_facts(owner, owner.write("Biggie loves his yellow ball now."))
    wait_for(lambda: is_idle(owner))

    assert len(model.asked_for_json) == 1
    assert get_first_button(owner) is Strategy.BOTH


def test_a_search_that_ends_while_the_page_is_built_is_asked_for_again(
    owner: Resident, model: FakeModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = owner.write(WALK)
    release = threading.Event()
    model.add_json_scripts(build_answer(BIGGIE, rest_when=release))
    owner.post(f"/entries/{entry.id}/facts/find/", script=True)
    read_rows = presenters._day_proposals_query

    def read_before_the_end(**key: Any) -> list[Fact]:
        rows = list(read_rows(**key))
        release.set()
        wait_for_search(owner, entry)
        return rows

    monkeypatch.setattr(presenters, "_day_proposals_query", read_before_the_end)
    page = owner.get(f"/entries/{entry.id}/facts/find/", script=True).content.decode()
    assert "Looking for facts" in page
    monkeypatch.undo()
    assert (
        "a dog called Biggie" in owner.get(f"/entries/{entry.id}/facts/find/", script=True).content.decode()
    )


def test_a_search_that_failed_is_not_said_to_have_found_nothing(
    owner: Resident, model: FakeModelServer
) -> None:
    entry, where = owner.write(WALK), "/entries/{}/facts/find/"
    assert messages.SEARCH_INTERRUPTED in owner.get(where.format(entry.id), script=True).content.decode()
    model.add_json_scripts(Script(endless=True, rate=20, tokens=build_answer(BIGGIE).tokens))
    owner.post(where.format(entry.id), script=True)
    with owner.unlocked():
        stop_finding(owner.keyring.key_id, entry_id=entry.id)
    wait_for_search(owner, entry)
    assert messages.SEARCH_INTERRUPTED in owner.get(where.format(entry.id), script=True).content.decode()

    model.add_json_scripts(Script(status=500))
    model.add_scripts(Script(status=500))
    request_facts(owner, entry)
    page = owner.get(where.format(entry.id), script=True).content.decode()
    assert "The model server" in page
    assert messages.NO_NEW_FACTS not in page

    imported = owner.write(WALK, origin=Origin.IMPORTED)
    page = owner.post(where.format(imported.id), script=True).content.decode()
    assert messages.ONLY_OWN_ENTRIES in page
