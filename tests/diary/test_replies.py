"""Replies from the button to the last word: whole in every tab, kept, stopped, and never anybody else's."""

import time

import pytest

from diary.models import Reply
from diary.rendering.markdown import render_markdown
from tests.diary.tabs import Live, ask, kept, serving, wait_until_kept, words_in, words_of
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, words
from tests.page import read
from tests.people import Resident

pytestmark = pytest.mark.django_db(transaction=True)

SLOW = Script(tokens=words(400), rate=100)


def whole(script: Script) -> str:
    return "".join(script.tokens)


def test_an_entry_is_answered_in_an_open_tab(live: Live, model: FakeModelServer, owner: Resident) -> None:
    model.next(Script(tokens=["It ", "sounds ", "like ", "a *good* day."]))
    entry = owner.write("Walked to the weir.")
    tab = live.tab(owner, owner.today)

    reply = ask(owner, entry.id)

    end = tab.wait_for("end", reply=reply)
    assert words_of(end["html"]) == render_markdown("It sounds like a *good* day.")
    assert 'data-state="done"' in end["html"]
    assert kept(owner, reply) == ("It sounds like a *good* day.", "done", "")


def test_two_tabs_see_the_whole_text_once(live: Live, model: FakeModelServer, owner: Resident) -> None:
    script = Script(tokens=words(150), rate=300)
    model.next(script)
    entry = owner.write("Tea.")
    first, second = live.tab(owner, owner.today), live.tab(owner, owner.today)

    reply = ask(owner, entry.id)

    for tab in (first, second):
        end = tab.wait_for("end", reply=reply)
        assert words_of(end["html"]) == render_markdown(whole(script))
        assert len(tab.of("snapshot", reply)) == 1
        assert len(tab.of("delta", reply)) > 3
        assert tab.gaps == 0
    assert len(model.calls) == 1


def test_what_streamed_is_what_the_end_says(live: Live, model: FakeModelServer, owner: Resident) -> None:
    tokens = ["# Head\n\n", "- one\n", "- two\n\n", "`code", "` and **bo", "ld**\n\n"]
    model.next(Script(tokens=tokens, rate=12))
    entry = owner.write("Tea.")
    tab = live.tab(owner, owner.today)
    reply = ask(owner, entry.id)

    tab.wait_for("end", reply=reply)

    deltas = tab.of("delta", reply)
    streamed = "".join(d["settled"] for d in deltas) + deltas[-1]["tail"]
    assert streamed == tab.shows(reply) == render_markdown("".join(tokens))


def test_a_page_reloaded_in_the_middle_shows_what_came_and_then_the_rest(
    live: Live, model: FakeModelServer, owner: Resident
) -> None:
    model.next(SLOW)
    entry = owner.write("Tea.")
    tab = live.tab(owner, owner.today)
    reply = ask(owner, entry.id)
    words_in(tab, reply)
    tab.close()

    page = owner.get(f"/d/{owner.today}/").content.decode()
    late = live.tab(owner, owner.today)

    assert 'data-state="writing"' in page
    assert SLOW.tokens[0].strip() in page
    assert words_of(late.wait_for("end", reply=reply)["html"]) == render_markdown(whole(SLOW))


def test_a_reply_is_written_to_its_end_with_nobody_watching(
    live: Live, model: FakeModelServer, owner: Resident
) -> None:
    entry = owner.write("Tea.")
    model.next(Script(tokens=["All ", "of it."]))

    reply = ask(owner, entry.id)

    assert wait_until_kept(owner, reply) == ("All of it.", "done", "")


def test_a_tab_that_comes_after_the_end_is_told_it(
    live: Live, model: FakeModelServer, owner: Resident
) -> None:
    entry = owner.write("Tea.")
    model.next(Script(tokens=["All."]))
    reply = ask(owner, entry.id)
    wait_until_kept(owner, reply)

    tab = live.tab(owner, owner.today)

    assert words_of(tab.wait_for("end", reply=reply)["html"]) == render_markdown("All.")


def test_stop_closes_the_connection_and_keeps_what_came(
    live: Live, model: FakeModelServer, owner: Resident
) -> None:
    model.next(SLOW)
    entry = owner.write("Tea.")
    tab = live.tab(owner, owner.today)
    reply = ask(owner, entry.id)
    words_in(tab, reply)

    answer = owner.post(f"/replies/{reply}/stop/", script=True)

    text, state, _ = kept(owner, reply)
    assert 'data-state="stopped"' in answer.content.decode()
    assert state == "stopped"
    assert text
    assert whole(SLOW).startswith(text)
    assert model.wait_for_hang_up()
    assert words_of(tab.wait_for("end", reply=reply)["html"]) == render_markdown(text)


