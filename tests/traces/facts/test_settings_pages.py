"""Tests of the settings of facts, of their export and import by a person, and of links to facts."""

import csv
import io
import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.page import read
from tests.people import PASSWORD, Resident, register_resident
from tests.traces.facts.test_services import add, propose_new
from tests.traces.tagging import add_traces
from traces.facts.models import Fact, FactState
from traces.facts.queries import load_choices
from traces.facts.services import forget_fact


def upload(who: Resident, content: bytes) -> Any:
    return who.post("/facts/import/", file=SimpleUploadedFile("memories.json", content))


def test_choices_are_off_until_they_are_chosen_and_are_saved(owner: Resident) -> None:
    page = read(owner.get("/facts/settings/"))
    assert page.form('form[action="/facts/settings/"]').keys() == {"csrfmiddlewaretoken", "owner"}

    owner.post("/facts/settings/", proposes_after_reply="on")

    with owner.unlocked():
        choices = load_choices(owner.id)
    assert (choices.proposes_after_reply, choices.confirms_same) == (True, False)
    page = read(owner.get("/facts/settings/"))
    assert page.has("#after-reply[checked]")
    assert not page.has("#confirms-same[checked]")


def test_the_settings_of_the_account_lead_to_those_of_facts(owner: Resident) -> None:
    assert read(owner.get("/settings/")).has('main a[href="/facts/settings/"]')


@pytest.fixture
def rosa(db: None) -> Resident:
    rosa = register_resident("Rosa", signed_in=True)
    with rosa.unlocked():
        add(rosa, "You like tea", kind="preferences")
        add(rosa, "Anna likes cake", kind="people")
        propose_new(rosa, "You like rain")
    return rosa


def export(who: Resident, **fields: str) -> Any:
    chosen = {"text_format": "json", "states": "accepted", "current": PASSWORD, **fields}
    return who.post("/facts/export/", **chosen)


def read_stream(answer: Any) -> str:
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode()


@pytest.mark.django_db(transaction=True)
def test_facts_are_exported_after_the_password_in_each_format(rosa: Resident) -> None:
    answer = export(rosa, states="all")
    memories = json.loads(read_stream(answer))["memories"]
    table = list(csv.reader(io.StringIO(read_stream(export(rosa, text_format="csv", kind="people")))))

    assert {each["content"] for each in memories} == {"You like tea", "Anna likes cake", "You like rain"}
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="facts-20')
    assert [row[1] for row in table[1:-1]] == ["Anna likes cake"]
    assert "You like tea" in read_stream(export(rosa, text_format="markdown"))
    assert "You like rain" not in read_stream(export(rosa, text_format="text"))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"current": "not my password"}, "password"),
        ({"text_format": "pdf"}, "pdf"),
        ({"since": "2026-03-05", "until": "2026-03-04"}, "before the first day"),
        ({"since": "soon"}, "valid date"),
    ],
)
def test_an_export_with_a_wrong_field_says_which_and_sends_nothing(
    rosa: Resident, fields: dict[str, str], problem: str
) -> None:
    answer = export(rosa, **fields)

    assert answer.status_code == 422
    assert problem in " ".join(read(answer).texts(".field-error"))
    assert "You like tea" not in answer.content.decode()


def test_without_facts_the_export_leads_to_the_first(owner: Resident) -> None:
    page = read(owner.get("/facts/export/"))

    assert page.has('main a[href="/facts/add/"]')
    assert not page.has('main form[action="/facts/export/"]')


def test_memories_of_a_file_become_suggestions(owner: Resident) -> None:
    with owner.unlocked():
        forget_fact(owner_id=owner.id, fact_id=add(owner, "You like rain").id)
    rows = [{"content": text} for text in ("You like tea", "You like rain", "")]

    page = read(upload(owner, json.dumps({"memories": rows}).encode()))
    again = read(upload(owner, json.dumps({"memories": rows}).encode()))

    said = page.one(".notice").text
    assert "1 suggestion waits for you." in said
    assert "1 was suggested, accepted, declined or forgotten before." in said
    assert "Memory 3: " in said
    assert "Nothing in this file is new." in again.one(".notice").text
    assert [*Fact.objects.values_list("state", flat=True)] == [FactState.PROPOSED]
    suggested = read(owner.get("/facts/?state=proposed")).one(".fact-proposal")
    assert suggested.one(".fact-source").text == "Imported from Harmonia"


@pytest.mark.parametrize("content", [b"", b"not json", b'{"entries": []}', b"\xff\xfe"])
def test_a_file_without_memories_says_what_to_choose(owner: Resident, content: bytes) -> None:
    answer = upload(owner, content)

    assert answer.status_code == 422
    assert (
        "Choose" in read(answer).one(".field-error").text or "again" in read(answer).one(".field-error").text
    )


def test_no_file_says_so(owner: Resident) -> None:
    answer = owner.post("/facts/import/")

    assert answer.status_code == 422
    assert read(answer).one(".field-error").text == "Choose a file first."


def test_a_file_as_large_as_a_request_may_be_arrives_whole(owner: Resident) -> None:
    rows = [{"content": f"You own teacup {number}", "note": "x" * 30_000} for number in range(100)]

    page = read(upload(owner, json.dumps(rows).encode()))

    assert "100 suggestions wait for you." in page.one(".notice").text


def test_the_page_of_a_trace_leads_to_the_facts_that_name_it(owner: Resident) -> None:
    anna, rain = add_traces(owner, owner.write("With Anna."), "Anna", "rain")
    with owner.unlocked():
        for text in ("Anna likes cake", "Your sister is Anna", "Annabel likes tea"):
            add(owner, text)

    link = read(owner.get(f"/traces/{anna.id}/")).one(".trace-facts a")
    listed = read(owner.get(link.get("href")))

    assert link.text == "2 facts name it"
    assert sorted(listed.texts(".fact-row-text")) == ["Anna likes cake", "Your sister is Anna"]
    assert not read(owner.get(f"/traces/{rain.id}/")).has(".trace-facts")
    assert owner.get(f"/facts/?about={owner.id}").status_code == 404
