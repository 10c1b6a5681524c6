"""A week of check-ins of four people with the clock of the test, with midnights and a change of the clock."""

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from search.checkins.choices import load_choices
from search.checkins.schedule import Hours
from search.checkins.services import NO_REQUESTS, start_check_in
from search.checkins.threads import Timetable, find_latest_due
from search.models import CheckIn
from tests.diary.tabs import ServingLoop
from tests.fakes.model_server import FakeModelServer
from tests.fakes.waiting import wait_for
from tests.people import Resident, new_resident
from tests.search.check_ins.checking_in import (
    GARDEN,
    build_answer,
    build_proposal,
    is_unsettled,
    switch_on,
    write_requests,
)
from tests.search.indexing import open_index

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("embedder"),
    pytest.mark.extended,
]
VIENNA = ZoneInfo("Europe/Vienna")
# On 25 October 2026 the clock is put back.
FIRST = datetime(2026, 10, 22, 6, tzinfo=UTC)
END = FIRST + timedelta(days=7)
NIGHT = Hours(start=time(20), end=time(2))
INTERVAL = timedelta(hours=2)
MAX_TOKENS = 6600


def live_through(
    who: Resident, model: FakeModelServer, *, unlocks: list[tuple[datetime, datetime]]
) -> Counter[str]:
    """Make the check-ins of a week with these unlocks; return how many there were, by how they ended."""
    made: Counter[str] = Counter()
    with who.unlocked():
        for begin, end in unlocks:
            timetable = Timetable(unlocked=begin, latest=find_latest_due(who.id))
            while load_choices(who.id).runs:
                due = timetable.compute_next(load_choices(who.id), zone="Europe/Vienna")
                if due >= end:
                    break
                model.add_json_scripts(build_answer(build_proposal(f"Text of {due.date()}.")))
                started = start_check_in(person=who.person, keyring=who.keyring, due_at=due, now=due)
                wait_for(lambda: not is_unsettled(who))
                model.forget_scripts()
                made[started.problem or "made"] += 1
                timetable.record_check_in(due)
    return made


def list_due(who: Resident) -> list[datetime]:
    return sorted(CheckIn.objects.filter(owner_id=who.id).values_list("due_at", flat=True))


def test_a_week_of_four_people(live: ServingLoop, model: FakeModelServer) -> None:
    people = [new_resident(f"Person {number}", time_zone="Europe/Vienna") for number in range(4)]
    of_night, away_at_times, without_requests, switched_off = people
    whole_week = [(FIRST, END)]
    for who in people:
        for number in range(12):
            who.write(f"Day {number} in the garden. " + "The tulips are out, and the beans come up. " * 120)
        open_index(who)
    for who in (of_night, away_at_times, switched_off):
        write_requests(who, GARDEN, "Count my walks", "Tell me what I wrote of the beans")
    switch_on(of_night, interval=INTERVAL, hours=NIGHT)
    switch_on(away_at_times, interval=INTERVAL)
    switch_on(without_requests, interval=INTERVAL)
    unlocked_at_times = [
        (FIRST + timedelta(days=day), FIRST + timedelta(days=day, hours=7)) for day in (0, 1, 4, 5)
    ]

    night = live_through(of_night, model, unlocks=whole_week)
    away = live_through(away_at_times, model, unlocks=unlocked_at_times)
    nothing = live_through(without_requests, model, unlocks=whole_week)
    off = live_through(switched_off, model, unlocks=whole_week)

    # From 20:00 on every two hours until 02:00, which comes an hour later on the day of the change.
    assert night == {"made": 21}
    assert {due.astimezone(VIENNA).hour for due in list_due(of_night)} <= {20, 21, 22, 23, 0, 1}
    # A minute after each unlock, and then three more.
    assert away == {"made": 16}
    assert set(nothing) == {NO_REQUESTS}
    assert off == {}
    assert not CheckIn.objects.filter(owner_id__in=[without_requests.id, switched_off.id]).exists()
    for who in (of_night, away_at_times):
        assert all(later - earlier >= INTERVAL for earlier, later in pairwise(list_due(who)))
        with who.unlocked():
            records = list(CheckIn.objects.filter(owner_id=who.id))
            sizes = [one.body["prompt_tokens"] + one.body["output_tokens"] for one in records]
        assert {one.state for one in records} == {"done"}
        assert max(sizes) <= MAX_TOKENS
        # The prompts are not small ones, nor do they grow.
        assert min(sizes) > 300
        assert sizes[-1] <= sizes[0] * 1.2
    assert len(model.asked_for_json) == 21 + 16
