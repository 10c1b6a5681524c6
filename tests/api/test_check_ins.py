"""Tests of the call that makes one check-in."""

from typing import Any

import pytest

from accounts.models import AccessToken
from accounts.sessions import revocation_list
from accounts.tokens.token_uses import token_uses
from llamora.crypto import TokenKind, parse_token
from search.checkins import services
from search.index.registry import indexes
from search.models import CheckIn, CheckInProposal
from tests.api.program import Program, read_refusal
from tests.api.test_chat import olive as searching_olive
from tests.diary.tabs import ServingLoop
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script
from tests.page import read
from tests.people import Resident
from tests.search.check_ins.checking_in import build_answer, build_proposal, write_requests

REQUEST = "Ask me about Anna"
TEXT = "You met Anna at the weir."
pytestmark = pytest.mark.django_db(transaction=True)
olive = searching_olive


@pytest.fixture
def program(olive: Resident) -> Program:
    return Program.create(olive, "chat")


def send(program: Program) -> Any:
    return program.send("POST", "/api/heartbeat")


def test_a_check_in_is_made_and_its_proposal_waits_for_its_owner(
    live: ServingLoop, model: FakeModelServer, olive: Resident, program: Program
) -> None:
    write_requests(olive, REQUEST)
    model.add_json_scripts(build_answer(build_proposal(TEXT, "Anna at the weir")))

    answer = program._read(send(program))

    with olive.unlocked():
        row = CheckInProposal.objects.get()
    (proposal,) = answer["proposals"]
    assert proposal == {"id": str(row.id), "request": REQUEST, "text": TEXT, "quotes": ["Anna at the weir"]}
    assert (answer["status"], answer["model"]) == ("proposed", "fake-model")
    assert row.is_open
    page = read(olive.get("/check-ins/"))
    assert TEXT in page.one(".check-in-proposal").text
    assert "for a program" in page.one("[aria-labelledby=check-in-records]").text
    token_uses.write_all()
    assert AccessToken.objects.get().read_count == 1


@pytest.mark.parametrize(
    ("script", "status"),
    [(build_answer(), "nothing"), (Script(tokens=["I have nothing to say."]), "unreadable")],
)
def test_an_answer_without_proposals_is_told(
    live: ServingLoop,
    model: FakeModelServer,
    olive: Resident,
    program: Program,
    script: Script,
    status: str,
) -> None:
    write_requests(olive, REQUEST)
    model.add_json_scripts(script)

    answer = program._read(send(program))

    assert (answer["status"], answer["proposals"]) == (status, [])
    assert answer["message"]


def test_without_an_open_request_no_model_is_asked(
    live: ServingLoop, model: FakeModelServer, olive: Resident, program: Program
) -> None:
    # What a program wrote is none of its owner's requests.
    Program.create(olive, "notes").post(
        "/api/v1/notes", {"path": "HEARTBEAT.md", "text": f"- [ ] {REQUEST}\n"}
    )

    answer = program._read(send(program))

    assert (answer["status"], answer["model"], answer["proposals"]) == ("no_requests", None, [])
    assert model.asked_for_json == []
    assert not CheckIn.objects.exists()


def test_what_stands_in_the_way_is_refused(
    live: ServingLoop,
    model: FakeModelServer,
    olive: Resident,
    program: Program,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_requests(olive, REQUEST)
    away = Program.create(olive, "chat", kind=TokenKind.AWAY)
    model.add_json_scripts(Script(status=500))

    failed = send(program)
    with monkeypatch.context() as patched:
        patched.setattr("search.checkins.services.may_send_unrequested", lambda status: False)
        remote = send(program)
    index = indexes.for_owner(olive.keyring)
    index.words_ready.clear()
    with monkeypatch.context() as patched:
        patched.setattr("search.ask.retrieval.OPENING_WAIT_SECONDS", 0.0)
        starting = send(program)
    index.words_ready.set()
    olive.lock()
    locked = send(away)

    assert read_refusal(failed) == (503, "not_answered")
    assert read_refusal(remote) == (503, "not_answered")
    assert "another machine" in remote.json()["message"]
    assert read_refusal(starting) == (503, "starting")
    assert read_refusal(locked) == (423, "locked")
    assert CheckIn.objects.get().state == "failed"


def test_a_token_that_is_revoked_meanwhile_gets_no_answer(
    live: ServingLoop,
    model: FakeModelServer,
    olive: Resident,
    program: Program,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def start_and_revoke(**asked: Any) -> services.StartedCheckIn:
        started = start(**asked)
        revocation_list.revoke_for_good(parse_token(program.token).id.bytes)
        return started

    write_requests(olive, REQUEST)
    start = services.start_check_in
    monkeypatch.setattr(services, "start_check_in", start_and_revoke)
    model.add_json_scripts(build_answer(build_proposal(TEXT)))

    assert read_refusal(send(program)) == (401, "invalid_token")
