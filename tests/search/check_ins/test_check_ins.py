"""Tests of one check-in: its prompt, its proposals, and their acceptance."""

from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from diary.models import Entry, Origin
from llamora.inference.registry import registry
from search.checkins import services
from search.checkins.tasks import MAX_ANSWER_TOKENS, MAX_PROMPT_TOKENS
from search.models import CheckIn, CheckInProposal
from tests.diary.tabs import ServingLoop
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, make_unending
from tests.fakes.waiting import wait_for
from tests.page import read
from tests.people import Resident
from tests.search.check_ins.checking_in import (
    FATHER,
    GARDEN,
    NOW,
    build_answer,
    build_proposal,
    check_in,
    get_record,
    list_texts,
    read_requests,
    switch_on,
    write_requests,
)
from tests.search.indexing import open_index
from tests.traces.facts.fact_steps import accept_new, add_fact
from traces.facts.models import Fact

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("embedder", "live")]

TULIPS = "The garden is full of tulips."


@pytest.fixture
def owner(live: ServingLoop, owner: Resident) -> Resident:
    owner.write(TULIPS, day=date(2026, 2, 27))
    owner.write("Father had his tooth out.", day=date(2026, 2, 28))
    return owner


def propose(who: Resident, model: FakeModelServer, text: str = "Are the tulips still out?") -> UUID:
    """Let a check-in propose a text, and return the id of the proposal."""
    model.add_json_scripts(build_answer(build_proposal(text, "full of tulips")))
    check_in(who)
    return CheckInProposal.objects.filter(owner_id=who.id).latest("created_at").id


def test_a_check_in_proposes_a_text_and_leaves_a_record(owner: Resident, model: FakeModelServer) -> None:
    write_requests(owner, GARDEN, FATHER)
    model.add_json_scripts(
        build_answer(build_proposal("Are the tulips still out?", "full of tulips", "of roses"))
    )

    check_in(owner)

    assert list_texts(owner) == ["Are the tulips still out?"]
    record = get_record(owner)
    assert (record.state, record.reason, record.due_at) == ("done", "", NOW)
    assert record.body["model"] == "fake-model"
    assert record.body["prompt"].startswith("check_in ")
    assert 0 < record.body["prompt_tokens"] <= MAX_PROMPT_TOKENS
    with owner.unlocked():
        [proposal] = CheckInProposal.objects.filter(owner_id=owner.id)
        assert proposal.body["request"] == GARDEN
        assert proposal.body["quotes"] == ["full of tulips"]
    [call] = model.asked_for_json
    assert call["max_tokens"] <= MAX_ANSWER_TOKENS


def test_it_reads_trusted_texts_only_and_none_of_them_in_the_system_turn(
    owner: Resident, model: FakeModelServer
) -> None:
    foreign = owner.write("The garden of the neighbours is a secret.", origin=Origin.IMPORTED)
    add_fact(owner, "You have a garden in Graz")
    for origin in (Origin.IMPORTED, Origin.PROGRAM):
        accept_new(owner, f"The garden of strangers, {origin}", origin=origin)
    accept_new(owner, "The garden of strangers, from their entry", entry=foreign)
    write_requests(owner, GARDEN)
    model.add_json_scripts(build_answer())

    check_in(owner)

    system, user = (str(turn["content"]) for turn in model.asked_for_json[0]["messages"])
    assert TULIPS in user
    assert "garden in Graz" in user
    assert GARDEN in user
    assert "neighbours" not in system + user
    assert "strangers" not in system + user
    assert "tulips" not in system
    assert GARDEN not in system


@pytest.mark.parametrize("origin", [Origin.IMPORTED, Origin.PROGRAM])
def test_requests_of_others_are_none(owner: Resident, model: FakeModelServer, origin: str) -> None:
    write_requests(owner, GARDEN, origin=origin)

    assert check_in(owner).problem == services.NO_REQUESTS
    assert model.asked_for_json == []


def test_without_an_open_request_the_model_is_not_asked(owner: Resident, model: FakeModelServer) -> None:
    without_note = check_in(owner).problem
    write_requests(owner, f"{GARDEN} (when: Sundays)")

    assert without_note == check_in(owner).problem == services.NO_REQUESTS
    assert model.asked_for_json == []
    assert not CheckIn.objects.exists()


