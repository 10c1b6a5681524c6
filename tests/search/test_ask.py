"""Tests of questions and their answers: generated, streamed, stopped, saved, and closed to other people."""

import json
import time
from datetime import date
from threading import Event
from uuid import UUID, uuid4

import pytest
from django.db import connection

from accounts.keys.keyrings import copy_with_former_keys
from diary.errors import ObjectNotFound
from diary.generation.prompt_record import BESIDE_ENTRIES, PromptRecord
from diary.generation.prompt_templates import get_options
from diary.messages import JOB_FAILED
from diary.models import Entry, Origin
from llamora.crypto import EnvelopeError, Realm, RealmKeyring, in_force
from llamora.database import write_transaction
from llamora.fields import new_id
from llamora.inference.interruption import mark_interrupted
from llamora.inference.job import JobState
from llamora.inference.registry import registry
from search import messages
from search.ask import services
from search.ask.answer_stream import AnswerStream
from search.ask.conversations import list_conversations, load_conversation
from search.ask.errors import QuestionInvalid, TooManyQuestions
from search.models import Question
from tests.diary.tabs import ServingLoop, run_serving_loop
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, make_unending, make_words
from tests.page import read
from tests.people import Resident
from tests.search.asking import as_program, ask, get_answer, load_row, read_stream
from tests.search.indexing import open_index
from tests.traces.facts.fact_steps import add_fact
from traces.facts.models import Fact

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("embedder")]

SLOW = make_unending()
ANNA = "Where did I meet Anna?"


@pytest.fixture
def owner(owner: Resident) -> Resident:
    owner.write("Met Anna at the weir.", day=date(2026, 2, 5))
    owner.write("Met Anna by the old mill.", day=date(2026, 2, 9))
    owner.write("Rain.", day=date(2026, 2, 10))
    return owner


def read_prompt(model: FakeModelServer, number: int = -1) -> tuple[str, str]:
    """Return the system turn and the user turn of a call."""
    system, user = (str(turn["content"]) for turn in model.calls[number]["messages"])
    return system, user


