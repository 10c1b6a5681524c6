"""Tests of the calls for questions: answers, streams, conversations, and the search of LocalGPT."""

import asyncio
import json
from collections.abc import Iterator
from datetime import date
from threading import Event
from typing import Any
from uuid import uuid4

import pytest

from accounts.models import AccessToken
from accounts.sessions import revocation_list
from accounts.tokens.token_uses import token_uses
from diary.errors import ObjectNotFound
from diary.models import Origin
from llamora.crypto import TokenKind, parse_token
from llamora.inference.registry import registry
from search.ask import services
from search.embedder.holder import embedders
from search.index.registry import indexes
from search.models import Question
from tests.api.conftest import MakeProgram
from tests.api.program import Program, read_refusal
from tests.diary.tabs import ServingLoop, run_serving_loop
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, make_words
from tests.people import Resident, register_resident
from tests.search.indexing import BagOfWords, open_index, wait_until_idle
from tests.traces.facts.fact_steps import add_fact

ANNA = "Where did I meet Anna?"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def olive(transactional_db: None, settings: Any, tmp_path: Any) -> Iterator[Resident]:
    """A person whose diary is unlocked in a browser, with its index."""
    settings.DATA_DIR = tmp_path
    settings.SEARCH_MODEL = BagOfWords.name
    embedders.set_embedder(BagOfWords())
    olive = register_resident("Olive", signed_in=True)
    olive.write("Met Anna at the weir.", day=date(2026, 2, 5))
    olive.write("Ines came to the quay, says the letter.", day=date(2026, 2, 6), origin=Origin.IMPORTED)
    open_index(olive)
    yield olive
    indexes.close_all()
    embedders.set_embedder(None)


@pytest.fixture
def program(make_program: MakeProgram) -> Program:
    return make_program("chat")


def read_events(answer: Any, *, once_written: Event | None = None) -> list[tuple[str, Any]]:
    """Return the events of a stream, and set an event at its first token; comments are left out."""
    assert answer.status_code == 200, answer.content
    assert answer.headers["Content-Type"] == "text/event-stream"

    async def collect() -> bytes:
        parts = []
        async for part in answer.streaming_content:
            parts.append(part)
            if once_written is not None and b"event: token" in part:
                once_written.set()
        return b"".join(parts)

    blocks = asyncio.run(collect()).decode().split("\n\n")
    answer.close()
    events = [block.split("\n") for block in blocks if block and not block.startswith(":")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in events]


def test_a_question_is_answered_with_its_sources(
    live: ServingLoop, model: FakeModelServer, olive: Resident, program: Program
) -> None:
    model.add_scripts(Script(tokens=["At the weir [1], ", "not there [5]."]))

    answer = program.post("/api/chat", {"message": ANNA})

    (source,) = answer.pop("sources")
    row = Question.objects.get()
    assert answer == {
        "response": "At the weir [1], not there.",
        "session_id": str(row.session_id),
        "model": "fake-model",
        "facts": [],
        "read_imported": False,
        "finish_reason": "stop",
    }
    assert (source["number"], source["kind"], source["day"]) == (1, "entry", "2026-02-05")
    assert (source["snippet"], source["origin"]) == ("Met Anna at the weir.", "own")
    assert (row.origin, row.state) == ("program", "done")
    token_uses.write_all()
    assert AccessToken.objects.get().read_count == 1


def test_an_answer_names_the_facts_that_were_read(
    live: ServingLoop, model: FakeModelServer, olive: Resident, program: Program
) -> None:
    fact = add_fact(olive, "Anna is a midwife in Hull")
    add_fact(olive, "You have a dog called Biggie")
    model.add_scripts(*[Script(tokens=["At the weir [1]."]) for _ in range(2)])

    answer = program.post("/api/chat", {"message": ANNA})
    events = read_events(program.send("POST", "/api/chat/stream", {"message": ANNA}))

    expected = [{"id": str(fact.id), "content": "Anna is a midwife in Hull"}]
    assert answer["facts"] == expected
    assert events[-1][0] == "done"
    assert events[-1][1]["facts"] == expected