def test_what_is_due_once_is_made_once(owner: Resident, model: FakeModelServer) -> None:
    write_requests(owner, GARDEN)
    model.add_json_scripts(build_answer(), build_answer())

    check_in(owner)

    assert check_in(owner).problem == services.MADE_ALREADY
    assert len(model.asked_for_json) == 1


def test_the_same_text_is_not_shown_again_within_a_day(owner: Resident, model: FakeModelServer) -> None:
    write_requests(owner, GARDEN)
    texts = ["Are the  tulips out?", "are the tulips out?", "Something else."]
    model.add_json_scripts(
        build_answer(*(build_proposal(text) for text in texts)),
        build_answer(build_proposal("Are the tulips out?")),
        build_answer(build_proposal("Are the tulips out?")),
    )

    check_in(owner)
    services_at_once = list_texts(owner)
    with owner.unlocked():
        for proposal in CheckInProposal.objects.all():
            services.dismiss(owner.id, proposal.id)
    check_in(owner, now=NOW + timedelta(hours=23))
    within_a_day = list_texts(owner)
    check_in(owner, now=NOW + timedelta(hours=25))

    assert services_at_once == ["Are the  tulips out?", "Something else."]
    assert within_a_day == []
    assert list_texts(owner) == ["Are the tulips out?"]


@pytest.mark.parametrize("answer", ["I have nothing to say.", '{"text": "Are the tulips out?"}'])
def test_an_answer_of_another_form_proposes_nothing_and_says_so(
    owner: Resident, model: FakeModelServer, answer: str
) -> None:
    write_requests(owner, GARDEN)
    model.add_json_scripts(Script(tokens=[answer]))

    check_in(owner)

    assert list_texts(owner) == []
    assert (get_record(owner).state, get_record(owner).reason) == ("done", "unreadable")
    page = read(owner.get("/check-ins/"))
    assert "of another form" in page.one("[aria-labelledby=check-in-records]").text


@pytest.mark.parametrize("end", ["lock", "stop"])
def test_a_lock_or_a_pause_ends_one_that_is_being_made(
    owner: Resident, model: FakeModelServer, end: str
) -> None:
    switch_on(owner)
    write_requests(owner, GARDEN)
    model.add_json_scripts(make_unending())
    open_index(owner)
    with owner.unlocked():
        started = services.start_check_in(person=owner.person, keyring=owner.keyring, due_at=NOW, now=NOW)
    assert started.job is not None
    wait_for(lambda: len(model.asked_for_json) == 1)

    if end == "lock":
        owner.lock()
    else:
        assert owner.post("/check-ins/pause/").status_code == 302

    assert model.wait_for_hang_up()
    assert registry.wait_until_over(started.job.id, patience=20)
    assert CheckIn.objects.get().state in ("interrupted", "stopped")
    assert not CheckInProposal.objects.exists()


def test_a_proposal_becomes_an_entry_that_says_a_model_wrote_it(
    owner: Resident, model: FakeModelServer
) -> None:
    write_requests(owner, GARDEN)
    proposal_id = propose(owner, model)

    answer = owner.post(f"/check-ins/proposals/{proposal_id}/entry/")

    assert answer.status_code == 302
    with owner.unlocked():
        entry = Entry.objects.for_owner(owner.id).get(origin=Origin.MODEL)
        assert (entry.text, entry.day) == ("Are the tulips still out?", owner.today)
    page = read(owner.get("/"))
    assert "fake-model" in page.one(f"#entry-{entry.id}").text
    assert list_texts(owner) == []
    # A second press finds nothing, and makes nothing.
    assert owner.post(f"/check-ins/proposals/{proposal_id}/entry/").status_code == 404


