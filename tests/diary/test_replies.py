"""Tests of replies: complete in every tab, saved, stopped, and closed to other people."""

from threading import Event

import pytest

from diary.models import Reply
from diary.rendering.markdown import render_markdown
from tests.diary.tabs import (
    ServingLoop,
    get_reply_html,
    load_reply,
    run_serving_loop,
    start_reply,
    wait_for_html,
    wait_for_reply_row,
    wait_for_text,
)
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, make_unending, make_words
from tests.fakes.waiting import wait_for
from tests.page import read
from tests.people import Resident

pytestmark = pytest.mark.django_db(transaction=True)

SLOW = make_unending()


def join_tokens(script: Script) -> str:
    return "".join(script.tokens)


def test_an_entry_is_answered_in_an_open_tab(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(Script(tokens=["It ", "sounds ", "like ", "a *good* day."]))
    entry = owner.write("Walked to the weir.")
    tab = live.tab(owner, owner.today)

    reply = start_reply(owner, entry.id)

    end = tab.wait_for("end", reply=reply)
    assert get_reply_html(end["html"]) == render_markdown("It sounds like a *good* day.")
    assert 'data-state="done"' in end["html"]
    assert load_reply(owner, reply) == ("It sounds like a *good* day.", "done", "")


def test_two_tabs_see_the_whole_text_once(live: ServingLoop, model: FakeModelServer, owner: Resident) -> None:
    is_watched, is_begun, is_seen = Event(), Event(), Event()
    script = Script(
        tokens=make_words(150), first_when=is_watched, rest_after=20, rest_when=is_begun, end_when=is_seen
    )
    model.add_scripts(script)
    entry = owner.write("Tea.")
    first, second = live.tab(owner, owner.today), live.tab(owner, owner.today)

    reply = start_reply(owner, entry.id)

    for tab in (first, second):
        tab.wait_for("snapshot", reply=reply)
    is_watched.set()
    for tab in (first, second):
        wait_for_html(tab, reply, render_markdown("".join(script.tokens[:20])))
    is_begun.set()
    for tab in (first, second):
        wait_for_html(tab, reply, render_markdown(join_tokens(script)))
    is_seen.set()
    for tab in (first, second):
        end = tab.wait_for("end", reply=reply)
        assert get_reply_html(end["html"]) == render_markdown(join_tokens(script))
        assert len(tab.list_frames("snapshot", reply)) == 1
        assert len(tab.list_frames("delta", reply)) >= 2
        assert tab.gaps == 0
    assert len(model.calls) == 1


def test_what_streamed_is_what_the_end_says(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    tokens = ["# Head\n\n", "- one\n", "- two\n\n", "`code", "` and **bo", "ld**\n\n"]
    is_watched, is_begun, is_seen = Event(), Event(), Event()
    model.add_scripts(
        Script(tokens=tokens, first_when=is_watched, rest_after=3, rest_when=is_begun, end_when=is_seen)
    )
    entry = owner.write("Tea.")
    tab = live.tab(owner, owner.today)
    reply = start_reply(owner, entry.id)

    tab.wait_for("snapshot", reply=reply)
    is_watched.set()
    wait_for_html(tab, reply, render_markdown("".join(tokens[:3])))
    is_begun.set()
    wait_for_html(tab, reply, render_markdown("".join(tokens)))
    is_seen.set()
    tab.wait_for("end", reply=reply)

    deltas = tab.list_frames("delta", reply)
    streamed = "".join(d["settled"] for d in deltas) + deltas[-1]["tail"]
    assert streamed == render_markdown("".join(tokens))
    assert tab.get_html(reply) == render_markdown("".join(tokens))


def test_a_page_reloaded_in_the_middle_shows_what_came_and_then_the_rest(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    is_reloaded = Event()
    script = Script(tokens=make_words(150), rest_after=20, rest_when=is_reloaded)
    model.add_scripts(script)
    entry = owner.write("Tea.")
    tab = live.tab(owner, owner.today)
    reply = start_reply(owner, entry.id)
    wait_for_text(tab, reply)
    tab.close()

    page = owner.get(f"/d/{owner.today}/").content.decode()
    late = live.tab(owner, owner.today)

    assert 'data-state="writing"' in page
    assert script.tokens[0].strip() in page
    is_reloaded.set()
    assert get_reply_html(late.wait_for("end", reply=reply)["html"]) == render_markdown(join_tokens(script))


def test_a_reply_is_written_to_its_end_with_nobody_watching(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    entry = owner.write("Tea.")
    model.add_scripts(Script(tokens=["All ", "of it."]))

    reply = start_reply(owner, entry.id)

    assert wait_for_reply_row(owner, reply) == ("All of it.", "done", "")


def test_a_tab_that_comes_after_the_end_is_told_it(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    entry = owner.write("Tea.")
    model.add_scripts(Script(tokens=["All."]))
    reply = start_reply(owner, entry.id)
    wait_for_reply_row(owner, reply)

    tab = live.tab(owner, owner.today)

    assert get_reply_html(tab.wait_for("end", reply=reply)["html"]) == render_markdown("All.")


def test_stop_closes_the_connection_and_keeps_what_came(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(SLOW)
    entry = owner.write("Tea.")
    tab = live.tab(owner, owner.today)
    reply = start_reply(owner, entry.id)
    wait_for_text(tab, reply)

    answer = owner.post(f"/replies/{reply}/stop/", script=True)

    text, state, _ = load_reply(owner, reply)
    assert 'data-state="stopped"' in answer.content.decode()
    assert state == "stopped"
    assert text
    assert join_tokens(SLOW).startswith(text)
    assert model.wait_for_hang_up()
    assert get_reply_html(tab.wait_for("end", reply=reply)["html"]) == render_markdown(text)


def test_thoughts_that_its_template_opens_are_not_kept_when_it_is_stopped(
    owner: Resident, transactional_db: None
) -> None:
    thoughts = Script(tokens=[f"THOUGHT {word}" for word in SLOW.tokens], rate=SLOW.rate)
    with FakeModelServer(thoughts, opens="<think>\n") as model, run_serving_loop(model.url) as live:
        tab = live.tab(owner, owner.today)
        reply = start_reply(owner, owner.write("Tea.").id)
        tab.wait_for("delta", reply=reply, count=3)

        owner.post(f"/replies/{reply}/stop/", script=True)

        assert load_reply(owner, reply) == ("", "stopped", "")
        assert "THOUGHT" in str(tab.list_frames("delta", reply))
        assert not tab.get_html(reply)


def test_a_reply_can_be_stopped_while_it_waits(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(Script(headers_after=30))
    reply = start_reply(owner, owner.write("Tea.").id)

    owner.post(f"/replies/{reply}/stop/", script=True)

    assert load_reply(owner, reply) == ("", "stopped", "")


def test_partial_text_is_sealed_every_second(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(SLOW)

    reply = start_reply(owner, owner.write("Tea.").id)

    wait_for(lambda: load_reply(owner, reply)[0] != "")
    partial, state, _ = load_reply(owner, reply)
    assert state == "writing"
    assert join_tokens(SLOW).startswith(partial)


def test_asking_again_keeps_the_first_and_tells_the_model_of_it(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(Script(tokens=["First words."]), Script(tokens=["Second words."]))
    entry = owner.write("Tea.")
    first = start_reply(owner, entry.id)
    wait_for_reply_row(owner, first)

    answer = owner.post(f"/replies/{first}/again/", script=True)

    second = read(answer).ids("reply-")[0]
    assert second != first
    assert answer["HX-Retarget"] == f"#replies-{entry.id}"
    assert wait_for_reply_row(owner, second)[0] == "Second words."
    assert load_reply(owner, first)[0] == "First words."
    assert "First words." in model.calls[1]["messages"][1]["content"]


def test_a_reply_without_a_word_is_taken_up_again_in_its_place(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(Script(status=500), Script(tokens=["Now."]))
    reply = start_reply(owner, owner.write("Tea.").id)
    assert wait_for_reply_row(owner, reply)[1] == "failed"
    tab = live.tab(owner, owner.today)

    answer = owner.post(f"/replies/{reply}/again/", script=True)

    assert f'id="reply-{reply}"' in answer.content.decode()
    assert "HX-Retarget" not in answer
    assert get_reply_html(tab.wait_for("end", reply=reply, count=2)["html"]) == render_markdown("Now.")
    assert wait_for_reply_row(owner, reply)[0] == "Now."
    assert Reply.objects.count() == 1


def test_a_deleted_reply_is_gone_and_its_connection_closed(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(SLOW)
    entry = owner.write("Tea.")
    tab = live.tab(owner, owner.today)
    reply = start_reply(owner, entry.id)
    wait_for_text(tab, reply)

    answer = owner.post(f"/replies/{reply}/delete/", script=True)

    assert answer.content == b""
    assert model.wait_for_hang_up()
    assert not Reply.objects.exists()
    assert reply not in owner.get(f"/d/{owner.today}/").content.decode()


def test_without_script_a_reply_is_a_place_on_the_day(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(SLOW)
    entry = owner.write("Tea.")

    answer = owner.post(f"/entries/{entry.id}/respond/")

    place = answer["Location"]
    page = owner.get(place.split("#")[0]).content.decode()
    reply = place.split("#reply-")[1]
    assert answer.status_code == 302
    assert f'id="reply-{reply}"' in page
    assert 'data-state="writing"' in page or 'data-state="waiting"' in page
    assert owner.post(f"/replies/{reply}/stop/")["Location"] == place
