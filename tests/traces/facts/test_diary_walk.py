"""Tests of the search for facts through the whole diary: progress, stop, and yielding to other jobs."""

from collections.abc import Iterator

import pytest

from accounts.rotation.epoch_change import begin_rotation
from diary.models import Entry, Origin
from llamora.crypto import in_force
from tests.diary.tabs import ServingLoop, start_reply, wait_for_reply_row
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, make_unending
from tests.fakes.waiting import wait_for
from tests.page import read
from tests.people import Resident, register_resident
from tests.traces.facts.finding import build_answer, build_claim, list_proposed
from traces.facts.proposals import diary_walk
from traces.facts.proposals.diary_walk import WalkProgress, get_progress
from traces.facts.queries import load_choices

PLACES = ("Graz", "Bristol", "York")


@pytest.fixture
def owner(live: ServingLoop, owner: Resident) -> Iterator[Resident]:
    """The person whose diary a test is about, with a serving loop; their walk ends with the test."""
    yield owner
    diary_walk.stop_walk(owner.id, timeout=60)


def write_all(who: Resident) -> list[Entry]:
    return [who.write(f"Anna lives in {place} now.") for place in PLACES]


def script_all(model: FakeModelServer) -> None:
    """Let the model answer as the walk reads: the latest entry first."""
    model.add_json_scripts(
        *(
            build_answer(build_claim(f"Anna lives in {place}", f"Anna lives in {place}", "places"))
            for place in reversed(PLACES)
        )
    )


def get_walk(who: Resident) -> WalkProgress:
    progress = get_progress(who.id)
    assert progress is not None
    return progress


def start(who: Resident) -> None:
    assert who.post("/facts/going-through/start/", script=True).status_code == 200


def wait_for_end(who: Resident) -> WalkProgress:
    wait_for(lambda: not get_walk(who).is_running)
    return get_walk(who)


def test_every_own_entry_is_read_once_and_the_page_says_how_far_it_is(
    owner: Resident, model: FakeModelServer
) -> None:
    owner.write("Bob lives in Rome.", origin=Origin.IMPORTED)
    write_all(owner)
    script_all(model)

    start(owner)
    progress = wait_for_end(owner)

    assert progress == WalkProgress(state="finished", read=3, total=3, found=3)
    assert list_proposed(owner) == [f"Anna lives in {place}" for place in reversed(PLACES)]
    assert "Rome" not in str(model.asked_for_json)
    page = read(owner.get("/facts/going-through/"))
    assert "3 of 3" in page.one("#going-through").text
    assert "All your entries have been read." in page.one("#going-through").text


def test_while_a_new_key_is_not_everywhere_yet_every_entry_is_read(
    live: ServingLoop, model: FakeModelServer
) -> None:
    olive = register_resident("Olive", signed_in=True)
    write_all(olive)
    script_all(model)
    # The entries still have the former one.
    rotated = begin_rotation(olive.open_slot(), current_cookie=olive.get_cookie())

    with in_force(rotated.keyring):
        diary_walk.start_walk(rotated.keyring)
    progress = wait_for_end(olive)

    assert progress == WalkProgress(state="finished", read=3, total=3, found=3)


def test_what_was_read_is_not_read_again_and_then_all_is(owner: Resident, model: FakeModelServer) -> None:
    write_all(owner)
    script_all(model)
    start(owner)
    wait_for_end(owner)
    owner.write("Another one.")
    model.add_json_scripts(*[build_answer()] * 5)

    start(owner)
    after_one_more = wait_for_end(owner)
    start(owner)

    assert (after_one_more.total, wait_for_end(owner).total) == (1, 4)


def test_a_stop_ends_it_at_once_and_the_next_start_goes_on(owner: Resident, model: FakeModelServer) -> None:
    write_all(owner)
    claim = build_claim("Anna lives in York", "Anna lives in York", "places")
    model.add_json_scripts(build_answer(claim), make_unending())
    start(owner)
    wait_for(lambda: len(model.asked_for_json) == 2)

    page = read(owner.post("/facts/going-through/stop/", script=True))

    assert wait_for_end(owner) == WalkProgress(state="stopped", read=1, total=3, found=1)
    assert model.wait_for_hang_up()
    assert "Go through my diary" in page.one("#going-through button").text
    assert list_proposed(owner) == ["Anna lives in York"]
    model.add_json_scripts(build_answer(), build_answer())
    start(owner)
    assert wait_for_end(owner).total == 2


def test_a_lock_ends_it_and_what_was_read_stays_read(owner: Resident, model: FakeModelServer) -> None:
    write_all(owner)
    model.add_json_scripts(build_answer(), make_unending())
    start(owner)
    wait_for(lambda: len(model.asked_for_json) == 2)
    walk = diary_walk._walks[owner.id]

    owner.lock()

    walk.join(60)
    assert not walk.is_alive()
    assert get_progress(owner.id) is None
    with owner.unlocked():
        assert len(diary_walk.split_digests(load_choices(owner.id).read_entries)) == 1


def test_a_reply_goes_first_and_the_entry_is_read_again_afterwards(
    owner: Resident, model: FakeModelServer
) -> None:
    first, *_ = write_all(owner)
    model.add_json_scripts(make_unending())
    start(owner)
    wait_for(lambda: len(model.asked_for_json) == 1)
    script_all(model)
    model.add_scripts(Script(tokens=["A reply."]))

    text, state, _ = wait_for_reply_row(owner, start_reply(owner, first.id))

    assert (text, state) == ("A reply.", "done")
    assert wait_for_end(owner) == WalkProgress(state="finished", read=3, total=3, found=3)


def test_a_model_that_fails_again_and_again_ends_it_and_nothing_counts_as_read(
    owner: Resident, model: FakeModelServer
) -> None:
    for number in range(7):
        owner.write(f"Entry {number}.")
    model.add_json_scripts(*[Script(status=500)] * 7)
    model.add_scripts(*[Script(status=500)] * 7)

    start(owner)

    assert wait_for_end(owner).state == "failed"
    with owner.unlocked():
        assert load_choices(owner.id).read_entries == b""
