"""Tests of "This is mine" for facts from files and programs."""

from datetime import timedelta

import pytest
from django.db import connection

from diary.models import Origin
from tests.clock.records import settle_clock
from tests.page import read
from tests.people import PASSWORD, Resident, register_resident
from tests.traces.facts.fact_steps import accept_new, propose_fact
from traces.facts import claims, services
from traces.facts.claims import list_claims
from traces.facts.fact_body import FactText
from traces.facts.models import Fact, FactChange, FactState
from traces.facts.pages import claim_views
from traces.facts.queries import list_changes

OTHERS = (Origin.PROGRAM, Origin.IMPORTED)


def count_trusted(who: Resident) -> int:
    return Fact.objects.only_accepted(who.id).only_trusted().count()


@pytest.mark.parametrize("origin", OTHERS)
def test_a_fact_is_its_owners_once_they_say_so_and_no_more_after_an_undo(
    owner: Resident, origin: Origin
) -> None:
    fact = accept_new(owner, "You live in Bonn", origin=origin)
    path = f"/facts/{fact.id}/"
    assert count_trusted(owner) == 0
    assert "so no reply and no answer reads it" in read(owner.get(path)).one("main").text

    assert owner.post(f"{path}mine/").status_code == 302
    assert owner.post(f"{path}mine/").status_code == 302

    assert count_trusted(owner) == 1
    page = read(owner.get(path))
    assert not page.has(f'form[action="{path}mine/"]')
    assert "Said to be yours" in page.one(".fact-history").text
    assert owner.post(f"{path}undo/").status_code == 302
    assert count_trusted(owner) == 0
    with owner.unlocked():
        assert [change.kind for change in list_changes(fact)] == ["propose", "accept", "claim", "undo"]


def test_a_suggestion_is_accepted_first_and_own_facts_have_no_such_button(owner: Resident) -> None:
    suggested = propose_fact(owner, "You live in Graz", origin=Origin.PROGRAM)
    of_model = accept_new(owner, "You have a dog")

    owner.post(f"/facts/{suggested.id}/mine/")

    suggested.refresh_from_db()
    assert (suggested.state, suggested.origin) == (FactState.PROPOSED, Origin.PROGRAM)
    for fact in (suggested, of_model):
        assert not read(owner.get(f"/facts/{fact.id}/")).has(f'form[action="/facts/{fact.id}/mine/"]')


def test_all_facts_of_others_become_their_owners_as_one_act_and_no_more_after_an_undo(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claim_views, "PAGE_SIZE", 2)
    owner = register_resident("Olive", signed_in=True)
    facts = [accept_new(owner, f"You know Anna {number}", origin=Origin.IMPORTED) for number in range(4)]
    accept_new(owner, "You have a dog")
    assert read(owner.get("/facts/")).one('a[href="/facts/mine/"]').text == "Look at them"

    page = read(owner.get("/facts/mine/"))
    assert page.texts(".fact-row-text") == ["You know Anna 3", "You know Anna 2"]
    assert page.one("#facts-claim").text == "All 4 are mine"
    (review,) = page.values('input[name="review"]', "value")
    assert owner.post("/facts/mine/", current="wrong", review=review).status_code == 422
    assert count_trusted(owner) == 1
    assert owner.post("/facts/mine/", current=PASSWORD, review=review).status_code == 302
    assert count_trusted(owner) == 5

    page = read(owner.get("/facts/mine/"))
    assert "4 facts are yours now." in page.one("main").text
    (undo,) = page.values("form.note-undo", "action")
    assert not read(owner.get("/facts/")).has('a[href="/facts/mine/"]')
    with owner.unlocked():
        services.set_recalled(owner_id=owner.id, fact_id=facts[0].id, is_recalled=False)
        services.forget_fact(owner_id=owner.id, fact_id=facts[1].id)
    assert owner.post(undo).status_code == 302

    # The dog, and the one that was changed since.
    assert count_trusted(owner) == 2
    assert "2 facts do not count as yours any more." in read(owner.get("/facts/mine/")).one("main").text
    assert owner.post(undo).status_code == 404
    assert "2 facts are not yours yet" in read(owner.get("/facts/")).one("main").text
    with owner.unlocked():
        assert [change.kind for change in list_changes(facts[2])] == ["propose", "accept", "claim", "undo"]


@pytest.mark.parametrize("change", ["another came", "one was corrected"])
def test_nothing_becomes_its_owners_that_was_not_shown(db: None, change: str) -> None:
    owner = register_resident("Olive", signed_in=True)
    fact = accept_new(owner, "You know Anna", origin=Origin.IMPORTED)
    (review,) = read(owner.get("/facts/mine/")).values('input[name="review"]', "value")
    if change == "another came":
        accept_new(owner, "You know Zoe", origin=Origin.PROGRAM)
    else:
        with owner.unlocked():
            text = FactText.create("You know Eva")
            services.correct_fact(owner_id=owner.id, fact_id=fact.id, text=text)

    answer = owner.post("/facts/mine/", current=PASSWORD, review=review)

    assert answer.status_code == 409
    assert "Nothing was saved" in read(answer).one("main").text
    assert count_trusted(owner) == 0


def test_an_undo_ends_after_thirty_days_and_is_its_owners_alone(owner: Resident, housemate: Resident) -> None:
    facts = [accept_new(owner, f"You know {name}", origin=Origin.IMPORTED) for name in ("Anna", "Zoe")]
    with owner.unlocked():
        services.claim_facts(owner_id=owner.id, fact_ids=[fact.id for fact in facts])
        (claim,) = list_claims(owner.id)
    assert sorted(claim.fact_ids) == sorted(fact.id for fact in facts)

    assert housemate.post(f"/facts/mine/{claim.group}/undo/").status_code == 404
    settle_clock()
    for change in FactChange.objects.filter(kind="claim"):
        with owner.unlocked():
            change.made_at -= timedelta(days=31)
            change.save()
    assert owner.post(f"/facts/mine/{claim.group}/undo/").status_code == 404

    assert count_trusted(owner) == 2


def test_an_undo_leaves_a_fact_that_was_corrected_at_the_same_time(
    owner: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = [accept_new(owner, f"You know {name}", origin=Origin.IMPORTED) for name in ("Anna", "Zoe")]
    with owner.unlocked():
        services.claim_facts(owner_id=owner.id, fact_ids=[fact.id for fact in facts])
        (claim,) = found = list_claims(owner.id)
        text = FactText.create("You know Eva")
        services.correct_fact(owner_id=owner.id, fact_id=facts[0].id, text=text)
        monkeypatch.setattr(claims, "list_claims", lambda _owner_id: found)

        assert claims.unclaim(owner.id, claim.group) == 1

        assert Fact.objects.get(id=facts[0].id).body["text"] == "You know Eva"


def test_a_damaged_fact_is_named_and_passed_over(owner: Resident) -> None:
    whole, damaged = (
        accept_new(owner, f"You know {name}", origin=Origin.IMPORTED) for name in ("Anna", "Zoe")
    )
    with connection.cursor() as cursor:
        cursor.execute("UPDATE traces_fact SET origin = 'program' WHERE id = %s", [damaged.id.hex])

    with owner.unlocked():
        count = services.claim_facts(owner_id=owner.id, fact_ids=[whole.id, damaged.id])

    assert count == 1
    assert "A fact whose data was changed on the disk" in read(owner.get("/facts/mine/")).one("main").text
