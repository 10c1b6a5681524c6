"""Tests of replies for several people and browsers: in turns, without slowing down pages."""

from threading import Event
from uuid import UUID, uuid4

import pytest
from django.test import Client

from accounts.sessions import services as sessions_services
from accounts.sessions.cookies import get_cookie_name
from diary.models import Reply
from diary.rendering.markdown import render_markdown
from llamora.inference import model_server
from llamora.inference.registry import registry
from tests.diary.tabs import (
    ServingLoop,
    get_reply_html,
    load_reply,
    start_reply,
    wait_for_reply_row,
    wait_for_text,
)
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, make_unending, make_words
from tests.people import Resident, new_resident

pytestmark = pytest.mark.django_db(transaction=True)

SLOW = make_unending()


def join_tokens(script: Script) -> str:
    return "".join(script.tokens)


@pytest.mark.parametrize("deed", ["", "stop/", "again/", "delete/"])
def test_a_reply_of_somebody_else_is_not_there(
    live: ServingLoop, model: FakeModelServer, owner: Resident, housemate: Resident, deed: str
) -> None:
    reply = start_reply(owner, owner.write("Tea.").id)
    before = wait_for_reply_row(owner, reply)

    theirs = housemate.post(f"/replies/{reply}/{deed}", script=True)
    nobodys = housemate.post(f"/replies/{uuid4()}/{deed}", script=True)

    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.content == nobodys.content
    assert load_reply(owner, reply) == before


def test_an_entry_of_somebody_else_cannot_be_answered(
    live: ServingLoop, model: FakeModelServer, owner: Resident, housemate: Resident
) -> None:
    entry = owner.write("Tea.")

    answer = housemate.post(f"/entries/{entry.id}/respond/", script=True)

    assert answer.status_code == 404
    assert not Reply.objects.exists()
    assert not model.calls


def test_a_stranger_is_asked_to_sign_in(
    live: ServingLoop, model: FakeModelServer, owner: Resident, stranger: Client
) -> None:
    entry = owner.write("Tea.")

    answer = stranger.post(f"/entries/{entry.id}/respond/", headers={"HX-Request": "true"})

    assert answer.status_code == 401
    assert not model.calls


