"""Tests of the pages of facts: the list, one fact, and its forms."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import QuerySet

from diary.models import Entry, Origin
from llamora.fields import new_id
from tests.page import HtmlNode, read
from tests.people import Resident
from tests.traces.facts.test_services import add, build, list_texts, propose_new
from traces.facts import services
from traces.facts.comparison import Strategy
from traces.facts.models import DeclinedFact, Fact, FactState
from traces.facts.pages.list_cache import listed_facts_cache
from traces.facts.queries import list_changes


@pytest.fixture
def olive(owner: Resident) -> Iterator[Resident]:
    with owner.unlocked():
        yield owner


def open_list(who: Resident, query: str = "") -> HtmlNode:
    answer = who.get(f"/facts/{query}")
    assert answer.status_code == 200
    return read(answer)


def list_groups(page: HtmlNode) -> dict[str, list[str]]:
    return {group.one("h2").text: group.texts(".fact-row-text") for group in page.all(".fact-group")}


def find(who: Resident, words: str, **fields: str) -> list[str]:
    return read(who.post("/facts/", typed=words, **fields)).texts(".fact-row-text")


def act(who: Resident, fact: Fact, what: str, **fields: str) -> Any:
    return who.post(f"/facts/{fact.id}/{what}/", **fields)


def propose_from(who: Resident, entry: Entry, text: str, **details: Any) -> Fact:
    return propose_new(who, text, entry_id=entry.id, details=details)


# --- The list ----------------------------------------------------------------------------------------------


def test_without_facts_the_page_says_what_one_is_and_leads_to_the_first(olive: Resident) -> None:
    page = open_list(olive)

    assert page.one(".empty").text == "No facts yet."
    assert page.has('main a.button[href="/facts/add/"]')
    assert not page.has(".fact-filters")


def test_facts_are_listed_by_subject_the_owner_first_and_the_newest_first(olive: Resident) -> None:
    for text in ("Zoe likes tea", "You live in Bonn", "Your mother lives in Graz", "Anna likes tea"):
        add(olive, text)
    add(olive, "You have a dog called Biggie")
    add(olive, "Every winter it rains")
    add(olive, "Mara is your neighbour; she has a key")

    assert list_groups(open_list(olive)) == {
        "You": ["You have a dog called Biggie", "You live in Bonn"],
        "Anna": ["Anna likes tea"],
        "Mara": ["Mara is your neighbour; she has a key"],
        "Your mother": ["Your mother lives in Graz"],
        "Zoe": ["Zoe likes tea"],
        "Other things": ["Every winter it rains"],
    }


def test_the_list_follows_each_change(olive: Resident) -> None:
    tea, dog = add(olive, "You like tea"), add(olive, "You have a dog")
    assert list_groups(open_list(olive)) == {"You": ["You have a dog", "You like tea"]}

    services.correct_fact(owner_id=olive.id, fact_id=tea.id, text=build("You like green tea"))
    services.forget_fact(owner_id=olive.id, fact_id=dog.id)
    add(olive, "Anna likes tea")

    assert list_groups(open_list(olive)) == {"You": ["You like green tea"], "Anna": ["Anna likes tea"]}


def test_it_is_narrowed_by_state_kind_and_words(olive: Resident) -> None:
    add(olive, "You like green tea", kind="preferences")
    add(olive, "Größe matters to Anna", kind="other thing")
    ended = add(olive, "You live in Bonn", kind="places")
    act(olive, ended, "change", on="2026-03-05")

    assert open_list(olive, "?state=ended").texts(".fact-row-text") == ["You live in Bonn"]
    assert open_list(olive, "?kind=preferences").texts(".fact-row-text") == ["You like green tea"]
    assert open_list(olive, "?kind=other").texts(".fact-row-text") == ["Größe matters to Anna"]
    assert find(olive, "TEA green") == ["You like green tea"]
    assert find(olive, "grosse") == find(olive, "größe") == ["Größe matters to Anna"]
    assert find(olive, "tea", kind="places") == []
    assert find(olive, "bonn", state="ended") == ["You live in Bonn"]


def test_typed_words_are_in_no_address_of_the_page(olive: Resident) -> None:
    for number in range(60):
        add(olive, f"You own teacup {number}")

    page = read(olive.post("/facts/", typed="teacup"))

    assert len(page.all(".fact-row")) == 50
    assert not any("teacup" in address for address in page.links())
    further = read(olive.post("/facts/", typed="teacup", page=page.one('button[name="page"]').get("value")))
    assert len(further.all(".fact-row")) == 10


def test_what_another_person_noted_is_not_listed(olive: Resident, housemate: Resident) -> None:
    with housemate.unlocked():
        theirs = add(housemate, "You live in Rome")

    assert list_groups(open_list(olive)) == {}
    assert olive.get(f"/facts/{theirs.id}/").status_code == 404
    for what in ("accept", "decline", "correct", "change", "undo", "forget"):
        assert act(olive, theirs, what, text="You live in Bonn").status_code == 404
    assert olive.get(f"/facts/{uuid4()}/").status_code == 404


def test_a_lock_drops_the_facts_from_memory(olive: Resident, django_capture_on_commit_callbacks: Any) -> None:
    add(olive, "You like tea")
    open_list(olive)
    held = listed_facts_cache.has_value(olive.id)

    with django_capture_on_commit_callbacks(execute=True):
        olive.lock()

    assert (held, listed_facts_cache.has_value(olive.id)) == (True, False)


def test_a_damaged_fact_says_so_and_can_be_forgotten(olive: Resident) -> None:
    bad, good = add(olive, "You like tea"), add(olive, "Anna likes tea")
    QuerySet.update(Fact._base_manager.filter(id=bad.id), state=FactState.ENDED)

    assert list_groups(open_list(olive, "?state=ended")) == {
        "Could not be opened": ["A fact whose data was changed on the disk"]
    }
    assert "can’t be opened" in read(olive.get(f"/facts/{bad.id}/")).one("main .notice").text
    assert act(olive, bad, "forget").status_code == 302
    assert [*Fact.objects.values_list("id", flat=True)] == [good.id]


# --- A new fact --------------------------------------------------------------------------------------------


def test_a_fact_is_added_by_hand(olive: Resident) -> None:
    answer = olive.post("/facts/add/", text="  Du hast einen Hund  ", kind="belongings")

    fact = Fact.objects.get(owner_id=olive.id)
    assert answer.headers["Location"] == f"/facts/{fact.id}/"
    assert (fact.body["text"], fact.body["kind"]) == ("Du hast einen Hund", "belongings")
    assert (fact.body["language"], fact.state, fact.origin) == ("de", FactState.ACCEPTED, Origin.OWN)


@pytest.mark.parametrize("text", ["", "?!", "x" * 501])
def test_what_can_be_no_fact_is_shown_again_with_the_reason(olive: Resident, text: str) -> None:
    answer = olive.post("/facts/add/", text=text)

    page = read(answer)
    assert answer.status_code == 422
    assert page.one('textarea[name="text"]').raw_text == text
    assert page.one("#fact-error").text.startswith("A fact ")
    assert not Fact.objects.exists()


def test_a_new_fact_that_touches_an_earlier_one_asks_first(olive: Resident) -> None:
    boston = add(olive, "You live in Boston")

    answer = olive.post("/facts/add/", text="You moved to New York")

    page = read(answer)
    assert answer.status_code == 409
    assert list_texts(olive) == ["You live in Boston"]
    assert page.one('textarea[name="text"]').raw_text == "You moved to New York"
    assert page.values('button[name="strategy"]', "value")[0] == "replace"
    assert sorted(page.values('button[name="strategy"]', "value")) == sorted(each.value for each in Strategy)
    assert page.form("form.fact-edit")["earlier"] == str(boston.id)


@pytest.mark.parametrize("strategy", [each.value for each in Strategy])
def test_each_choice_for_a_new_fact_can_be_undone(olive: Resident, strategy: str) -> None:
    boston = add(olive, "You live in Boston")
    before = boston.body

    answer = olive.post(
        "/facts/add/", text="You moved to New York", earlier=str(boston.id), strategy=strategy
    )
    fact = Fact.objects.get(id=answer.headers["Location"].split("/")[2])
    states = {each.body["text"]: each.state for each in Fact.objects.for_owner(olive.id)}
    again = fact if strategy != "update_timestamp" else boston
    act(olive, again, "undo")

    assert states["You live in Boston"] == {
        "replace": FactState.ENDED,
        "merge": FactState.ENDED,
        "archive_old": FactState.ARCHIVED,
    }.get(strategy, FactState.ACCEPTED)
    assert ("You moved to New York" in states) is (strategy != "update_timestamp")
    left = Fact.objects.get(owner_id=olive.id)
    assert (left.id, left.state, left.body) == (boston.id, FactState.ACCEPTED, before)


def test_an_earlier_fact_that_is_gone_meanwhile_leaves_everything(olive: Resident) -> None:
    answer = olive.post("/facts/add/", text="You like tea", earlier=str(new_id()), strategy="replace")

    assert answer.status_code == 409
    assert read(answer).one('textarea[name="text"]').raw_text == "You like tea"
    assert not Fact.objects.exists()


# --- One fact ----------------------------------------------------------------------------------------------


def test_the_page_of_a_fact_shows_its_quote_its_entry_and_its_history(olive: Resident) -> None:
    entry = olive.write("Biggie ate my shoe.")
    fact = propose_from(olive, entry, "You have a dog called Bigie", quote={"text": "Biggie ate my shoe"})
    act(olive, fact, "accept", text="You have a dog called Biggie")

    page = read(olive.get(f"/facts/{fact.id}/"))

    assert page.one("h1").text == "FactsYou have a dog called Biggie"
    assert page.one(".fact-quote").text == "Biggie ate my shoe"
    assert page.has(f'.fact-details a[href="/entries/{entry.id}/"]')
    labels = [item.first("p").raw_text.split("\n")[0] for item in page.all(".fact-history li")]
    assert [label.strip() for label in labels] == ["Accepted", "Suggested"]
    assert "Before: You have a dog called Bigie" in page.one(".fact-history").spaced_text


def test_a_correction_stays_in_the_history_and_can_be_undone(olive: Resident) -> None:
    fact = add(olive, "You live in Bon")

    act(olive, fact, "correct", text="You live in Bonn", kind="places")
    corrected = Fact.objects.get(id=fact.id).body
    act(olive, fact, "undo")

    assert (corrected["text"], corrected["kind"]) == ("You live in Bonn", "places")
    assert list_texts(olive) == ["You live in Bon"]
    assert [change.kind for change in list_changes(fact)] == ["add", "correct", "undo"]


def test_a_refused_correction_is_shown_again_and_changes_nothing(olive: Resident) -> None:
    fact = add(olive, "You live in Bonn")

    answer = act(olive, fact, "correct", text="x" * 501)

    page = read(answer)
    assert answer.status_code == 422
    assert page.one("#fact-text").raw_text == "x" * 501
    assert page.has("details[open] #correct-error")
    assert list_texts(olive) == ["You live in Bonn"]


def test_this_changed_ends_a_fact_and_names_what_is_so_now(olive: Resident) -> None:
    bonn = add(olive, "You live in Bonn")

    answer = act(olive, bonn, "change", text="You live in Graz", on="2026-03-05")

    graz = Fact.objects.get(id=answer.headers["Location"].split("/")[2])
    ended = Fact.objects.get(id=bonn.id)
    assert (graz.body["text"], graz.state) == ("You live in Graz", FactState.ACCEPTED)
    assert (ended.state, ended.successor_id, ended.body["ended"]) == (FactState.ENDED, graz.id, "2026-03-05")
    earlier, newer = (read(olive.get(f"/facts/{fact.id}/")) for fact in (bonn, graz))
    assert earlier.has(f'.fact-details a[href="/facts/{graz.id}/"]')
    assert "Replaced by a newer fact" in earlier.one(".fact-history").text
    assert "Took the place of an earlier fact" in newer.one(".fact-history").text
    assert "Undo “This changed”" in newer.texts("form button")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [({"on": "soon"}, "not a day"), ({"text": "You live in the Bonn", "on": ""}, "same sentence")],
)
def test_a_change_that_says_nothing_is_refused(olive: Resident, fields: dict[str, str], problem: str) -> None:
    fact = add(olive, "You live in Bonn")

    answer = act(olive, fact, "change", **fields)

    assert answer.status_code == 422
    assert problem in read(answer).one("#change-error").text
    assert list_texts(olive) == ["You live in Bonn"]


def test_nothing_left_to_undo_is_said_in_a_sentence(olive: Resident) -> None:
    boston, york = add(olive, "You live in Boston"), propose_new(olive, "You live in New York")
    act(olive, york, "accept", earlier=str(boston.id), strategy="keep_both")
    act(olive, boston, "correct", text="You live in Boston, Massachusetts")

    answer = act(olive, york, "undo")

    assert answer.status_code == 409
    assert "the other fact was changed since" in read(answer).one("main").text
    assert sorted(list_texts(olive)) == ["You live in Boston, Massachusetts", "You live in New York"]


def test_to_forget_says_what_it_deletes_and_deletes_it(olive: Resident) -> None:
    fact = add(olive, "You like tea")
    words = read(olive.get(f"/facts/{fact.id}/")).one(".fact-forget form").text

    act(olive, fact, "forget")

    assert all(word in words for word in ("sentence", "quote", "history", "can’t be undone"))
    assert not Fact.objects.exists()
    assert DeclinedFact.objects.count() == 1


# --- Suggestions -------------------------------------------------------------------------------------------


def test_suggestions_stand_under_their_entry_with_the_quote(olive: Resident) -> None:
    entry, other = olive.write("Biggie ate my shoe."), olive.write("Rain.")
    propose_from(olive, entry, "You have a dog called Biggie", quote={"text": "Biggie ate my shoe"})

    page = read(olive.get(f"/d/{olive.today}/"))

    shown = page.one(f"#entry-{entry.id} .fact-proposal")
    assert shown.one(".fact-text").text == "You have a dog called Biggie"
    assert shown.one(".fact-quote").text == "From the entry: Biggie ate my shoe"
    assert not page.has(f"#entry-{other.id} .fact-proposal")


def test_a_day_without_suggestions_has_nothing_of_facts_in_it(olive: Resident) -> None:
    olive.write("Rain.")
    add(olive, "You like tea")

    assert not read(olive.get(f"/d/{olive.today}/")).has("#entries .facts-on-entry")


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("what", ["accept", "decline"])
def test_a_suggestion_is_accepted_or_declined_under_its_entry(
    olive: Resident, what: str, script: bool
) -> None:
    entry = olive.write("Tea again.")
    fact = propose_from(olive, entry, "You like tea")

    answer = olive.post(f"/facts/{fact.id}/{what}/", script=script, back="entry", text="You like tea")

    assert list_texts(olive) == (["You like tea"] if what == "accept" else [])
    if script:
        page = read(answer)
        assert not page.has(".fact-proposal")
        assert page.has(f"#facts-{entry.id}")
        assert page.has(f'.fact-saved a[href="/facts/{fact.id}/"]') is (what == "accept")
    else:
        assert answer.headers["Location"] == f"/entries/{entry.id}/"


def test_it_is_accepted_corrected(olive: Resident) -> None:
    fact = propose_from(olive, olive.write("Tea again."), "You like te")

    act(olive, fact, "accept", text="You like tea")

    assert list_texts(olive) == ["You like tea"]


def test_a_correction_that_can_be_no_fact_is_shown_again(olive: Resident) -> None:
    entry = olive.write("Tea again.")
    fact = propose_from(olive, entry, "You like tea")

    answer = olive.post(f"/facts/{fact.id}/accept/", script=True, back="entry", text="y" * 501)

    page = read(answer)
    assert answer.status_code == 422
    assert page.one(f"#correct-{fact.id}").raw_text == "y" * 501
    assert page.has(f"#facts-{entry.id} [role=alert]")
    assert Fact.objects.get().state == FactState.PROPOSED


def test_a_conflict_shows_the_earlier_fact_and_seven_choices(olive: Resident) -> None:
    entry, boston = olive.write("We moved."), add(olive, "You live in Boston")
    fact = propose_from(olive, entry, "You live in New York")

    shown = read(olive.get(f"/d/{olive.today}/")).one(".fact-proposal")
    answer = act(olive, fact, "accept", back="entry")

    assert shown.one(".fact-earlier a").get("href") == f"/facts/{boston.id}/"
    assert len(set(shown.values('button[name="strategy"]', "value"))) == len(Strategy)
    assert answer.status_code == 409
    assert list_texts(olive) == ["You live in Boston"]


def test_a_corrected_sentence_that_touches_an_earlier_fact_asks_first(olive: Resident) -> None:
    entry = olive.write("We moved.")
    add(olive, "You live in Boston")
    fact = propose_from(olive, entry, "You saw New York")

    answer = olive.post(f"/facts/{fact.id}/accept/", script=True, back="entry", text="You live in New York")

    page = read(answer)
    assert answer.status_code == 409
    assert page.one(f"#correct-{fact.id}").raw_text == "You live in New York"
    assert len(page.all('button[name="strategy"]')) == len(Strategy)
    assert list_texts(olive) == ["You live in Boston"]


@pytest.mark.parametrize("chosen", [True, False])
def test_the_same_is_said_again_by_itself_only_if_its_owner_chose_that(olive: Resident, chosen: bool) -> None:
    add(olive, "You like tea")
    fact = propose_new(olive, "Anna likes coffee")
    with_choice = services.FactChoices(confirms_same=chosen)
    services.save_choices(owner_id=olive.id, choices=with_choice)

    answer = act(olive, fact, "accept", text="You like the tea")

    assert answer.status_code == (302 if chosen else 409)
    assert list_texts(olive) == ["You like tea"]
