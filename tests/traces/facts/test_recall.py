"""Tests of the facts in a reply's prompt: those that bear on its entry, and their display in its sources."""

from collections.abc import Callable
from threading import Event

import pytest
from django.db.models import QuerySet

from diary.models import Entry, Origin
from search.embedder.holder import embedders
from search.fact_recall.ranking import rank_facts
from search.index.registry import indexes
from tests.diary.tabs import ServingLoop, get_reply, load_reply, start_reply
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script
from tests.people import Resident
from tests.search.indexing import BagOfWords, open_index
from tests.traces.facts.fact_steps import accept_new, add_fact, propose_fact
from traces.facts import services
from traces.facts.models import Fact
from traces.facts.queries import get_fact, list_changes
from traces.facts.recall import MAX_RECALLED, load_recalled

DOG = "You have a dog called Biggie"


@pytest.fixture
def owner(live: ServingLoop, owner: Resident) -> Resident:
    """The person whose diary a test is about, with a serving loop and an open index."""
    open_index(owner)
    return owner


def reply_to(who: Resident, entry: Entry, model: FakeModelServer) -> str:
    """Return the prompt of a reply to an entry."""
    open_index(who)
    get_reply(who, entry.id)
    return str(model.calls[-1]["messages"][-1]["content"])


# --- What is read ------------------------------------------------------------------------------------------


def test_a_fact_that_bears_on_an_entry_is_read_in_a_fence(owner: Resident, model: FakeModelServer) -> None:
    add_fact(owner, DOG)
    add_fact(owner, "Anna is a midwife in Hull")
    propose_fact(owner, "Biggie is a poodle")

    prompt = reply_to(owner, owner.write("Walked with Biggie to the weir."), model)

    (line,) = [line for line in prompt.splitlines() if DOG in line]
    assert line == f'{{"fact": "{DOG}"}}'
    assert "midwife" not in prompt
    assert "poodle" not in prompt


def test_no_more_than_eight_are_read_the_nearest_first(owner: Resident, model: FakeModelServer) -> None:
    for number in range(12):
        add_fact(owner, f"You saw Biggie {'and Anna ' if number == 5 else ''}in room {number}")

    prompt = reply_to(owner, owner.write("Walked with Biggie and Anna."), model)

    facts = [line for line in prompt.splitlines() if line.startswith('{"fact"')]
    assert len(facts) == MAX_RECALLED
    assert "and Anna in room 5" in facts[0]


@pytest.mark.parametrize("origin", [Origin.PROGRAM, Origin.IMPORTED])
def test_facts_of_others_are_not_read(owner: Resident, model: FakeModelServer, origin: Origin) -> None:
    accept_new(owner, DOG, origin=origin)

    assert DOG not in reply_to(owner, owner.write("Walked with Biggie."), model)


def test_no_fact_is_read_beside_an_entry_of_others(owner: Resident, model: FakeModelServer) -> None:
    add_fact(owner, DOG)

    assert DOG not in reply_to(owner, owner.write("Walked with Biggie.", origin=Origin.IMPORTED), model)


def test_a_proposal_from_an_entry_of_others_is_not_read(owner: Resident) -> None:
    entry = owner.write("I have a dog called Biggie.", origin=Origin.IMPORTED)
    fact = accept_new(owner, DOG, entry=entry)

    with owner.unlocked():
        assert load_recalled(owner.id, [fact.id]) == []
        # Nor once its origin was changed without a key.
        QuerySet.update(Entry.objects.all(), origin=Origin.OWN)
        assert load_recalled(owner.id, [fact.id]) == []


def end(who: Resident, fact: Fact) -> None:
    services.end_fact(owner_id=who.id, fact_id=fact.id, on=who.today)


def forget(who: Resident, fact: Fact) -> None:
    services.forget_fact(owner_id=who.id, fact_id=fact.id)


@pytest.mark.parametrize("change", [end, forget])
def test_what_is_no_longer_so_is_not_read(
    owner: Resident, model: FakeModelServer, change: Callable[[Resident, Fact], None]
) -> None:
    fact = add_fact(owner, DOG)
    entry = owner.write("Walked with Biggie.")
    assert DOG in reply_to(owner, entry, model)

    with owner.unlocked():
        change(owner, fact)

    assert DOG not in reply_to(owner, entry, model)


def test_facts_near_in_meaning_are_found_and_others_not(owner: Resident) -> None:
    embedders.set_embedder(BagOfWords())
    indexes.close_all()
    near = add_fact(owner, "You drink no coffee after four")
    add_fact(owner, "Anna is a midwife in Hull")
    index = open_index(owner)

    assert rank_facts(index, "Drink no coffee after four again", limit=5) == [near.id]
    embedders.set_embedder(None)


# --- Sources -----------------------------------------------------------------------------------------------


def test_sources_name_the_facts_and_not_this_again_lasts(owner: Resident, model: FakeModelServer) -> None:
    fact = add_fact(owner, DOG)
    entry = owner.write("Walked with Biggie.")
    open_index(owner)
    reply = get_reply(owner, entry.id)
    sources = owner.get(f"/replies/{reply}/read/", script=True).content.decode()
    assert f'<a href="/facts/{fact.id}/"><bdi>{DOG}</bdi></a>' in sources
    assert "Not this again" in sources

    assert owner.post(f"/facts/{fact.id}/reading/", read="no").status_code == 302

    assert DOG not in reply_to(owner, entry, model)
    assert "Read it again" in owner.get(f"/replies/{reply}/read/", script=True).content.decode()
    owner.post(f"/facts/{fact.id}/reading/", read="yes")
    assert DOG in reply_to(owner, entry, model)
    with owner.unlocked():
        kinds = [change.kind for change in list_changes(get_fact(owner.id, fact.id))]
    assert kinds == ["add", "not_read", "read_again"]


def test_not_this_again_can_be_undone(owner: Resident) -> None:
    fact = add_fact(owner, DOG)
    owner.post(f"/facts/{fact.id}/reading/", read="no")

    owner.post(f"/facts/{fact.id}/undo/")

    with owner.unlocked():
        assert [recalled.id for recalled in load_recalled(owner.id, [fact.id])] == [fact.id]


def test_sources_leave_out_a_fact_that_was_forgotten(owner: Resident, model: FakeModelServer) -> None:
    fact = add_fact(owner, DOG)
    entry = owner.write("Walked with Biggie.")
    open_index(owner)
    reply = get_reply(owner, entry.id)

    with owner.unlocked():
        forget(owner, fact)

    assert "Facts that were read" not in owner.get(f"/replies/{reply}/read/", script=True).content.decode()


def test_forgetting_stops_a_reply_that_is_written_from_the_fact(
    owner: Resident, model: FakeModelServer
) -> None:
    fact = add_fact(owner, DOG)
    other = add_fact(owner, "Anna is a midwife in Hull")
    entry = owner.write("Walked with Biggie.")
    open_index(owner)
    never = Event()
    model.add_scripts(Script(tokens=["It ", "barks."], rest_after=1, rest_when=never))
    reply = start_reply(owner, entry.id)
    assert model.wait_for_calls(1)

    with owner.unlocked():
        forget(owner, other)
    assert load_reply(owner, reply)[1] in ("waiting", "writing")
    with owner.unlocked():
        forget(owner, fact)

    assert load_reply(owner, reply)[1] == "stopped"
    never.set()