def test_a_question_is_answered_from_numbered_passages(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(Script(tokens=["At the weir [", "1], and by the mill [2", "]."]))

    asked = ask(owner, ANNA)
    answer = services.wait_for_answer(asked)

    system, user = read_prompt(model)
    assert (answer.text, answer.state, answer.model) == (
        "At the weir [1], and by the mill [2].",
        JobState.DONE,
        "fake-model",
    )
    assert [source.number for source in asked.sources] == [1, 2]
    for source in asked.sources:
        assert source.snippet not in system
        passage = {"number": source.number, "text": source.snippet}
        found = [json.loads(line) for line in user.splitlines() if line.startswith('{"number"')]
        assert any(passage.items() <= one.items() for one in found)
    assert json.dumps(ANNA) in user
    row = load_row(owner, asked)
    assert (row.text, row.answer, row.state, row.reason) == (ANNA, answer.text, "done", "")
    assert (row.origin, row.has_read_imported, row.session_id) == ("own", False, asked.session_id)
    record = PromptRecord.from_json(row.read)
    assert record is not None
    assert {day for _, day in record.entries} == {date(2026, 2, 5), date(2026, 2, 9)}
    assert record.author.prompt == f"ask {get_options('ask').version}"
    assert record.is_clean(answer.text)


def test_a_source_that_does_not_exist_is_dropped_from_stream_answer_and_row(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(Script(tokens=["At the weir ", "[", "7", "]", " or [1", ", 9] mill [12]."]))

    asked = ask(owner, ANNA)
    events = read_stream(live, AnswerStream(asked))

    expected = "At the weir or [1] mill."
    assert "".join(event.text for event in events) == expected
    assert events[-1].answer is not None
    assert (events[-1].kind, events[-1].answer.text) == ("done", expected)
    assert load_row(owner, asked).answer == expected


def test_where_nothing_is_found_no_model_is_asked(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    owner.write("A bicycle! A bicycle! I bought a bicycle.", day=date(2026, 2, 11), origin=Origin.IMPORTED)
    asked = ask(owner, "When did I buy a bicycle?")
    events = read_stream(live, AnswerStream(asked))

    said = f"{messages.NOTHING_ANSWERS} 1 imported entry was not read."
    assert [(event.kind, event.text) for event in events] == [
        ("started", ""),
        ("written", said),
        ("done", ""),
    ]
    assert asked.sources == []
    assert model.calls == []
    row = load_row(owner, asked)
    assert (row.answer, row.state, row.reason) == ("", "done", "nothing")
    with owner.unlocked():
        (shown,) = load_conversation(owner.id, asked.session_id, language="en-gb")
    assert shown.answer == said


def test_a_model_that_says_that_nothing_answers_claims_nothing(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(Script(tokens=["Nothing in your diary ", "answers this."]))

    answer = get_answer(owner, "What colour was the coat that Anna wore?")

    assert (answer.text, answer.state) == (messages.NOTHING_ANSWERS, JobState.DONE)
    assert "write nothing but [0]" in read_prompt(model)[0]


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("At the weir.", "no_source"),
        ("At the weir [7].", "no_source"),
        ("Nothing answers this. At the weir.", "no_source"),
        ("[0]", "nothing"),
        ("Im Tagebuch steht davon nichts, am weir war niemand [0].", "nothing"),
    ],
)
def test_a_claim_without_a_source_is_left_out_of_stream_answer_page_and_row(
    live: ServingLoop, model: FakeModelServer, owner: Resident, written: str, reason: str
) -> None:
    model.add_scripts(Script(tokens=list(written)))
    asked = ask(owner, ANNA)
    events = read_stream(live, AnswerStream(asked))
    answer = services.wait_for_answer(asked)

    last = [event.kind for event in events].index("restarted") if "restarted" in str(events) else 0
    assert "".join(event.text for event in events[last:]) == answer.text == JOB_FAILED[reason]
    assert (events[-1].kind, answer.is_complete) == ("done", True)
    row = load_row(owner, asked)
    assert (row.answer, row.reason) == ("", reason)
    for _ in ("from its job", "from its row"):
        page = owner.get(f"/ask/{asked.session_id}/").content.decode()
        assert read(page).texts("[data-note]") == [JOB_FAILED[reason]]
        assert "Written by" not in page
        assert "Met Anna by the old mill." in page
        assert "weir" not in page.partition("<article")[2].partition("answer-sources")[0]
        registry.discard(asked.id)


def test_without_a_model_the_passages_are_the_answer_and_none_is_stored_twice(owner: Resident) -> None:
    with run_serving_loop() as live:
        asked = ask(owner, ANNA)
        events = read_stream(live, AnswerStream(asked))

    first, *passages = asked.answer.split("\n\n")
    assert first == messages.PASSAGES_INSTEAD
    assert len(passages) == 2
    assert "[1] 9 February 2026: Met Anna by the old mill." in passages
    assert [event.kind for event in events] == ["started", "written", "done"]
    row = load_row(owner, asked)
    assert (row.state, row.reason, row.answer) == ("done", "no_model", "")
    assert "Anna" not in str(row.sources)
    with owner.unlocked():
        Entry.objects.filter(day=date(2026, 2, 9)).delete()
        (shown,) = load_conversation(owner.id, asked.session_id, language="en-gb")
    assert "mill" not in shown.answer
    assert "weir" in shown.answer


def test_a_follow_up_reads_the_turns_and_the_passages_before_it(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(Script(tokens=["At the weir [1]."]), Script(tokens=["In February [1]."]))
    first = ask(owner, ANNA)
    services.wait_for_answer(first)

    second = ask(owner, "And when was that, exactly?", first.session_id)
    services.wait_for_answer(second)

    system, user = read_prompt(model)
    assert second.session_id == first.session_id
    assert {source.stored.id for source in first.sources} <= {source.stored.id for source in second.sources}
    assert '{"question": "Where did I meet Anna?", "answer": "At the weir [1]."}' in user
    assert "weir" not in system
    with owner.unlocked():
        shown = load_conversation(owner.id, first.session_id, language="en-gb")
    assert [one.answer for one in shown] == ["At the weir [1].", "In February [1]."]


def test_what_does_not_fit_is_left_out_and_said(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.manners.context = 2200
    for day in range(12, 22):
        owner.write(f"Met Anna in town, {'and walked about for hours. ' * 60}", day=date(2026, 2, day))
    live.run(_discover_again())

    asked = ask(owner, ANNA)
    services.wait_for_answer(asked)

    record = PromptRecord.from_json(load_row(owner, asked).read)
    assert record is not None
    assert record.left_out
    assert record.entries
    assert len(record.entries) + len(record.left_out) == len(asked.sources) == 8


async def _discover_again() -> None:
    from llamora.inference import model_server

    await model_server.stop()
    await model_server.discover(patience=5)


# --- trust -------------------------------------------------------------------------------------------


def test_a_conversation_that_read_imported_text_reads_no_other_and_is_marked(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    owner.write(
        "The letter says: meet Ines, Ines, at the quay.", day=date(2026, 2, 12), origin=Origin.IMPORTED
    )
    owner.write("Ines came to the quay.", day=date(2026, 2, 13))
    question = "Where does the letter say to meet Ines?"

    own = ask(owner, question)
    services.wait_for_answer(own)
    assert "The letter says" not in read_prompt(model)[1]
    read = ask(owner, question, reads_untrusted=True)
    services.wait_for_answer(read)
    assert "Ines came" not in read_prompt(model)[1]
    follow_up = ask(owner, "Where did Anna and Ines go to the quay?", read.session_id, reads_untrusted=True)
    services.wait_for_answer(follow_up)

    said = read_prompt(model)[1]
    assert "The letter says" in said
    assert "Ines came" not in said
    assert "Met Anna" not in said
    assert [one.has_read_imported for one in (own, read, follow_up)] == [False, True, True]
    record = PromptRecord.from_json(load_row(owner, follow_up).read)
    assert record is not None
    assert record.is_untrusted
    assert record.clean == ""


def test_a_conversation_goes_on_with_own_texts_alone_if_it_began_with_them(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    owner.write("Ines at the quay, says the letter.", day=date(2026, 2, 12), origin=Origin.IMPORTED)
    first = ask(owner, ANNA, reads_untrusted=True)
    services.wait_for_answer(first)

    second = ask(
        owner, "What does the letter say of Ines at the quay?", first.session_id, reads_untrusted=True
    )
    services.wait_for_answer(second)

    assert "says the letter" not in read_prompt(model)[1]
    assert not second.has_read_imported


def test_a_conversation_whose_text_is_its_owners_no_more_is_of_others(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    first = ask(owner, ANNA)
    services.wait_for_answer(first)
    with owner.unlocked():
        for entry in Entry.objects.filter(id__in=[source.stored.id for source in first.sources]):
            entry.origin = Origin.IMPORTED
            entry.save()

    with pytest.raises(ObjectNotFound):
        ask(owner, "And when?", first.session_id)
    second = ask(owner, "And when?", first.session_id, reads_untrusted=True)

    assert second.has_read_imported


def test_who_reads_no_imported_text_sees_no_conversation_about_it(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    owner.write("Ines at the quay, says the letter.", day=date(2026, 2, 12), origin=Origin.IMPORTED)
    open_one, hidden = ask(owner, ANNA), ask(owner, "What does the letter say of Ines?", reads_untrusted=True)
    for asked in (open_one, hidden):
        services.wait_for_answer(asked)

    with owner.unlocked():
        shown = list_conversations(owner.id, reads_untrusted=False)
        everything = list_conversations(owner.id)
        with pytest.raises(ObjectNotFound):
            load_conversation(owner.id, hidden.session_id, language="en-gb", reads_untrusted=False)
        with pytest.raises(ObjectNotFound):
            services.delete_conversation(owner.id, hidden.session_id, reads_untrusted=False)

    assert [one.session_id for one in shown] == [open_one.session_id]
    assert [(one.session_id, one.name) for one in everything] == [
        (hidden.session_id, "What does the letter say of Ines?"),
        (open_one.session_id, ANNA),
    ]


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM diary_entry",
        "UPDATE diary_entry SET utc_offset = 60",
        # Of a question whose sources do not open, nobody knows what it read.
        "UPDATE search_question SET sources = read",
    ],
    ids=["gone", "changed", "unknown"],
)
def test_who_reads_no_imported_text_sees_no_conversation_about_a_text_that_may_be(
    live: ServingLoop, model: FakeModelServer, owner: Resident, change: str
) -> None:
    asked = ask(owner, ANNA)
    services.wait_for_answer(asked)
    with owner.unlocked():
        before = list_conversations(owner.id, reads_untrusted=False)
    with connection.cursor() as cursor:
        cursor.execute(change)

    with owner.unlocked():
        assert list_conversations(owner.id, reads_untrusted=False) == []
        assert list_conversations(owner.id) == before
        with pytest.raises(ObjectNotFound):
            load_conversation(owner.id, asked.session_id, language="en-gb", reads_untrusted=False)
    with pytest.raises(ObjectNotFound):
        ask(owner, "And when?", asked.session_id, origin=Origin.PROGRAM)


def test_its_owner_goes_on_in_a_conversation_about_an_entry_that_was_deleted_for_good(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    asked = ask(owner, ANNA)
    services.wait_for_answer(asked)
    with owner.unlocked(), write_transaction():
        Entry.objects.filter(id__in=[source.stored.id for source in asked.sources]).delete()

    assert not ask(owner, "And when?", asked.session_id).has_read_imported


def test_what_a_program_asked_is_not_read_for_its_owners_question(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(Script(tokens=["At the weir [1]."]))
    first = ask(owner, "Anna PLANTED?", origin=Origin.PROGRAM)
    services.wait_for_answer(first)
    record = PromptRecord.from_json(load_row(owner, first).read)
    by_program = ask(owner, "Where was that?", first.session_id, origin=Origin.PROGRAM)
    services.wait_for_answer(by_program)
    assert "PLANTED" in read_prompt(model)[1]

    by_owner = ask(owner, "Where was that?", first.session_id)
    services.wait_for_answer(by_owner)

    assert "PLANTED" not in read_prompt(model)[1]
    assert record is not None
    assert record.clean == ""


def test_marks_that_were_changed_without_a_key_close_the_question(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    from django.db.models import QuerySet

    owner.write("Ines at the quay, says the letter.", day=date(2026, 2, 12), origin=Origin.IMPORTED)
    model.add_scripts(Script(tokens=["At the quay [1]."]))
    asked = ask(owner, "What does the letter say of Ines?", reads_untrusted=True)
    services.wait_for_answer(asked)
    for columns in ({"has_read_imported": False}, {"origin": "own_token"}, {"session_id": new_id()}):
        before = Question._base_manager.values(*columns).get(id=asked.id)
        QuerySet.update(Question._base_manager.filter(id=asked.id), **columns)
        with owner.unlocked(), pytest.raises(EnvelopeError):
            _ = Question.objects.get(id=asked.id).answer
        QuerySet.update(Question._base_manager.filter(id=asked.id), **before)
    assert load_row(owner, asked).answer


# --- programs, locks, ends -----------------------------------------------------------------------------


def test_a_program_asks_with_its_own_keys(live: ServingLoop, model: FakeModelServer, owner: Resident) -> None:
    model.add_scripts(Script(tokens=["At the weir [1]."]))
    open_index(owner)

    with as_program(owner) as keyring:
        asked = services.ask(
            person=owner.person, keyring=keyring, question=ANNA, origin=Origin.PROGRAM, model="fake-model"
        )
        keyring.close()
        answer = services.wait_for_answer(asked)

    assert (answer.text, answer.state) == ("At the weir [1].", JobState.DONE)
    assert load_row(owner, asked).origin == "program"


def test_a_lock_ends_the_answer_and_its_stream(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(SLOW)
    asked = ask(owner, ANNA)
    stream = AnswerStream(asked)
    events = read_stream(live, stream, most=3)

    owner.lock()
    rest = read_stream(live, stream)

    assert [event.kind for event in events] == ["started", "written", "written"]
    assert rest[-1].kind == "failed"
    assert rest[-1].answer is not None
    assert rest[-1].answer.reason == "locked"
    assert model.wait_for_hang_up()
    row = Question.objects.get(id=asked.id)
    assert (row.state, row.reason) == ("interrupted", "locked")


def test_a_reader_that_goes_away_stops_the_answer(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(SLOW)
    asked = ask(owner, ANNA)
    stream = AnswerStream(asked)
    read_stream(live, stream, most=3)

    stream.close()

    assert model.wait_for_hang_up()
    row = load_row(owner, asked)
    assert row.state == "stopped"
    assert row.answer
    assert "".join(SLOW.tokens).startswith(row.answer)
    assert read_stream(live, stream) == []


def test_a_stream_that_was_read_to_its_end_stops_nothing(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(Script(tokens=["All ", "of ", "it [1]."], finish_reason="length"))
    asked = ask(owner, ANNA)
    stream = AnswerStream(asked)

    events = read_stream(live, stream)
    stream.close()

    assert events[0].kind == "started"
    assert "".join(event.text for event in events) == "All of it [1]."
    assert events[-1].answer is not None
    assert (events[-1].kind, events[-1].answer.reason) == ("done", "length")
    assert load_row(owner, asked).state == "done"


def test_a_stream_says_that_it_waits_and_that_a_text_was_no_answer(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    has_waited, is_written = Event(), Event()
    tokens = ["Let me see", "</think>", "At the weir [1]."]
    model.add_scripts(Script(tokens=tokens, first_when=has_waited, rest_after=1, rest_when=is_written))
    asked = ask(owner, ANNA)

    stream = AnswerStream(asked, waiting_seconds=0.1)
    events = read_stream(live, stream, on={"waiting": has_waited, "written": is_written})

    kinds = [event.kind for event in events]
    assert "waiting" in kinds
    assert kinds.index("waiting") < kinds.index("written") < kinds.index("restarted")
    since = [event.text for event in events[kinds.index("restarted") :]]
    assert "".join(since).strip() == "At the weir [1]."
    assert load_row(owner, asked).answer.strip() == "At the weir [1]."


def test_a_failure_of_the_model_is_said_with_its_code(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(Script(tokens=make_words(50), drop_after=5))
    asked = ask(owner, ANNA)

    events = read_stream(live, AnswerStream(asked))

    assert events[-1].kind == "failed"
    assert events[-1].answer is not None
    row = load_row(owner, asked)
    assert (row.state, row.reason) == ("failed", events[-1].answer.reason)
    assert row.answer


def test_an_answer_that_takes_too_long_is_stopped_with_what_came(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(SLOW)
    asked = ask(owner, ANNA)

    answer = services.wait_for_answer(asked, patience=0.5)

    assert answer.state == JobState.STOPPED
    assert model.wait_for_hang_up()


def test_what_a_killed_server_left_is_marked_as_broken_off(owner: Resident) -> None:
    with owner.unlocked():
        question = Question(
            owner_id=owner.id, session_id=new_id(), text=ANNA, answer="At the", sources=[], state="writing"
        )
        question.save(force_insert=True)

    assert mark_interrupted(Question) == 1

    with owner.unlocked():
        (shown,) = load_conversation(owner.id, question.session_id, language="en-gb")
    assert (shown.state, shown.reason, shown.answer) == ("interrupted", "crashed", "At the")
    assert shown.finished_at is not None


def test_too_many_questions_at_once_are_refused(
    live: ServingLoop, model: FakeModelServer, owner: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "MAX_CONCURRENT", 1)
    model.add_scripts(SLOW)
    asked = ask(owner, ANNA)

    with pytest.raises(TooManyQuestions):
        ask(owner, ANNA)

    services.stop_answer(asked)


def test_programs_leave_room_for_the_questions_of_their_owner(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(*[SLOW] * (services.MAX_CONCURRENT_OF_PROGRAMS + 1))
    asked = [
        ask(owner, ANNA, origin=origin)
        for origin in [Origin.PROGRAM, Origin.OWN_TOKEN] * (services.MAX_CONCURRENT_OF_PROGRAMS // 2)
    ]

    for origin in (Origin.PROGRAM, Origin.OWN_TOKEN):
        with pytest.raises(TooManyQuestions):
            ask(owner, ANNA, origin=origin)
    asked.append(ask(owner, ANNA))

    for one in asked:
        services.stop_answer(one)


@pytest.mark.parametrize(
    ("question", "code"), [("", "empty"), (" \n", "empty"), ("a" * 2001, "too_long"), ("a\0b", "not_text")]
)
def test_what_is_no_question_is_refused_and_stores_nothing(owner: Resident, question: str, code: str) -> None:
    with pytest.raises(QuestionInvalid) as refused:
        ask(owner, question)

    assert refused.value.code == code
    assert not Question.objects.exists()


# --- conversations ---------------------------------------------------------------------------------------


def test_conversations_are_renamed_and_deleted(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    first = ask(owner, ANNA)
    services.wait_for_answer(first)
    model.add_scripts(SLOW)
    second = ask(owner, "And where else?", first.session_id)

    with owner.unlocked():
        services.rename_conversation(owner.id, first.session_id, "  About\n Anna ")
        (named,) = list_conversations(owner.id)
        services.rename_conversation(owner.id, first.session_id, "")
        (unnamed,) = list_conversations(owner.id)
        with pytest.raises(QuestionInvalid):
            services.rename_conversation(owner.id, first.session_id, "a" * 121)
        services.delete_conversation(owner.id, first.session_id)
        assert list_conversations(owner.id) == []

    assert (named.name, named.questions) == ("About Anna", 2)
    assert unnamed.name == ANNA
    assert model.wait_for_hang_up()
    assert not Question.objects.exists()
    assert second.job is not None
    until = time.monotonic() + 5
    while not second.job.is_over and time.monotonic() < until:
        time.sleep(0.01)
    assert second.job.is_over


def test_conversations_are_closed_to_others(
    live: ServingLoop, model: FakeModelServer, owner: Resident, housemate: Resident
) -> None:
    asked = ask(owner, ANNA)
    services.wait_for_answer(asked)

    for session_id in (asked.session_id, uuid4()):
        with housemate.unlocked():
            for call in (
                lambda of: load_conversation(housemate.id, of, language="en-gb"),
                lambda of: services.rename_conversation(housemate.id, of, "Mine"),
                lambda of: services.delete_conversation(housemate.id, of),
            ):
                with pytest.raises(ObjectNotFound):
                    call(session_id)
        with pytest.raises(ObjectNotFound):
            ask(housemate, ANNA, session_id)
    with housemate.unlocked():
        assert list_conversations(housemate.id) == []
    assert Question.objects.count() == 1


def test_answers_are_never_found_as_the_persons_words(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(Script(tokens=["Beside the xylophone [1]."]))
    services.wait_for_answer(ask(owner, "Where did I meet Anna, Zebulon?"))

    open_index(owner)
    again = ask(owner, "What about the xylophone of Zebulon?")

    assert UUID(int=0) not in {source.stored.id for source in again.sources}
    assert again.sources == []


def test_a_copy_of_a_keyring_outlasts_the_request(owner: Resident) -> None:
    with as_program(owner) as keyring:
        copied = keyring.copy()
        assert copied.key_id == keyring.key_id == copy_with_former_keys(owner.keyring).key_id
    assert keyring.is_closed
    assert not copied.is_closed
    copied.close()


def test_an_answer_of_a_program_that_is_over_stands_in_nobodys_way(
    live: ServingLoop, model: FakeModelServer, owner: Resident, housemate: Resident
) -> None:
    open_index(owner)
    with as_program(owner) as keyring:
        asked = services.ask(person=owner.person, keyring=keyring, question=ANNA, origin=Origin.PROGRAM)
        services.wait_for_answer(asked)

    assert asked.job is not None
    assert [job.id for job in registry.list_jobs(owner.keyring.key_id)] == [asked.id]
    assert registry.list_jobs(housemate.keyring.key_id) == []
    assert registry.get(asked.id, owner.keyring.key_id) is asked.job


# --- Facts -------------------------------------------------------------------------------------------------


def test_facts_that_bear_on_a_question_are_read_and_shown(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    fact = add_fact(owner, "Anna is a midwife in Hull")
    add_fact(owner, "You have a dog called Biggie")
    model.add_scripts(Script(tokens=["At the weir [1]. She is a midwife."]))

    asked = ask(owner, ANNA)
    services.wait_for_answer(asked)

    _, user = read_prompt(model)
    assert '{"fact": "Anna is a midwife in Hull"}' in user
    assert "Biggie" not in user
    record = PromptRecord.from_json(load_row(owner, asked).read)
    assert record is not None
    assert record.facts == [fact.id]
    for _ in ("from its job", "from its row"):
        page = owner.get(f"/ask/{asked.session_id}/").content.decode()
        assert f'<a href="/facts/{fact.id}/"><bdi>Anna is a midwife in Hull</bdi></a>' in page
        assert f'formaction="/facts/{fact.id}/reading/" name="read" value="no"' in page
        registry.discard(asked.id)


def test_a_fact_alone_answers_a_question(live: ServingLoop, model: FakeModelServer, owner: Resident) -> None:
    add_fact(owner, "You have a dog called Biggie")
    model.add_scripts(Script(tokens=["Your dog is Biggie."]))

    answer = get_answer(owner, "Where is my dog Biggie?")

    assert answer.text == "Your dog is Biggie."


def test_no_fact_is_read_beside_imported_texts(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    owner.write("The bicycle of Zoe is green.", day=date(2026, 2, 11), origin=Origin.IMPORTED)
    add_fact(owner, "Zoe is a midwife in Hull")
    model.add_scripts(Script(tokens=["Green [1]."]))

    services.wait_for_answer(ask(owner, "What colour is the bicycle of Zoe?", reads_untrusted=True))

    _, user = read_prompt(model)
    assert "bicycle of Zoe is green" in user
    assert "midwife" not in user


def test_a_program_without_facts_reads_none_and_no_conversation_that_did(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    add_fact(owner, "Anna is a midwife in Hull")
    model.add_scripts(Script(tokens=["A midwife [1]."]), Script(tokens=["At the weir [1]."]))
    asked = ask(owner, ANNA)
    services.wait_for_answer(asked)
    without, with_facts = (owner.keyring.restrict([Realm.CONTENT, *more]) for more in ([], [Realm.FACTS]))

    with in_force(without):
        services.wait_for_answer(services.ask(person=owner.person, keyring=without, question=ANNA))
        listed = [one.session_id for one in list_conversations(owner.id)]
        with pytest.raises(ObjectNotFound):
            load_conversation(owner.id, asked.session_id, language="en-gb")

    assert "midwife" not in read_prompt(model)[1]
    assert asked.session_id not in listed
    with in_force(with_facts):
        assert len(list_conversations(owner.id)) == 2
        assert len(load_conversation(owner.id, asked.session_id, language="en-gb")) == 1


def test_an_answer_has_read_what_the_one_before_it_had_also_when_its_record_is_gone(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    fact = add_fact(owner, "Anna is a midwife in Hull")
    model.add_scripts(Script(tokens=["A midwife [1]."]), Script(tokens=["As I said [1]."]))
    first = ask(owner, ANNA)
    services.wait_for_answer(first)
    with owner.unlocked():
        Fact.objects.filter(id=fact.id).delete()
    services.wait_for_answer(ask(owner, "And where?", session_id=first.session_id))
    without, with_facts = (owner.keyring.restrict([Realm.CONTENT, *more]) for more in ([], [Realm.FACTS]))

    def list_found(keyring: RealmKeyring) -> list[UUID]:
        with in_force(keyring):
            return [one.session_id for one in list_conversations(owner.id)]

    assert "A midwife [1]." in str(model.calls[-1])
    Question.objects.filter(id=first.id).delete()
    assert (list_found(without), list_found(with_facts)) == ([], [first.session_id])
    with connection.cursor() as cursor:
        cursor.execute("UPDATE search_question SET read = NULL")
    assert list_found(with_facts) == []
    assert list_found(owner.keyring.restrict([Realm.CONTENT, *BESIDE_ENTRIES])) == [first.session_id]
