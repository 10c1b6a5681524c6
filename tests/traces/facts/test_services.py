"""Tests of all changes of facts, and of undoing each."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from diary.entries.services import delete_entry, destroy_entry
from diary.errors import ObjectNotFound
from diary.models import Origin
from llamora.crypto import Realm, in_force
from llamora.fields import new_id
from tests.people import Resident
from traces.facts import services
from traces.facts.changes import is_chain_whole, take_snapshot
from traces.facts.comparison import Strategy, Verdict
from traces.facts.fact_body import FactText, InvalidFact
from traces.facts.models import DeclinedFact, Fact, FactChange, FactState
from traces.facts.queries import find_touched, get_fact, list_changes, load_choices
from traces.facts.services import FactOrigin

DAY = date(2026, 3, 5)


@pytest.fixture
def olive(owner: Resident) -> Iterator[Resident]:
    with owner.unlocked():
        yield owner


def build(text: str) -> FactText:
    return FactText.create(text)


def add(who: Resident, text: str, **details: Any) -> Fact:
    where = FactOrigin(details=details)
    return services.add_fact(owner_id=who.id, text=build(text), where=where)


def propose(who: Resident, text: str, **where: Any) -> Fact | None:
    origin = FactOrigin(**{"origin": Origin.MODEL, **where})
    return services.propose_fact(owner_id=who.id, text=build(text), where=origin)


def propose_new(who: Resident, text: str, **where: Any) -> Fact:
    fact = propose(who, text, **where)
    assert fact is not None
    return fact


def list_texts(who: Resident, state: FactState = FactState.ACCEPTED) -> list[str]:
    rows = Fact.objects.for_owner(who.id).filter(state=state).order_by("created_at", "id")
    return [fact.body["text"] for fact in rows]


def take_all(who: Resident) -> dict[Any, Any]:
    return {fact.id: take_snapshot(fact) for fact in Fact.objects.for_owner(who.id)}


# --- Proposals ---------------------------------------------------------------------------------------------


def test_a_proposal_is_no_fact_until_it_is_accepted(olive: Resident) -> None:
    fact = propose_new(olive, "You have a dog called Biggie")

    assert list_texts(olive) == []
    services.accept_fact(owner_id=olive.id, fact_id=fact.id)
    assert list_texts(olive) == ["You have a dog called Biggie"]


def test_a_proposal_can_be_corrected_as_it_is_accepted(olive: Resident) -> None:
    fact = propose_new(olive, "You have a dog called Bigie")

    services.accept_fact(owner_id=olive.id, fact_id=fact.id, text=build("You have a dog called Biggie"))

    assert list_texts(olive) == ["You have a dog called Biggie"]
    assert [change.kind for change in list_changes(fact)] == ["propose", "accept"]


@pytest.mark.parametrize("state", ["waiting", "accepted", "declined", "forgotten"])
def test_what_is_known_or_was_declined_is_not_proposed_again(olive: Resident, state: str) -> None:
    fact = propose_new(olive, "You have a dog called Biggie")
    if state in ("accepted", "forgotten"):
        services.accept_fact(owner_id=olive.id, fact_id=fact.id)
    if state == "declined":
        services.decline_fact(owner_id=olive.id, fact_id=fact.id)
    if state == "forgotten":
        services.forget_fact(owner_id=olive.id, fact_id=fact.id)

    assert propose(olive, "You have a dog named Biggie") is None
    assert propose(olive, "You have a dog called Max") is not None


REPHRASED = (
    (
        "You have a dog called Biggie",
        "Your dog is called Biggie",
        "Biggie is your dog",
        "You own a dog, Biggie",
    ),
    ("You live in Graz", "You reside in Graz", "You are living in Graz", "Your home is Graz"),
    ("You do not like tea", "You don't like tea", "You dislike tea", "You don't really like tea"),
    ("Anna's birthday is on May 5", "Anna was born on May 5", "The birthday of Anna is on May 5"),
)


@pytest.mark.parametrize("forgotten", REPHRASED, ids=range(len(REPHRASED)))
def test_what_was_forgotten_is_not_proposed_again_in_other_words(
    olive: Resident, forgotten: tuple[str, ...]
) -> None:
    services.forget_fact(owner_id=olive.id, fact_id=add(olive, forgotten[0]).id)

    assert [text for text in forgotten if propose(olive, text) is not None] == []
    assert propose(olive, forgotten[0].replace("Biggie", "Max").replace("Graz", "Wien") + " too much")


@pytest.mark.slow
def test_of_a_thousand_proposals_of_forgotten_facts_none_is_saved(olive: Resident) -> None:
    for forgotten in REPHRASED:
        services.forget_fact(owner_id=olive.id, fact_id=add(olive, forgotten[0]).id)
    said = [text for forgotten in REPHRASED for text in forgotten]
    spelled = [change(text) for text in said for change in (str, str.upper, "{}.".format, "  {} ".format)]

    saved = [text for number in range(1_000) if propose(olive, text := spelled[number % len(spelled)])]

    assert saved == []
    assert not Fact.objects.exists()


def test_what_was_declined_can_be_entered_by_its_owner(olive: Resident) -> None:
    services.decline_fact(owner_id=olive.id, fact_id=propose_new(olive, "You like tea").id)

    add(olive, "You like tea")

    assert list_texts(olive) == ["You like tea"]
    assert not DeclinedFact.objects.exists()


def test_the_same_said_again_is_noted_and_no_second_fact(olive: Resident) -> None:
    first, again = add(olive, "You like tea"), add(olive, "You like the tea")

    assert first.id == again.id
    assert len(again.body["said"]) == 1


# --- Conflicts ---------------------------------------------------------------------------------------------


def test_only_facts_about_the_same_are_touched(olive: Resident) -> None:
    boston = add(olive, "You live in Boston")
    add(olive, "Anna lives in Boston")
    add(olive, "You work at Google")

    (touched,) = find_touched(olive.id, build("You moved to New York"))

    assert touched.fact.id == boston.id
    assert touched.comparison.verdict is Verdict.NEWER


STATES = {
    Strategy.SAID_AGAIN: (FactState.ACCEPTED, FactState.ARCHIVED),
    Strategy.REPLACE: (FactState.ENDED, FactState.ACCEPTED),
    Strategy.MERGE: (FactState.ENDED, FactState.ACCEPTED),
    Strategy.LINK: (FactState.ACCEPTED, FactState.ACCEPTED),
    Strategy.CREATE_NEW: (FactState.ACCEPTED, FactState.ACCEPTED),
    Strategy.BOTH: (FactState.ACCEPTED, FactState.ACCEPTED),
    Strategy.ARCHIVE_OLD: (FactState.ARCHIVED, FactState.ACCEPTED),
}


@pytest.mark.parametrize("strategy", Strategy)
def test_each_strategy_does_what_it_says_and_is_undone_to_the_byte(
    olive: Resident, strategy: Strategy
) -> None:
    earlier = add(olive, "You live in Boston", source="By hand")
    fact = propose_new(olive, "You live in New York")
    before = take_all(olive)

    services.resolve_conflict(owner_id=olive.id, fact_id=fact.id, earlier_id=earlier.id, strategy=strategy)

    assert tuple(get_fact(olive.id, each.id).state for each in (earlier, fact)) == STATES[strategy]
    services.undo_change(owner_id=olive.id, fact_id=fact.id)
    assert take_all(olive) == before
    for each in (earlier, fact):
        assert is_chain_whole(list_changes(each))


def test_what_was_replaced_names_its_successor(olive: Resident) -> None:
    earlier, fact = add(olive, "You live in Boston"), propose_new(olive, "You live in Graz")

    services.resolve_conflict(
        owner_id=olive.id, fact_id=fact.id, earlier_id=earlier.id, strategy=Strategy.REPLACE
    )

    assert get_fact(olive.id, earlier.id).successor_id == fact.id


def test_a_change_is_not_undone_past_a_later_one(olive: Resident) -> None:
    earlier, fact = add(olive, "You live in Boston"), propose_new(olive, "You live in Graz")
    services.resolve_conflict(
        owner_id=olive.id, fact_id=fact.id, earlier_id=earlier.id, strategy=Strategy.LINK
    )
    services.correct_fact(owner_id=olive.id, fact_id=earlier.id, text=build("You live in Bristol"))
    before = take_all(olive)

    with pytest.raises(ObjectNotFound):
        services.undo_change(owner_id=olive.id, fact_id=fact.id)

    assert take_all(olive) == before


# --- Changes -----------------------------------------------------------------------------------------------


def test_a_correction_keeps_what_it_said_before_and_is_undone(olive: Resident) -> None:
    fact = add(olive, "You live in Bosten")

    services.correct_fact(owner_id=olive.id, fact_id=fact.id, text=build("You live in Boston"))

    last = list_changes(fact)[-1]
    assert (last.body["before"]["body"]["text"], last.body["by"]) == ("You live in Bosten", "owner")
    services.undo_change(owner_id=olive.id, fact_id=fact.id)
    assert list_texts(olive) == ["You live in Bosten"]
    assert [change.kind for change in list_changes(fact)] == ["add", "correct", "undo"]


def test_undoing_goes_back_step_by_step(olive: Resident) -> None:
    fact = add(olive, "One dog")
    for text in ("Two dogs", "Three dogs"):
        services.correct_fact(owner_id=olive.id, fact_id=fact.id, text=build(text))

    found = []
    for _ in range(2):
        services.undo_change(owner_id=olive.id, fact_id=fact.id)
        found += list_texts(olive)

    assert found == ["Two dogs", "One dog"]
    assert services.undo_change(owner_id=olive.id, fact_id=fact.id) is None
    assert not Fact.objects.exists()


def test_a_fact_ends_on_a_day(olive: Resident) -> None:
    fact = add(olive, "You live in Boston")

    services.end_fact(owner_id=olive.id, fact_id=fact.id, on=DAY)

    ended = get_fact(olive.id, fact.id)
    assert (ended.state, ended.body["ended"]) == (FactState.ENDED, "2026-03-05")
    assert list_texts(olive) == []


def test_forgetting_deletes_history_and_leaves_no_word(olive: Resident) -> None:
    fact = add(olive, "You live in Bosten")
    services.correct_fact(owner_id=olive.id, fact_id=fact.id, text=build("You live in Boston"))

    services.forget_fact(owner_id=olive.id, fact_id=fact.id)

    assert not Fact.objects.exists()
    assert not FactChange.objects.exists()
    assert DeclinedFact.objects.count() == 2
    for text in ("You live in Bosten", "You live in Boston"):
        assert propose(olive, text) is None


def test_a_missing_record_breaks_the_chain(olive: Resident) -> None:
    fact = add(olive, "One dog")
    for text in ("Two dogs", "Three dogs"):
        services.correct_fact(owner_id=olive.id, fact_id=fact.id, text=build(text))
    changes = list_changes(fact)

    assert is_chain_whole(changes)
    assert not is_chain_whole([changes[0], changes[2]])
    assert not is_chain_whole([changes[0], changes[2], changes[1]])


# --- Entries, people, keys ---------------------------------------------------------------------------------


def test_an_entry_deleted_for_good_takes_its_words_with_it(olive: Resident) -> None:
    entry = olive.write("I took my dog Biggie out", day=DAY)
    quote = {"text": "my dog Biggie", "start": 7, "end": 20}
    waiting = propose_new(olive, "You have a dog", entry_id=entry.id, details={"quote": quote})
    accepted = propose_new(olive, "Biggie is a dog", entry_id=entry.id, details={"quote": quote})
    services.accept_fact(owner_id=olive.id, fact_id=accepted.id)

    delete_entry(owner_id=olive.id, entry_id=entry.id)
    destroy_entry(owner_id=olive.id, entry_id=entry.id)

    left = get_fact(olive.id, accepted.id)
    assert not Fact.objects.filter(id=waiting.id).exists()
    assert (left.entry_id, left.body["text"]) == (None, "Biggie is a dog")
    assert "my dog" not in str([left.body, *(change.body for change in list_changes(left))])
    assert is_chain_whole(list_changes(left))


def test_facts_of_another_person_are_none(olive: Resident, housemate: Resident) -> None:
    fact = add(olive, "You live in Boston")

    for call in (services.accept_fact, services.forget_fact, services.undo_change, services.decline_fact):
        with housemate.unlocked(), pytest.raises(ObjectNotFound):
            call(owner_id=housemate.id, fact_id=fact.id)
    with pytest.raises(ObjectNotFound):
        get_fact(olive.id, new_id())


def test_keys_of_facts_are_enough_and_open_no_entry(olive: Resident) -> None:
    olive.write("An entry", day=DAY)
    keyring = olive.keyring.restrict([Realm.FACTS])

    with in_force(keyring):
        fact = propose_new(olive, "You like tea")
        services.accept_fact(owner_id=olive.id, fact_id=fact.id)
        services.forget_fact(owner_id=olive.id, fact_id=fact.id)
        assert propose(olive, "You like tea") is None
    keyring.close()


def test_choices_are_saved_and_their_key_stays(olive: Resident) -> None:
    services.decline_fact(owner_id=olive.id, fact_id=propose_new(olive, "You like tea").id)
    key = load_choices(olive.id).digest_key

    services.save_choices(owner_id=olive.id, choices=services.FactChoices(confirms_same=True))

    assert load_choices(olive.id).confirms_same
    assert load_choices(olive.id).digest_key == key
    assert propose(olive, "You like tea") is None


@pytest.mark.parametrize("text", ["", " \n", "...", "x" * 501, "a\x00b", "\ud800 a"])
def test_what_is_no_sentence_is_refused(text: str) -> None:
    with pytest.raises(InvalidFact):
        build(text)