def test_thoughts_that_its_template_opens_are_not_kept_when_it_is_stopped(
    owner: Resident, transactional_db: None
) -> None:
    thoughts = Script(tokens=["THOUGHT "] * 300, rate=100)
    with FakeModelServer(thoughts, opens="<think>\n") as model, serving(model.url) as live:
        tab = live.tab(owner, owner.today)
        reply = ask(owner, owner.write("Tea.").id)
        tab.wait_for("delta", reply=reply, count=3)

        owner.post(f"/replies/{reply}/stop/", script=True)

        assert kept(owner, reply) == ("", "stopped", "")
        assert "THOUGHT" in str(tab.of("delta", reply))
        assert not tab.shows(reply)


def test_a_reply_can_be_stopped_while_it_waits(live: Live, model: FakeModelServer, owner: Resident) -> None:
    model.next(Script(headers_after=30))
    reply = ask(owner, owner.write("Tea.").id)

    owner.post(f"/replies/{reply}/stop/", script=True)

    assert kept(owner, reply) == ("", "stopped", "")


def test_partial_text_is_sealed_every_second(live: Live, model: FakeModelServer, owner: Resident) -> None:
    model.next(SLOW)

    reply = ask(owner, owner.write("Tea.").id)

    until = time.monotonic() + 4
    while not (partial := kept(owner, reply))[0] and time.monotonic() < until:
        time.sleep(0.05)
    assert partial[1] == "writing"
    assert whole(SLOW).startswith(partial[0])


def test_asking_again_keeps_the_first_and_tells_the_model_of_it(
    live: Live, model: FakeModelServer, owner: Resident
) -> None:
    model.next(Script(tokens=["First words."]), Script(tokens=["Second words."]))
    entry = owner.write("Tea.")
    first = ask(owner, entry.id)
    wait_until_kept(owner, first)

    answer = owner.post(f"/replies/{first}/again/", script=True)

    second = read(answer).ids("reply-")[0]
    assert second != first
    assert answer["HX-Retarget"] == f"#replies-{entry.id}"
    assert wait_until_kept(owner, second)[0] == "Second words."
    assert kept(owner, first)[0] == "First words."
    assert "First words." in model.calls[1]["messages"][1]["content"]


def test_a_reply_without_a_word_is_taken_up_again_in_its_place(
    live: Live, model: FakeModelServer, owner: Resident
) -> None:
    model.next(Script(status=500), Script(tokens=["Now."]))
    reply = ask(owner, owner.write("Tea.").id)
    assert wait_until_kept(owner, reply)[1] == "failed"
    tab = live.tab(owner, owner.today)

    answer = owner.post(f"/replies/{reply}/again/", script=True)

    assert f'id="reply-{reply}"' in answer.content.decode()
    assert "HX-Retarget" not in answer
    assert words_of(tab.wait_for("end", reply=reply, count=2)["html"]) == render_markdown("Now.")
    assert wait_until_kept(owner, reply)[0] == "Now."
    assert Reply.objects.count() == 1


def test_a_deleted_reply_is_gone_and_its_connection_closed(
    live: Live, model: FakeModelServer, owner: Resident
) -> None:
    model.next(SLOW)
    entry = owner.write("Tea.")
    tab = live.tab(owner, owner.today)
    reply = ask(owner, entry.id)
    words_in(tab, reply)

    answer = owner.post(f"/replies/{reply}/delete/", script=True)

    assert answer.content == b""
    assert model.wait_for_hang_up()
    assert not Reply.objects.exists()
    assert reply not in owner.get(f"/d/{owner.today}/").content.decode()


def test_without_script_a_reply_is_a_place_on_the_day(
    live: Live, model: FakeModelServer, owner: Resident
) -> None:
    model.next(SLOW)
    entry = owner.write("Tea.")

    answer = owner.post(f"/entries/{entry.id}/respond/")

    place = answer["Location"]
    page = owner.get(place.split("#")[0]).content.decode()
    reply = place.split("#reply-")[1]
    assert answer.status_code == 302
    assert f'id="reply-{reply}"' in page
    assert 'data-state="writing"' in page or 'data-state="waiting"' in page
    assert owner.post(f"/replies/{reply}/stop/")["Location"] == place
