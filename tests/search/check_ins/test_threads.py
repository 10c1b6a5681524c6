"""Tests of scheduled check-ins: when their thread runs, and what ends it."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.rotation.epoch_change import begin_rotation
from diary.models import Entry
from llamora.inference.registry import registry
from search.checkins import threads
from search.checkins.choices import CheckInChoices, load_choices
from search.checkins.tasks import CheckInTask
from search.checkins.threads import CheckInThread, Timetable, end_check_ins, has_thread
from search.models import CheckIn, CheckInProposal
from tests.diary.tabs import ServingLoop
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import make_unending
from tests.fakes.waiting import PATIENCE, wait_for
from tests.page import read
from tests.people import Resident, register_resident
from tests.search.check_ins.checking_in import (
    GARDEN,
    HOURS,
    LONG_AGO,
    build_answer,
    build_proposal,
    list_texts,
    switch_on,
    write_requests,
)
from tests.search.indexing import open_index
from tests.traces.facts.fact_steps import add_fact

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("embedder")]
FIELDS = {"interval": "60", "start": "00:00", "end": "00:00"}


@pytest.fixture
def owner(live: ServingLoop, owner: Resident) -> Iterator[Resident]:
    owner.write("The garden is full of tulips.")
    yield owner
    end_check_ins(owner.id)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is due after an unlock be due at once."""
    monkeypatch.setattr("search.checkins.schedule.AFTER_UNLOCK", timedelta(0))
    monkeypatch.setattr(threads, "POLL_SECONDS", 0.02)


def list_check_in_threads() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name == "check-ins of a diary"]


def list_threads() -> list[CheckInThread]:
    return [one for one in threading.enumerate() if isinstance(one, CheckInThread)]


def start_again(who: Resident) -> None:
    """Let the thread of a person begin as after an unlock."""
    with who.unlocked():
        threads.follow_choices(who.keyring)


def list_what_runs(live: ServingLoop) -> list[str]:
    """Return the threads, timers and tasks of check-ins, and all timers that are threads."""

    async def list_of_loop() -> list[str]:
        loop: Any = asyncio.get_running_loop()
        timers = [timer for timer in loop._scheduled if not timer.cancelled()]
        return [repr(one) for one in (*timers, *asyncio.all_tasks()) if "search/checkins" in repr(one)]

    of_threads = [
        repr(one)
        for one in threading.enumerate()
        if type(one).__module__.startswith("search.checkins") or isinstance(one, threading.Timer)
    ]
    jobs = [run.job for run in registry._runs.values() if isinstance(run.job.task, CheckInTask)]
    return [*of_threads, *live.run(list_of_loop()), *(repr(job) for job in jobs if not job.is_over)]


def test_while_they_are_off_or_locked_nothing_of_them_runs(live: ServingLoop, owner: Resident) -> None:
    owner.get("/")
    off = list_what_runs(live)
    owner.post("/check-ins/", on="on", **FIELDS)
    on = has_thread(owner.id), "due" in read(owner.get("/check-ins/")).one(".check-in-status").text
    of_one_person = list_what_runs(live)
    owner.post("/check-ins/", **FIELDS)
    wait_for(lambda: list_what_runs(live) == [])
    owner.post("/check-ins/", on="on", **FIELDS)
    again = has_thread(owner.id)
    owner.lock()

    assert off == []
    assert on == (True, True)
    assert len(of_one_person) == 1
    assert again
    wait_for(lambda: list_what_runs(live) == [])
    assert not has_thread(owner.id)


def test_pausing_ends_the_thread_and_going_on_begins_one(owner: Resident) -> None:
    owner.post("/check-ins/", on="on", **FIELDS)
    owner.post("/check-ins/pause/")
    paused = has_thread(owner.id), read(owner.get("/check-ins/")).one(".check-in-status").text
    owner.post("/check-ins/resume/")

    assert paused == (False, "Check-ins are paused.")
    assert has_thread(owner.id)
    with owner.unlocked():
        assert load_choices(owner.id).runs


@pytest.mark.usefixtures("soon")
def test_what_fell_due_while_locked_is_made_once(owner: Resident, model: FakeModelServer) -> None:
    write_requests(owner, GARDEN)
    switch_on(owner)
    open_index(owner)
    model.add_json_scripts(build_answer(build_proposal("Are the tulips out?")), build_answer())

    start_again(owner)

    wait_for(lambda: list_texts(owner) == ["Are the tulips out?"])
    assert has_thread(owner.id)
    assert CheckIn.objects.count() == 1
    assert not CheckIn.objects.get().is_by_hand


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("by", ["lock", "pause"])
def test_it_ends_with_the_one_that_is_being_made(owner: Resident, model: FakeModelServer, by: str) -> None:
    write_requests(owner, GARDEN)
    switch_on(owner)
    open_index(owner)
    model.add_json_scripts(make_unending())
    start_again(owner)
    wait_for(lambda: len(model.asked_for_json) == 1)

    if by == "lock":
        owner.lock()
    else:
        owner.post("/check-ins/pause/")

    assert model.wait_for_hang_up()
    wait_for(lambda: not list_check_in_threads())
    wait_for(lambda: CheckIn.objects.get().state in ("interrupted", "stopped"))
    assert not CheckInProposal.objects.exists()