def test_a_question_with_a_key_is_asked_once(
    live: ServingLoop, model: FakeModelServer, olive: Resident, program: Program
) -> None:
    fact = add_fact(olive, "Anna is a midwife in Hull")
    model.add_scripts(Script(tokens=["At the weir [1]."]))
    question, key = {"message": ANNA}, {"Idempotency-Key": "anna-1"}

    first = program.post("/api/chat", question, **key)
    again = program.post("/api/chat", question, **key)
    registry.discard(Question.objects.get().id)  # as a restart does
    later = program.post("/api/chat", question, **key)
    events = read_events(program.send("POST", "/api/chat/stream", question, **key))
    other = program.send("POST", "/api/chat", {"message": "Where is Ines?"}, **key)

    assert first["response"] == "At the weir [1]."
    assert [one["id"] for one in first["facts"]] == [str(fact.id)]
    assert first == again == later
    assert [name for name, _ in events] == ["start", "token", "done"]
    assert (events[-1][1]["response"], events[-1][1]["facts"]) == (first["response"], first["facts"])
    assert read_refusal(other) == (409, "idempotency_key_reused")
    assert (Question.objects.count(), len(model.calls)) == (1, 1)


def test_a_question_with_a_key_waits_for_the_answer_that_is_being_written(
    live: ServingLoop, model: FakeModelServer, olive: Resident, program: Program
) -> None:
    is_asked = Event()
    model.add_scripts(Script(tokens=["At the ", "weir [1]."], rest_after=1, rest_when=is_asked))
    question, key = {"message": ANNA}, {"Idempotency-Key": "anna-1"}

    program.send("POST", "/api/chat/stream", question, **key)
    second = program.send("POST", "/api/chat/stream", question, **key)
    is_asked.set()

    assert read_events(second)[-1][1]["response"] == "At the weir [1]."
    assert (Question.objects.count(), len(model.calls)) == (1, 1)


def test_an_answer_that_is_being_written_from_imported_entries_is_found_only_by_who_may_read_them(
    live: ServingLoop, model: FakeModelServer, olive: Resident, make_program: MakeProgram
) -> None:
    reader = make_program("chat", reads_untrusted=True)
    is_asked = Event()
    model.add_scripts(Script(tokens=["It was ", "Ines [1]."], rest_after=1, rest_when=is_asked))
    question = {"message": "Who came to the quay, says the letter?"}
    stream = reader.send("POST", "/api/chat/stream", question)
    row = Question.objects.get()

    def find(*, reads_untrusted: bool) -> services.AskedQuestion | None:
        with olive.unlocked():
            return services.find_asked(
                person=olive.person,
                keyring=olive.keyring,
                question_id=row.id,
                reads_untrusted=reads_untrusted,
            )

    asked = find(reads_untrusted=True)
    assert asked is not None
    assert asked.job is not None
    with pytest.raises(ObjectNotFound):
        find(reads_untrusted=False)
    is_asked.set()
    read_events(stream)


def test_a_question_with_a_key_whose_answer_failed_is_asked_again(
    live: ServingLoop, model: FakeModelServer, olive: Resident, program: Program
) -> None:
    model.add_scripts(Script(status=500), Script(tokens=["At the weir [1]."]))
    question, key = {"message": ANNA}, {"Idempotency-Key": "anna-1"}

    refusal = program.send("POST", "/api/chat", question, **key)
    answer = program.post("/api/chat", question, **key)

    assert read_refusal(refusal) == (503, "not_answered")
    assert answer["response"] == "At the weir [1]."
    assert Question.objects.get().state == "done"


def test_a_stream_has_a_beginning_pieces_and_an_end(
    live: ServingLoop, model: FakeModelServer, olive: Resident, make_program: MakeProgram
) -> None:
    program = make_program("chat", writes_own_text=True)
    is_read = Event()
    model.add_scripts(Script(tokens=["At the ", "weir ", "[1]."], rest_after=2, rest_when=is_read))
    question = {"message": ANNA, "model": "fake-model"}

    events = read_events(program.send("POST", "/api/chat/stream", question), once_written=is_read)

    names = [name for name, _ in events]
    assert names[0] == "start"
    assert set(names[1:-1]) == {"token"}
    assert len(names) > 3
    assert events[0][1]["model"] == "fake-model"
    assert events[0][1]["sources"][0]["snippet"] == "Met Anna at the weir."
    assert "".join(data["text"] for name, data in events if name == "token") == "At the weir [1]."
    assert events[-1] == (
        "done",
        {"read_imported": False, "finish_reason": "stop", "response": "At the weir [1].", "facts": []},
    )
    row = Question.objects.get()
    assert (str(row.session_id), row.origin) == (events[0][1]["session_id"], "own_token")