def test_locking_interrupts_and_keeps_what_came(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(SLOW)
    entry = owner.write("Tea.")
    tab = live.tab(owner, owner.today)
    reply = start_reply(owner, entry.id)
    wait_for_text(tab, reply)
    registry.wait_for_row(UUID(reply))

    owner.lock()

    assert tab.wait_for_close() == 4401
    text, state, reason = wait_for_reply_row(owner, reply)
    assert (state, reason) == ("interrupted", "locked")
    assert text
    assert join_tokens(SLOW).startswith(text)
    assert model.wait_for_hang_up()
    assert tab.frames[-1] == {"type": "locked"}


def test_locking_one_browser_leaves_the_reply_to_the_other(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    is_locked = Event()
    script = Script(tokens=make_words(100), rate=100, end_when=is_locked)
    model.add_scripts(script)
    entry = owner.write("Tea.")
    here = live.tab(owner, owner.today)
    reply = start_reply(owner, entry.id)
    wait_for_text(here, reply)
    first = owner.person.sign_ins.get()
    other = sessions_services.create_session(
        person=owner.person, keyring=owner.keyring, is_persistent=False, device=""
    )
    owner.client.cookies[get_cookie_name(secure=False)] = other.encode()
    there = live.tab(owner, owner.today)

    sessions_services.lock_session(sign_in_id=first.id, person_id=owner.id)

    assert here.wait_for_close() == 4401
    is_locked.set()
    assert get_reply_html(there.wait_for("end", reply=reply)["html"]) == render_markdown(join_tokens(script))
    assert not here.list_frames("end")


def test_locking_before_the_first_word_leaves_no_word(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    is_over = Event()
    model.add_scripts(Script(first_when=is_over, tokens=["No."]))
    entry = owner.write("Tea.")
    reply = start_reply(owner, entry.id)
    assert load_reply(owner, reply)[1] == "waiting"

    owner.lock()

    assert wait_for_reply_row(owner, reply) == ("", "interrupted", "locked")
    is_over.set()
    live.wait_until_idle()
    assert not registry.has_job(UUID(reply))


def test_a_key_that_went_out_of_date_interrupts(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(SLOW)
    entry = owner.write("Tea.")
    tab = live.tab(owner, owner.today)
    reply = start_reply(owner, entry.id)
    wait_for_text(tab, reply)
    registry.wait_for_row(UUID(reply))

    # Another epoch, as a rotation leaves it: the fence refuses what the job would write.
    type(owner.person.vault).objects.filter(owner=owner.person).update(epoch=2)

    end = tab.wait_for("end", reply=reply)
    assert 'data-state="interrupted"' in end["html"]
    assert Reply.objects.get(id=reply).state == "interrupted"


def test_sixteen_people_are_served_in_turn(
    transactional_db: None, live: ServingLoop, model: FakeModelServer
) -> None:
    limit_to_one_slot(live, model)
    all_have_asked = Event()
    model.add_scripts(Script(tokens=["Yes."], first_when=all_have_asked), *([Script(tokens=["Yes."])] * 20))
    people = [new_resident(f"Person {number}") for number in range(16)]
    greedy = people[0]
    entries = [greedy.write(f"Mine, {number}") for number in range(4)]

    asked = [start_reply(greedy, entry.id) for entry in entries]
    replies = [(person, start_reply(person, person.write("One wish").id)) for person in people[1:]]
    all_have_asked.set()
    for person, reply in [*replies, *((greedy, reply) for reply in asked)]:
        wait_for_reply_row(person, reply)

    order = [call["messages"][1]["content"] for call in model.calls]
    mine = [place for place, prompt in enumerate(order) if "Mine" in prompt]
    assert len(order) == 19
    # The first was begun before the others came; the rest had to let everybody else go first.
    assert mine[2:] == [17, 18]


def test_the_place_in_the_queue_is_shown(live: ServingLoop, model: FakeModelServer, owner: Resident) -> None:
    limit_to_one_slot(live, model)
    model.add_scripts(SLOW)
    tab = live.tab(owner, owner.today)
    entry = owner.write("Tea.")
    first = start_reply(owner, entry.id)
    wait_for_text(tab, first)

    second, third = start_reply(owner, entry.id), start_reply(owner, entry.id)

    live.wait_until_idle()
    page = owner.get(f"/d/{owner.today}/").content.decode()
    assert "You are next." in page
    assert "after one other" in page
    for reply in (third, second, first):
        owner.post(f"/replies/{reply}/stop/", script=True)


def limit_to_one_slot(live: ServingLoop, model: FakeModelServer) -> None:
    model.manners.slots = 1
    live.run(model_server.discover())


def test_the_page_says_how_many_entries_are_read(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    is_read = Event()
    model.add_scripts(Script(tokens=["Fine."], first_when=is_read))
    owner.write("Up early.")
    tab = live.tab(owner, owner.today)

    reply = start_reply(owner, owner.write("Tea.").id)

    came = tab.wait_for("snapshot", reply=reply)["html"]
    page = owner.get(f"/d/{owner.today}/").content.decode()
    assert "Reading 2 entries." in came
    assert "Reading 2 entries." in page
    is_read.set()
    end = tab.wait_for("end", reply=reply)["html"]
    assert "Reading" not in end


def test_one_person_cannot_have_any_number_under_way(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(*([Script(headers_after=3600)] * 8))
    entry = owner.write("Tea.")
    replies = [start_reply(owner, entry.id) for _ in range(8)]

    answer = owner.post(f"/entries/{entry.id}/respond/", script=True)

    assert answer.status_code == 429
    assert "Wait for one" in answer.content.decode()
    assert f'href="/entries/{entry.id}/respond/"' in answer.content.decode()
    assert owner.get(f"/entries/{entry.id}/respond/").url == f"/d/{owner.today}/#entry-{entry.id}"
    for reply in replies:
        owner.post(f"/replies/{reply}/delete/", script=True)


def test_writing_goes_on_while_the_model_writes(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(SLOW)
    entry = owner.write("Tea.")
    tab = live.tab(owner, owner.today)
    reply = start_reply(owner, entry.id)
    wait_for_text(tab, reply)

    answer = owner.post(f"/d/{owner.today}/", text="And more tea", key=uuid4(), script=True)

    assert answer.status_code == 200
    assert owner.list_texts() == ["Tea.", "And more tea"]
    assert load_reply(owner, reply)[1] in ("waiting", "writing")


def test_without_a_serving_loop_a_reply_says_so(db: None, owner: Resident) -> None:
    entry = owner.write("Tea.")

    answer = owner.post(f"/entries/{entry.id}/respond/", script=True)

    assert answer.status_code == 200
    assert 'data-state="interrupted"' in answer.content.decode()
    assert "Try again" in answer.content.decode()
