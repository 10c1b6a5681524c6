"""Tests of summaries: generated on request, stale after changes, deleted with their sources."""

import time
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection

from diary.entries.services import delete_entry, destroy_entry, edit_entry
from diary.models import Origin
from llamora.inference.job import JobOutcome, JobState, RowDeleted
from llamora.llm.deltas import ChatMessages
from tests.diary.fences import fence, hide_codes
from tests.diary.tabs import ServingLoop, run_serving_loop
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script
from tests.fakes.waiting import PATIENCE
from tests.page import read
from tests.people import Resident
from tests.traces.tagging import add_to_entries, add_traces
from traces import messages
from traces.editing import services as editing_services
from traces.models import Trace
from traces.summaries.services import MAX_ENTRY_LENGTH
from traces.summaries.tasks import SummaryEntry, SummaryTask, shorten_around
from traces.tagging import services as tagging_services

pytestmark = pytest.mark.django_db(transaction=True)
POLLS = 'hx-trigger="load'
STALE = messages.SUMMARY_STALE


def trace_on_two_entries(owner: Resident) -> Trace:
    """A trace on two entries; a third entry has another trace."""
    first = owner.write("Began the boat.", day=date(2020, 1, 2))
    trace = add_traces(owner, first, "Boat")[0]
    add_to_entries(owner, trace, [owner.write("Sank it.", day=date(2021, 3, 4))])
    add_traces(owner, owner.write("NOT THIS ONE", day=date(2021, 3, 5)), "other")
    return trace


def request_summary(owner: Resident, trace_id: UUID) -> str:
    """Request a summary as the button does, and poll until it is generated."""
    page = owner.post(f"/traces/{trace_id}/summary/", script=True).content.decode()
    until = time.monotonic() + PATIENCE
    while POLLS in page:
        assert time.monotonic() < until
        time.sleep(0.03)
        page = owner.get(f"/traces/{trace_id}/summary/", script=True).content.decode()
    return str(page)


def test_exactly_its_entries_leave_the_process_in_the_order_of_time(
    live: ServingLoop, model: FakeModelServer, owner: Resident, housemate: Resident
) -> None:
    trace = trace_on_two_entries(owner)
    add_traces(housemate, housemate.write("HOUSEMATE"), "Boat")
    model.add_scripts(Script(tokens=["You built *a boat* ", "and sank it."]))

    page = request_summary(owner, trace.id)

    system, said = (turn["content"] for turn in model.calls[0]["messages"])
    assert system.startswith("You sum up for its writer what a private diary says under one label")
    read = fence(
        {"day": "2 January 2020", "text": "Began the boat."}, {"day": "4 March 2021", "text": "Sank it."}
    )
    assert hide_codes(said) == (
        f"The label:\n{fence('Boat')}\n\nThe entries with it:\n{read}\n\n"
        "Sum up what these entries say about the label, in three to five short sentences "
        'in the language of the diary, and call the writer "you".'
    )
    assert "You built <em>a boat</em> and sank it." in page
    assert "Summarize" not in page