def test_a_stream_whose_model_fails_ends_with_an_error(
    live: ServingLoop, model: FakeModelServer, olive: Resident, program: Program
) -> None:
    model.add_scripts(Script(tokens=make_words(40), drop_after=5))

    events = read_events(program.send("POST", "/api/chat/stream", {"message": ANNA}))
    model.add_scripts(Script(status=500))
    refusal = program.send("POST", "/api/chat", {"message": ANNA})

    name, data = events[-1]
    assert (name, data["error_code"], data["error"]) == ("error", "not_answered", "Try again later")
    assert data["message"]
    assert read_refusal(refusal) == (503, "not_answered")
    assert refusal.headers["Retry-After"]
    assert {question.state for question in Question.objects.all()} == {"failed"}


def test_without_a_model_or_an_answer_it_says_so(olive: Resident, program: Program) -> None:
    with run_serving_loop():
        passages = program.post("/api/chat", {"message": ANNA})
        nothing = program.post("/api/chat", {"message": "When did I buy a bicycle?"})

    assert passages["response"].endswith("[1] 5 February 2026: Met Anna at the weir.")
    assert passages["model"] is None
    assert (nothing["response"], nothing["sources"]) == ("Nothing in your diary answers this.", [])


def test_what_is_imported_is_read_and_shown_only_to_a_token_that_reads_it(
    live: ServingLoop, model: FakeModelServer, olive: Resident, program: Program, make_program: MakeProgram
) -> None:
    reader = make_program("chat", reads_untrusted=True)
    question = {"message": "Who came to the quay, says the letter?"}

    own, imported = program.post("/api/chat", question), reader.post("/api/chat", question)

    assert (own["sources"], own["read_imported"]) == ([], False)
    assert [source["origin"] for source in imported["sources"]] == ["imported"]
    assert imported["read_imported"]
    shown = program.get("/api/sessions")["sessions"]
    assert [one["session_id"] for one in shown] == [own["session_id"]]
    assert len(reader.get("/api/sessions")["sessions"]) == 2
    hidden = f"/api/sessions/{imported['session_id']}"
    assert read_refusal(program.send("DELETE", hidden)) == (404, "not_found")
    going_on = {**question, "session_id": imported["session_id"]}
    assert read_refusal(program.send("POST", "/api/chat", going_on)) == (404, "not_found")


def test_conversations_go_on_are_listed_and_deleted(
    live: ServingLoop, model: FakeModelServer, olive: Resident, program: Program
) -> None:
    first = program.post("/api/chat", {"message": ANNA})
    second = program.post("/api/chat", {"message": "And when?", "session_id": first["session_id"]})
    program.post("/api/chat", {"message": "Anna?"})

    one, page = program.get("/api/sessions?limit=1&offset=1"), program.get("/api/sessions?limit=1")

    assert second["session_id"] == first["session_id"]
    (session,) = one["sessions"]
    assert one["next_offset"] is None
    assert page["next_offset"] == 1
    assert (session["name"], session["question_count"]) == (ANNA, 2)
    path = f"/api/sessions/{first['session_id']}"
    assert program._read(program.send("DELETE", path)) == {"session_id": first["session_id"], "deleted": True}
    assert read_refusal(program.send("DELETE", path)) == (404, "not_found")
    assert Question.objects.count() == 1


BAD: tuple[tuple[Any, int, str, str], ...] = (
    ({}, 422, "invalid_field", "message"),
    ({"message": ""}, 422, "invalid_field", "message"),
    ({"message": " \n "}, 422, "invalid_field", "message"),
    ({"message": "a" * 2001}, 422, "invalid_field", "message"),
    ({"message": 5}, 422, "invalid_field", "message"),
    ({"message": ANNA, "session_id": "5"}, 422, "invalid_field", "session_id"),
    ({"message": ANNA, "model": "eagle:70b"}, 422, "invalid_field", "model"),
    ({"message": ANNA, "stream": True}, 422, "invalid_field", ""),
    ({"message": ANNA, "session_id": str(uuid4())}, 404, "not_found", ""),
)


@pytest.mark.parametrize("path", ["/api/chat", "/api/chat/stream"])
def test_bad_input_is_refused_and_stores_nothing(
    live: ServingLoop, model: FakeModelServer, olive: Resident, program: Program, path: str
) -> None:
    for body, status, code, field in BAD:
        answer = program.send("POST", path, body)

        assert read_refusal(answer) == (status, code), body
        assert json.loads(answer.content).get("field", "") == field
        assert b"eagle" not in answer.content
    assert not Question.objects.exists()
    assert model.calls == []