@pytest.mark.usefixtures("soon")
def test_a_new_key_ends_the_one_that_is_being_made_and_the_next_has_it(
    live: ServingLoop, model: FakeModelServer
) -> None:
    olive = register_resident("Olive", signed_in=True)
    write_requests(olive, GARDEN)
    switch_on(olive)
    open_index(olive)
    model.add_json_scripts(make_unending())
    start_again(olive)
    wait_for(lambda: len(model.asked_for_json) == 1)
    [former] = list_threads()
    before = former.key_id

    rotated = begin_rotation(olive.open_slot(), current_cookie=olive.get_cookie())

    assert model.wait_for_hang_up()
    wait_for(lambda: [one.key_id for one in list_threads()] == [rotated.keyring.key_id])
    assert before != rotated.keyring.key_id
    assert not CheckInProposal.objects.exists()
    end_check_ins(olive.id)


@pytest.mark.usefixtures("soon")
def test_it_waits_until_no_reply_is_written(
    owner: Resident, model: FakeModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_requests(owner, GARDEN)
    switch_on(owner)
    open_index(owner)
    model.add_json_scripts(build_answer())
    queue, asked = [(1, 0)], threading.Semaphore(0)

    def count_queue() -> tuple[int, int]:
        asked.release()
        return queue[0]

    monkeypatch.setattr(threads.registry, "count_queue", count_queue)
    start_again(owner)
    assert all(asked.acquire(timeout=PATIENCE) for _ in range(3))
    before = len(model.asked_for_json)
    queue[0] = (0, 0)

    wait_for(lambda: CheckIn.objects.exclude(finished_at=None).exists())
    assert before == 0
    assert len(model.asked_for_json) == 1


@pytest.mark.usefixtures("soon")
def test_it_is_stopped_after_half_its_interval(owner: Resident, model: FakeModelServer) -> None:
    write_requests(owner, GARDEN)
    switch_on(owner, interval=timedelta(hours=1))
    open_index(owner)
    model.add_json_scripts(make_unending())
    passed = [timedelta(0)]
    thread = CheckInThread(owner.keyring, now=lambda: datetime(2026, 3, 2, 9, 30, tzinfo=UTC) + passed[0])
    thread.start()
    try:
        wait_for(lambda: len(model.asked_for_json) == 1)
        passed[0] = timedelta(minutes=29)
        early = model.hung_up
        passed[0] = timedelta(minutes=31)

        assert model.wait_for_hang_up()
        wait_for(lambda: CheckIn.objects.get().finished_at is not None)
    finally:
        thread.stop()
        thread.join(PATIENCE)
    assert early == 0
    assert (CheckIn.objects.get().state, CheckInProposal.objects.count()) == ("stopped", 0)


@pytest.mark.usefixtures("soon")
def test_a_remote_model_is_never_asked(
    owner: Resident, model: FakeModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_requests(owner, GARDEN)
    switch_on(owner)
    open_index(owner)
    monkeypatch.setattr("search.checkins.services.may_send_unrequested", lambda status: False)
    made = threading.Event()
    record = Timetable.record_check_in
    monkeypatch.setattr(Timetable, "record_check_in", lambda *each: (record(*each), made.set()))

    start_again(owner)

    assert made.wait(20)
    assert model.asked_for_json == []
    assert not CheckIn.objects.exists()
    assert "another machine" in read(owner.post("/check-ins/now/")).one("[role=alert]").text


def test_proposals_go_with_what_they_were_made_from(owner: Resident) -> None:
    entry = Entry.objects.get(owner_id=owner.id)
    fact = add_fact(owner, "You have a garden")
    with owner.unlocked():
        check_in = CheckIn.objects.create(owner_id=owner.id, due_at=timezone.now(), body={})
        for read_id in (entry.id, fact.id, check_in.id):
            CheckInProposal.objects.create(
                owner_id=owner.id, check_in=check_in, body={"text": "A text.", "read": [str(read_id)]}
            )

    owner.post(f"/entries/{entry.id}/delete/")
    owner.post(f"/entries/{entry.id}/destroy/")
    after_entry = CheckInProposal.objects.count()
    owner.post(f"/facts/{fact.id}/forget/")

    assert (after_entry, CheckInProposal.objects.count()) == (2, 1)


def test_the_times_of_a_person_move_on_with_what_was_made() -> None:
    choices = CheckInChoices(is_on=True, interval=timedelta(hours=1), hours=HOURS, changed_at=LONG_AGO)
    unlocked = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    timetable = Timetable(unlocked=unlocked, latest=None)

    first = timetable.compute_next(choices, zone="UTC")
    timetable.record_check_in(first)
    second = timetable.compute_next(choices, zone="UTC")
    timetable.record_postponed(second + timedelta(minutes=1))
    postponed = timetable.compute_next(choices, zone="UTC")
    timetable.record_check_in(postponed)

    assert first == unlocked + timedelta(minutes=1)
    assert second == first + timedelta(hours=1)
    assert postponed == second + timedelta(minutes=1)
    assert timetable.compute_next(choices, zone="UTC") == postponed + timedelta(hours=1)