def test_of_a_long_entry_the_passage_with_the_name_is_read(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    padding = "Walked to the mill and home again. " * 40
    entry = owner.write(f"{padding}Caulked the Boat at noon. {padding}{padding}")
    trace = add_traces(owner, entry, "boat")[0]

    request_summary(owner, trace.id)

    said = model.calls[0]["messages"][1]["content"]
    assert "Caulked the Boat at noon." in said
    assert len(said) < MAX_ENTRY_LENGTH + 500


@pytest.mark.parametrize(
    ("text", "holds"), [("ẞ " * 200 + "boat", "boat"), ("İ" * 300 + " boat " + "b" * 900, "İ"), ("", "")]
)
def test_a_shortened_text_is_within_its_limit_whatever_its_letters_are(text: str, holds: str) -> None:
    short = shorten_around(text, "BOAT", limit=100)

    assert len(short) <= 100 + len(" … ")
    assert holds in short


def test_looking_makes_nothing_and_a_true_one_is_not_made_again(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    trace = trace_on_two_entries(owner)
    assert messages.SUMMARIZE in owner.get(f"/traces/{trace.id}/").content.decode()
    assert not model.calls
    request_summary(owner, trace.id)

    owner.get(f"/traces/{trace.id}/")
    request_summary(owner, trace.id)

    assert len(model.calls) == 1


def test_an_edit_a_new_entry_or_a_new_name_makes_it_stale_until_asked_again(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    trace = trace_on_two_entries(owner)
    model.add_scripts(Script(tokens=["First."]), Script(tokens=["Second."]))
    assert STALE not in request_summary(owner, trace.id)
    entry = owner.write("Raised it.", day=date(2022, 5, 6))

    def page() -> str:
        return str(owner.get(f"/traces/{trace.id}/").content.decode())

    add_to_entries(owner, trace, [entry])
    assert STALE in page()
    assert "First." in page()
    assert len(model.calls) == 1
    assert "Second." in request_summary(owner, trace.id)
    assert STALE not in page()
    with owner.unlocked():
        edit_entry(owner_id=owner.id, entry_id=entry.id, text="Raised it again.", revision=1)
    assert STALE in page()
    request_summary(owner, trace.id)
    with owner.unlocked():
        editing_services.rename_trace(owner_id=owner.id, trace_id=trace.id, name="Ship")
    assert STALE in page()


def test_it_is_sealed_with_its_digest(live: ServingLoop, model: FakeModelServer, owner: Resident) -> None:
    trace = trace_on_two_entries(owner)
    model.add_scripts(Script(tokens=["Marrowbone."]))
    request_summary(owner, trace.id)

    with owner.unlocked():
        body = Trace.objects.get(id=trace.id).summary
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM traces_trace")
        rows = str(cursor.fetchall())

    assert body["text"] == "Marrowbone."
    assert len(bytes.fromhex(body["digest"])) == 32
    assert "Marrowbone" not in rows
    assert body["digest"] not in rows


def test_it_goes_when_an_entry_loses_the_trace_or_is_destroyed(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    trace = trace_on_two_entries(owner)
    request_summary(owner, trace.id)
    kept = trace.kept.order_by("id")
    with owner.unlocked():
        tagging_services.remove_trace(owner_id=owner.id, entry_id=kept[0].entry_id, trace_id=trace.id)
    assert Trace.objects.filter(id=trace.id, summary__isnull=True).exists()

    request_summary(owner, trace.id)
    entry_id = kept[0].entry_id
    with owner.unlocked():
        delete_entry(owner_id=owner.id, entry_id=entry_id)
        assert not Trace.objects.filter(id=trace.id, summary__isnull=True).exists()
    destroy_entry(owner_id=owner.id, entry_id=entry_id)

    assert Trace.objects.filter(id=trace.id, summary__isnull=True).exists()


def test_a_model_that_fails_leaves_a_sentence_and_the_button(owner: Resident, transactional_db: None) -> None:
    trace = trace_on_two_entries(owner)
    with FakeModelServer(Script(status=500), Script(tokens=["Now."])) as model, run_serving_loop(model.url):
        page = request_summary(owner, trace.id)
        assert any(text.endswith(".") for text in read(page).texts('[role="status"]'))
        assert messages.SUMMARIZE in page
        assert Trace.objects.filter(id=trace.id, summary__isnull=True).exists()

        assert "Now." in request_summary(owner, trace.id)


def test_without_a_model_there_is_no_button_and_what_is_kept_is_shown(
    owner: Resident, transactional_db: None
) -> None:
    trace = trace_on_two_entries(owner)
    with FakeModelServer(Script(tokens=["Kept."])) as model, run_serving_loop(model.url):
        request_summary(owner, trace.id)
    other = add_traces(owner, owner.write("A"), "bare")[0]

    with run_serving_loop("http://127.0.0.1:9"):
        kept, bare = (owner.get(f"/traces/{one.id}/").content.decode() for one in (trace, other))

    assert "Kept." in kept
    assert "Summarize" not in kept + bare


def test_without_script_asking_leads_back_to_the_trace(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    trace = trace_on_two_entries(owner)

    answer = owner.post(f"/traces/{trace.id}/summary/")

    assert answer["Location"] == f"/traces/{trace.id}/#summary"
    assert model.wait_for_calls(1)


def test_what_comes_for_a_trace_that_is_gone_is_let_go(owner: Resident) -> None:
    trace = trace_on_two_entries(owner)
    errand = SummaryTask(
        id=uuid4(), owner_id=owner.id, trace_id=trace.id, name="Boat", entries=(), count=2, digest="d"
    )
    with owner.unlocked():
        errand.save(JobOutcome(text="Half", state=JobState.STOPPED))
        assert Trace.objects.filter(id=trace.id, summary__isnull=True).exists()
        editing_services.delete_trace(owner_id=owner.id, trace_id=trace.id)
        with pytest.raises(RowDeleted):
            errand.save(JobOutcome(text="Whole", state=JobState.DONE))


def test_entries_that_their_owner_did_not_write_are_left_out(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    trace = trace_on_two_entries(owner)
    add_to_entries(owner, trace, [owner.write("FOREIGN", day=date(2022, 1, 1), origin=Origin.IMPORTED)])

    request_summary(owner, trace.id)

    said = str(model.calls[0]["messages"])
    assert "FOREIGN" not in said
    assert "The entries with it:" in said
    with owner.unlocked():
        summary = Trace.objects.get(id=trace.id).summary
        assert summary is not None
        assert [summary["read"], summary["of"], summary["clean"]] == [2, 2, True]


async def test_what_does_not_fit_is_left_out_from_its_oldest_end_and_said() -> None:
    class Small:
        offer = None
        thinking_tokens = 0

        async def count_message_tokens(self, turns: ChatMessages) -> int:
            return sum(len(turn["content"]) for turn in turns)

    told = tuple(
        SummaryEntry(day=date(2026, 1, 1) + timedelta(days=n), text=f"{n} " + "word " * 60) for n in range(30)
    )
    errand = SummaryTask(
        id=uuid4(), owner_id=uuid4(), trace_id=uuid4(), name="Boat", entries=told, count=90, digest=""
    )

    prompt = await errand.build_prompt(Small(), share=1.0)

    said = prompt.messages[1]["content"]
    assert '"30 January 2026"' in said
    assert '"1 January 2026"' not in said
    assert 0 < errand.read < 30
    assert f"Of 90 entries with it, the latest {errand.read}:" in said