def test_a_locked_owner_is_asked_nothing(olive: Resident, make_program: MakeProgram) -> None:
    away = Program.create(olive, "chat", kind=TokenKind.AWAY)
    olive.lock()

    for path in ("/api/chat", "/api/chat/stream"):
        assert read_refusal(away.send("POST", path, {"message": ANNA})) == (423, "locked")
    assert away.get("/api/memory/stats")["state"] == "closed"
    assert away.get("/api/sessions")["sessions"] == []


@pytest.mark.parametrize("path", ["/api/chat", "/api/chat/stream"])
def test_a_token_that_is_revoked_meanwhile_gets_no_answer(
    live: ServingLoop,
    model: FakeModelServer,
    program: Program,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    def ask_and_revoke(**asked: Any) -> services.AskedQuestion:
        found = ask(**asked)
        revocation_list.revoke_for_good(parse_token(program.token).id.bytes)
        return found

    ask = services.ask
    monkeypatch.setattr(services, "ask", ask_and_revoke)
    model.add_scripts(Script(tokens=["At the weir [1]."]))

    answer = program.send("POST", path, {"message": ANNA})

    if path == "/api/chat":
        assert read_refusal(answer) == (401, "invalid_token")
        assert b"weir" not in answer.content
    else:
        ((name, refusal),) = read_events(answer)
        assert (name, refusal["error_code"]) == ("error", "invalid_token")


def test_an_answer_does_not_tell_whether_a_text_that_may_not_be_read_has_a_word(
    live: ServingLoop, model: FakeModelServer, program: Program
) -> None:
    answers = [
        program.post("/api/chat", {"message": f"What of the {word}?"})["response"]
        for word in ("quay", "zeppelin")
    ]

    assert answers[0] == answers[1]


def test_an_index_that_is_being_opened_says_when_to_ask_again(
    olive: Resident, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.ask.retrieval.OPENING_WAIT_SECONDS", 0.01)
    open_index(olive).words_ready.clear()

    answer = program.send("POST", "/api/chat", {"message": ANNA})

    assert read_refusal(answer) == (503, "starting")
    assert answer.headers["Retry-After"] == "3"


def test_nothing_in_the_index_is_counted_while_no_browser_may_use_it(
    olive: Resident, make_program: MakeProgram, settings: Any
) -> None:
    away = make_program("chat", kind=TokenKind.AWAY)
    settings.IDLE_MINUTES = -1

    stats = away.get("/api/memory/stats")

    assert (stats["state"], stats["total_chunks"], stats["embedded"]) == ("closed", 0, 0)


def test_the_index_is_built_again(olive: Resident, program: Program) -> None:
    before = open_index(olive)

    begun = program._read(program.send("POST", "/api/memory/reindex"))
    wait_until_idle(olive)
    after = open_index(olive)
    after.words_ready.clear()
    again = program._read(program.send("POST", "/api/memory/reindex"))
    after.words_ready.set()

    assert begun == {"state": "opening", "is_begun": True}
    assert before.is_closed
    assert again == {"state": "opening", "is_begun": False}
    assert not after.is_closed
    assert program.post("/api/memory/search", {"query": "Anna weir"})["total"] == 1


def test_the_memory_is_searched_and_counted_as_in_localgpt(
    olive: Resident, program: Program, make_program: MakeProgram
) -> None:
    everything = make_program("diary:read", reads_untrusted=True)

    found = program.post("/api/memory/search", {"query": "Anna weir", "limit": 3})
    by_address = program.get("/api/memory/search?q=Anna+weir&limit=3")
    stats, all_stats = program.get("/api/memory/stats"), everything.get("/api/memory/stats")

    assert found == by_address
    (passage,) = found["results"]
    assert (passage["file"], passage["content"]) == ("days/2026/2026-02-05.md", "Met Anna at the weir.")
    assert (found["state"], found["total"]) == ("ready", 1)
    assert (stats["total_files"], stats["total_entries"], stats["state"]) == (1, 1, "ready")
    assert (stats["total_chunks"], all_stats["total_chunks"]) == (1, 2)
    assert stats["embedded"] <= 1
    assert all_stats["total_entries"] == 2
    assert all_stats["last_day"] == "2026-02-06"
    for path in ("/api/memory/search", "/api/memory/search?q=+"):
        assert read_refusal(program.send("GET", path)) == (422, "invalid_field")
    assert read_refusal(make_program("drop").send("GET", "/api/memory/stats")) == (403, "missing_scope")
