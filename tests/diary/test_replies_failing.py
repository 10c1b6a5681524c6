"""Tests of failing model servers: a reply gets a state with a sentence and a retry, and no error text."""

import asyncio
import threading
from typing import Any

import pytest
from django.db import connection

from accounts.models import Person
from diary.messages import JOB_LENGTH_REACHED
from diary.models import Reply
from llamora.inference.messages import get_message
from llamora.inference.registry import registry
from tests.diary.tabs import ServingLoop, load_reply, run_serving_loop, start_reply, wait_for_reply_row
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, make_unending
from tests.fakes.waiting import PATIENCE, wait_for
from tests.page import read
from tests.people import Resident, new_resident

pytestmark = pytest.mark.django_db(transaction=True)

TELLING = "the words of an error page"
FAULTS: dict[str, tuple[Script, str]] = {
    "unauthorized": (Script(status=401, error=TELLING), ""),
    "no_such_model": (Script(status=404, error=f"model not found: {TELLING}"), ""),
    "loading": (Script(status=503, error=TELLING), ""),
    "busy": (Script(status=429, error=TELLING), ""),
    "server_error": (Script(status=500, error=TELLING), ""),
    "out_of_memory": (Script(status=500, error=f"CUDA out of memory: {TELLING}"), ""),
    "content_filter": (Script(tokens=["Good ", "day"], finish_reason="content_filter"), "Good day"),
    "malformed": (Script(tokens=["Good ", "day ", "to"], malformed_after=3), "Good day "),
    "dropped": (Script(tokens=["Good ", "day"], drop_after=1), "Good "),
}


@pytest.mark.every_case
@pytest.mark.parametrize("code", FAULTS)
def test_a_failing_server_is_a_state_with_a_sentence_and_a_retry(
    live: ServingLoop, model: FakeModelServer, owner: Resident, code: str
) -> None:
    script, came = FAULTS[code]
    model.add_scripts(script)
    tab = live.tab(owner, owner.today)

    reply = start_reply(owner, owner.write("Tea.").id)

    end = tab.wait_for("end", reply=reply)["html"]
    page = owner.get(f"/d/{owner.today}/").content.decode()
    text, state, reason = load_reply(owner, reply)
    assert (state, reason) == ("failed", code)
    assert text.startswith(came)
    for shown in (end, page):
        assert 'data-state="failed"' in shown
        assert get_message(code) in shown.replace("&#39;", "'")
        assert "Try again" in shown
        assert TELLING not in shown


