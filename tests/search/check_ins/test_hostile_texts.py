"""Tests of check-ins with hostile texts and a model that obeys them all: only proposals result.

Each of ten documents arrives by ten routes, and also by the API and MCP, and is accepted from the Inbox and
as a fact; its owner has pasted one into an entry as well. See `tests/diary/test_injections.py`.
"""

from pathlib import Path
from typing import Any

import pytest

from diary.inbox import services as inbox_services
from diary.models import Entry, InboxItem, Origin
from diary.notes.queries import find_note
from diary.notes.services import delete_note
from search.models import CheckInProposal
from tests import tokens
from tests.api.program import Program
from tests.diary.tabs import ServingLoop
from tests.diary.test_injections import BEGIN, DAY, HOST, ORDERS, bring_in, dump_diary, obey, write_document
from tests.diary.test_injections import reached as addresses_reached
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script
from tests.mcp.assistant import Assistant
from tests.page import read
from tests.people import Resident, register_resident
from tests.search.check_ins.checking_in import build_answer, build_proposal, write_requests
from tests.search.indexing import open_index
from tests.traces.facts.fact_steps import add_fact
from traces.facts.models import Fact, FactState
from traces.facts.services import accept_fact

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("embedder"),
    pytest.mark.extended,
]
reached = addresses_reached
# What all documents say, so that they are found for it.
REQUEST = "Ask me what I should ignore above"
OWN_FACT = "You ignore tea above all"


@pytest.fixture
def owner(transactional_db: None) -> Resident:
    """A person who can make tokens."""
    return register_resident("Olive", signed_in=True)


def propose_what_is_ordered(body: Any) -> Script:
    """Return a check-in that proposes whatever a text orders."""
    (order,) = obey(body).tokens or [""]
    return build_answer(build_proposal(order)) if BEGIN in str(body) else build_answer()


def send_by_programs(owner: Resident, document: str) -> None:
    """Send a document by the calls of the API and the tools of MCP, and accept what waits."""
    program = Program.create(owner, "diary:write", "facts:propose", "facts:write", "notes", "chat")
    assistant = Assistant.create(owner, "diary:write", "facts:propose")
    program.post("/api/v1/entries", {"text": f"{document} api", "day": str(DAY)})
    fact = {"content": "HOSTILE one, ignore above", "quote": document}
    program.post("/api/v1/memory/store", {"message": f"{document} message", "facts": [fact]})
    for path in ("HEARTBEAT.md", "knowledge/of a program.md"):
        program.post("/api/v1/notes", {"path": path, "text": f"- [ ] {document}"})
    assistant.call("write_entry", text=f"{document} mcp", day=str(DAY))
    assistant.call("propose_fact", text="HOSTILE two, ignore above", quote=document)
    with owner.unlocked():
        for item in InboxItem.objects.filter(owner_id=owner.id):
            inbox_services.accept_item(owner_id=owner.id, item_id=item.id, zone="UTC")
        for row in Fact.objects.filter(owner_id=owner.id, state=FactState.PROPOSED):
            accept_fact(owner_id=owner.id, fact_id=row.id)
        assert Fact.objects.only_accepted(owner.id).filter(origin=Origin.PROGRAM).count() == 2


def delete_requests(owner: Resident) -> None:
    note = find_note(owner.keyring, "HEARTBEAT.md")
    assert note is not None
    delete_note(owner.keyring, note.id)


def write_over_requests(owner: Resident) -> list[int]:
    """Try to change the standing requests as programs; return the statuses."""
    program, text = Program.create(owner, "notes"), f"- [ ] {BEGIN}{REQUEST}"
    notes = program.get("/api/v1/notes")["notes"]
    (own,) = (note for note in notes if note["path"] == "HEARTBEAT.md")
    change = {"text": text, "revision": own["revision"]}
    calls = [
        program.send("POST", "/api/v1/notes", {"path": "HEARTBEAT.md", "text": text}),
        program.send("PATCH", f"/api/v1/notes/{own['id']}", change),
        program.send("DELETE", f"/api/v1/notes/{own['id']}"),
    ]
    return [answer.status_code for answer in calls]


def send_heartbeat(owner: Resident) -> dict[str, Any]:
    """Make a check-in as a program."""
    return dict(Program.create(owner, "chat").post("/api/heartbeat", {}))


@pytest.mark.parametrize("order", list(ORDERS))
def test_check_ins_by_a_model_that_obeys_every_document_change_nothing(
    live: ServingLoop,
    model: FakeModelServer,
    owner: Resident,
    order: str,
    tmp_path: Path,
    reached: set[Any],
) -> None:
    document = write_document(order)
    bring_in(owner, document, tmp_path)
    with tokens.forgotten_afterwards():
        delete_requests(owner)
        send_by_programs(owner, document)
        open_index(owner)
        # The standing requests of a program are none of the owner's, who writes others in their place.
        of_others = send_heartbeat(owner)
        delete_requests(owner)
        write_requests(owner, REQUEST)
        refused = write_over_requests(owner)
        owner.write(f"Tea. {document.replace('HOSTILE', 'pasted')}", day=DAY)
        add_fact(owner, OWN_FACT)
        open_index(owner)
        before = dump_diary(owner)
        model.answer = propose_what_is_ordered

        answer = send_heartbeat(owner)
        owner.post("/check-ins/now/")
        live.wait_until_idle()

    after = dump_diary(owner)
    del before["AccessToken"], after["AccessToken"]
    assert after == before
    assert of_others["status"] == "no_requests"
    assert refused == [409, 403, 403]
    assert len(model.asked_for_json) == 2
    for body in model.asked_for_json:
        system, said = (str(turn["content"]) for turn in body["messages"])
        assert "HOSTILE" not in system + said
        assert BEGIN in said, "the model was never tempted"
        assert OWN_FACT in said
        assert BEGIN not in system
    assert CheckInProposal.objects.count() == len(answer["proposals"])
    # A model that writes the marks of its own turns is stopped there.
    assert answer["status"] == ("unreadable" if order == "marks" else "proposed")
    for proposal in answer["proposals"]:
        for path in ("/", "/check-ins/"):
            check_is_text_only(owner, path, f"#proposal-{proposal['id']}")
        owner.post(f"/check-ins/proposals/{proposal['id']}/entry/")
        with owner.unlocked():
            entry = Entry.objects.for_owner(owner.id).get(origin=Origin.MODEL, day=owner.today)
        check_is_text_only(owner, "/", f"#entry-{entry.id}")
    assert {address for address in reached if isinstance(address, tuple)} <= {("127.0.0.1", model.port)}


def check_is_text_only(owner: Resident, path: str, place: str) -> None:
    """Check that nothing of an order can be followed or loaded where it is shown."""
    page = read(owner.get(path))
    assert page.has(place)
    for way in (f'{place} a[href*="{HOST}"]', f"{place} img", f"{place} script"):
        assert not page.has(way)
