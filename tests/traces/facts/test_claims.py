"""Tests of "This is mine" for facts that came with a file or from a program."""

import pytest
from django.db import connection

from diary.models import Origin
from tests.page import read
from tests.people import PASSWORD, Resident, register_resident
from tests.traces.facts.telling import accept_new, propose_fact
from traces.facts import services
from traces.facts.models import Fact, FactState
from traces.facts.pages.claim_views import PAGE_SIZE
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


def test_all_that_a_page_shows_become_its_owners_with_the_password(db: None) -> None:
    owner = register_resident("Olive", signed_in=True)
    facts = [accept_new(owner, f"You know Anna {number}", origin=Origin.IMPORTED) for number in range(3)]
    accept_new(owner, "You have a dog")
    notice = read(owner.get("/facts/")).one('a[href="/facts/mine/"]')
    assert notice.text == "Look at them"

    page = read(owner.get("/facts/mine/"))
    assert sorted(page.texts(".fact-row-text")) == [f"You know Anna {number}" for number in range(3)]
    shown = page.values('input[name="fact"]', "value")
    assert sorted(shown) == sorted(str(fact.id) for fact in facts)
    late = accept_new(owner, "You know Zoe", origin=Origin.PROGRAM)
    assert owner.post("/facts/mine/", current="wrong", fact=shown).status_code == 422
    assert count_trusted(owner) == 1
    assert owner.post("/facts/mine/", current=PASSWORD, fact=shown).status_code == 302

    assert count_trusted(owner) == 4
    assert read(owner.get("/facts/mine/")).texts(".fact-row-text") == ["You know Zoe"]
    owner.post(f"/facts/{late.id}/mine/")
    assert read(owner.get("/facts/mine/")).one(".empty").text == "All your facts are yours."
    assert not read(owner.get("/facts/")).has('a[href="/facts/mine/"]')


def test_what_is_no_id_of_such_a_fact_changes_nothing(housemate: Resident) -> None:
    owner = register_resident("Olive", signed_in=True)
    other = accept_new(housemate, "You live in Bonn", origin=Origin.IMPORTED)
    sent = ["x", str(other.id), *["0" * 32] * PAGE_SIZE]

    assert owner.post("/facts/mine/", current=PASSWORD, fact=sent).status_code == 302

    assert (count_trusted(owner), count_trusted(housemate)) == (0, 0)


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