def test_a_proposal_becomes_a_fact_with_its_quote_once(owner: Resident, model: FakeModelServer) -> None:
    write_requests(owner, GARDEN)
    first = propose(owner, model, "You have a garden with tulips.")

    assert owner.post(f"/check-ins/proposals/{first}/fact/").status_code == 302

    with owner.unlocked():
        [fact] = Fact.objects.only_accepted(owner.id)
        assert fact.body["text"] == "You have a garden with tulips."
        assert fact.body["quote"]["text"] == "full of tulips"
        assert fact.origin == Origin.MODEL
    model.add_json_scripts(build_answer(build_proposal("You have a garden with tulips.")))
    check_in(owner, now=NOW + timedelta(hours=30))
    [again] = CheckInProposal.objects.filter(is_open=True)
    owner.post(f"/check-ins/proposals/{again.id}/fact/")
    with owner.unlocked():
        assert Fact.objects.only_accepted(owner.id).count() == 1


def test_a_request_is_marked_as_done_in_the_note(owner: Resident, model: FakeModelServer) -> None:
    write_requests(owner, GARDEN, FATHER)
    proposal_id = propose(owner, model)

    answer = owner.post(f"/check-ins/proposals/{proposal_id}/done/")

    page = read(owner.get(answer["Location"]))
    assert read_requests(owner) == f"- [x] {GARDEN}\n- [ ] {FATHER}\n"
    assert "marked as done" in page.one("[role=status]").text
    assert list_texts(owner) == []


def test_dismissing_takes_it_off_both_pages_and_leads_back(owner: Resident, model: FakeModelServer) -> None:
    write_requests(owner, GARDEN)
    proposal_id = propose(owner, model)
    before = [read(owner.get(path)).one(f"#proposal-{proposal_id}").text for path in ("/", "/check-ins/")]
    records = read(owner.get("/check-ins/")).one("[aria-labelledby=check-in-records]").text

    answer = owner.post(f"/check-ins/proposals/{proposal_id}/dismiss/?today")

    assert all("Are the tulips still out?" in text and "full of tulips" in text for text in before)
    assert answer["Location"] == "/"
    assert "1 text proposed." in records
    for path in ("/", "/check-ins/"):
        assert read(owner.get(path)).all(".check-in-proposal") == []
    assert list_texts(owner) == []


@pytest.mark.parametrize("what", ["entry", "fact", "done", "dismiss"])
def test_somebody_elses_proposal_is_like_one_that_is_not_there(
    owner: Resident, housemate: Resident, model: FakeModelServer, what: str
) -> None:
    write_requests(owner, GARDEN)
    proposal_id = propose(owner, model)

    answers = [housemate.post(f"/check-ins/proposals/{id_}/{what}/") for id_ in (proposal_id, uuid4())]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert list_texts(owner) == ["Are the tulips still out?"]


def test_one_by_hand_works_while_they_are_off_and_says_why_not(
    owner: Resident, model: FakeModelServer
) -> None:
    refused = owner.post("/check-ins/now/")
    write_requests(owner, GARDEN)
    model.add_json_scripts(build_answer(build_proposal("Are the tulips out?")))
    started = owner.post("/check-ins/now/")
    wait_for(lambda: list_texts(owner) == ["Are the tulips out?"])

    assert refused.status_code == 503
    assert "No standing request is open now" in read(refused).one("[role=alert]").text
    assert started.status_code == 302
    assert CheckIn.objects.get().is_by_hand


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ({"start": "soon"}, "Write both hours as a time of day"),
        ({"start": "07:15+01:00"}, "Write both hours as a time of day"),
        ({"end": "21:00Z"}, "Write both hours as a time of day"),
        ({"end": ""}, "Write both hours as a time of day"),
        ({"interval": "1"}, "Choose how often from the list"),
        ({"interval": "x"}, "Choose how often from the list"),
    ],
)
def test_choices_that_cannot_be_made_are_refused_and_stay_as_typed(
    owner: Resident, bad: dict[str, str], sentence: str
) -> None:
    fields = {"on": "on", "interval": "30", "start": "07:15", "end": "21:00", **bad}

    answer = owner.post("/check-ins/", **fields)

    page = read(answer)
    assert answer.status_code == 422
    assert sentence in page.one("[role=alert]").text
    assert page.one("#start").get("value") == fields["start"]
    assert page.has("#check-ins-on[checked]")