def test_an_error_in_the_middle_of_a_stream_keeps_only_what_came(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(Script(tokens=["Good ", "day ", "to"], error_after=3, error=TELLING))

    reply = start_reply(owner, owner.write("Tea.").id)

    text, state, reason = wait_for_reply_row(owner, reply)
    assert (state, reason) == ("failed", "server_error")
    assert text in ("Good day ", "Good day to")


def test_half_a_character_at_the_end_is_not_kept(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    event = b'data: {"choices":[{"delta":{"content":"Tea \xf0\x9f"},"finish_reason":"stop"}]}\n\n'
    model.add_scripts(Script(raw=event))

    reply = start_reply(owner, owner.write("Tea.").id)

    text, state, _ = wait_for_reply_row(owner, reply)
    assert state == "done"
    assert text in ("Tea ", "Tea \ufffd")


def test_silence_ends_with_what_came(
    live: ServingLoop, model: FakeModelServer, owner: Resident, settings: Any
) -> None:
    settings.MODEL_SILENCE_SECONDS = 2  # enough for the first word on any machine
    model.add_scripts(Script(tokens=["Good ", "day"], silent_after=1))

    reply = start_reply(owner, owner.write("Tea.").id)

    assert wait_for_reply_row(owner, reply) == ("Good ", "failed", "silent")
    assert model.wait_for_hang_up()


def test_the_time_limit_ends_with_what_came(
    live: ServingLoop, model: FakeModelServer, owner: Resident, settings: Any
) -> None:
    settings.MODEL_REPLY_SECONDS = 2  # enough for the first word on any machine
    script = make_unending()
    model.add_scripts(script)

    reply = start_reply(owner, owner.write("Tea.").id)

    text, state, reason = wait_for_reply_row(owner, reply)
    assert (state, reason) == ("failed", "time_limit")
    assert "".join(script.tokens).startswith(text)
    assert text
    assert model.wait_for_hang_up()


def test_a_model_going_in_circles_is_ended_and_its_circles_left_out(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    opening = "A quiet morning, then. "
    model.add_scripts(Script(tokens=[opening, *["round and round the garden it goes "] * 200]))
    tab = live.tab(owner, owner.today)

    reply = start_reply(owner, owner.write("Tea.").id)

    tab.wait_for("end", reply=reply)
    assert load_reply(owner, reply) == (opening.strip(), "failed", "repetition")
    assert "round and round" not in tab.get_html(reply)


def test_a_reply_without_a_word_is_a_failure(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(Script(tokens=[" ", "\n"]))

    reply = start_reply(owner, owner.write("Tea.").id)

    text, state, reason = wait_for_reply_row(owner, reply)
    assert (text.strip(), state, reason) == ("", "failed", "empty")


def test_a_reply_cut_at_its_length_says_so(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(Script(tokens=["Good ", "day"], finish_reason="length"))
    tab = live.tab(owner, owner.today)

    reply = start_reply(owner, owner.write("Tea.").id)

    assert JOB_LENGTH_REACHED in tab.wait_for("end", reply=reply)["html"]
    assert load_reply(owner, reply) == ("Good day", "done", "length")


def test_thinking_is_told_of_but_never_kept_or_put_among_the_words(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    is_told = threading.Event()
    thoughts = ["They ", "drink ", "tea, hmm."] * 5
    model.add_scripts(Script(thoughts=thoughts, tokens=["Enjoy ", "it."], rest_after=0, rest_when=is_told))
    tab = live.tab(owner, owner.today)

    reply = start_reply(owner, owner.write("Tea.").id)

    wait_for(lambda: any(frame["note"] == "Thinking." for frame in tab.list_frames("delta", reply)))
    is_told.set()
    tab.wait_for("end", reply=reply)
    assert load_reply(owner, reply)[0] == "Enjoy it."
    assert "hmm" not in tab.get_html(reply)
    assert not any("hmm" in str(frame.get(part)) for frame in tab.frames for part in ("settled", "tail"))


def test_thinking_told_apart_too_late_is_taken_back_from_the_page(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    is_shown, is_taken_back = threading.Event(), threading.Event()
    thoughts = ["They drink tea.\n\n", "Hmm.\n\n"]
    tokens = [*thoughts, "</think>", "Enjoy ", "it."]
    model.add_scripts(Script(tokens=tokens, rest_after=2, rest_when=is_shown, end_when=is_taken_back))
    tab = live.tab(owner, owner.today)

    reply = start_reply(owner, owner.write("Tea.").id)

    wait_for(lambda: "drink" in tab.get_html(reply))
    is_shown.set()
    tab.wait_for("snapshot", reply=reply, count=2)
    assert "drink" not in tab.get_html(reply)
    is_taken_back.set()
    tab.wait_for("end", reply=reply)
    assert load_reply(owner, reply)[0].strip() == "Enjoy it."
    assert "drink" not in tab.get_html(reply)


def test_a_window_smaller_than_the_server_said_is_tried_with_less(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    refusal = Script(status=400, error="request exceeds the available context size")
    model.add_scripts(refusal, Script(tokens=["All ", "right."]))
    owner.write("word " * 900)
    entry = owner.write("Tea.")

    reply = start_reply(owner, entry.id)

    assert wait_for_reply_row(owner, reply) == ("All right.", "done", "")
    first, second = (len(call["messages"][1]["content"]) for call in model.calls)
    assert second < first


@pytest.mark.parametrize("script", [True, False])
def test_without_a_model_a_reply_is_explained_and_not_stored(
    transactional_db: None, owner: Resident, *, script: bool
) -> None:
    administrator = new_resident("Adam")
    Person.objects.filter(id=administrator.id).update(is_staff=True)
    with run_serving_loop("http://127.0.0.1:9"):
        for person, is_administrator in ((owner, False), (administrator, True)):
            entry = person.write("Tea.")

            answer = person.post(f"/entries/{entry.id}/respond/", script=script)

            assert answer.status_code == 422
            told = read(answer).one("[data-error]").text
            assert told.startswith("No reply was started. The model server is not running.")
            assert ("Start it" in told) == is_administrator
            assert ("Ask the administrator" in told) != is_administrator
            assert not Reply.objects.exists()
            page = read(person.get(f"/d/{person.today}/"))
            assert page.all("[data-reply]") == []


def test_a_model_server_that_has_just_started_is_found_by_the_next_reply(
    transactional_db: None, owner: Resident
) -> None:
    with FakeModelServer() as model:
        port = model.port
    with run_serving_loop(model.url):
        entry = owner.write("Tea.")
        assert owner.post(f"/entries/{entry.id}/respond/", script=True).status_code == 422
        with FakeModelServer(port=port) as model:
            model.add_scripts(Script(tokens=["Good ", "day"]))

            reply = start_reply(owner, entry.id)

            assert wait_for_reply_row(owner, reply) == ("Good day", "done", "")


def set_pragma_on_workers(live: ServingLoop, pragma: str) -> None:
    """Set a pragma on the connections of both database threads of jobs."""
    both = threading.Barrier(2)

    def tell() -> None:
        both.wait(PATIENCE)
        connection.cursor().execute(f"PRAGMA {pragma}")

    async def tell_both() -> None:
        await asyncio.gather(registry.db.run(tell), registry.db.run(tell))

    live.run(tell_both())


def test_a_disk_that_takes_nothing_at_the_end_is_tried_again(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    is_refusing = threading.Event()
    model.add_scripts(Script(tokens=["Good ", "day"], first_when=is_refusing))
    tab = live.tab(owner, owner.today)
    reply = start_reply(owner, owner.write("Tea.").id)
    load_reply(owner, reply)
    set_pragma_on_workers(live, "query_only=ON")
    is_refusing.set()

    first = tab.wait_for("end", reply=reply)["html"]
    set_pragma_on_workers(live, "query_only=OFF")

    assert "could not be saved yet" in first
    assert wait_for_reply_row(owner, reply) == ("Good day", "done", "")


def test_a_disk_that_takes_nothing_at_the_beginning_is_a_sentence(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(Script(tokens=["Good ", "day"], first_after=3600))
    tab = live.tab(owner, owner.today)
    entry = owner.write("Tea.")
    set_pragma_on_workers(live, "query_only=ON")

    reply = start_reply(owner, entry.id)

    end = tab.wait_for("end", reply=reply)["html"]
    set_pragma_on_workers(live, "query_only=OFF")
    assert "Nothing can be written to the disk" in end
    assert not Reply.objects.exists()
    assert owner.get(f"/d/{owner.today}/").status_code == 200
