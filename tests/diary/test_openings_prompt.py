"""Tests of the prompt of an opening: the latest days with entries, cut to the context window."""

import time

import pytest

from accounts.models import Vault
from diary.generation.prompt_context import PromptEntry
from diary.models import Recap
from diary.openings.tasks import LONG_GAP_DAYS
from diary.recaps.services import compute_digest
from tests.diary.damage import flip_a_bit
from tests.diary.fences import fence, hide_codes
from tests.diary.openings import get_day_before, open_day, write_days_ago
from tests.diary.tabs import ServingLoop, run_serving_loop
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script
from tests.fakes.waiting import PATIENCE
from tests.people import Resident

pytestmark = pytest.mark.django_db(transaction=True)


def test_exactly_the_latest_written_days_leave_the_process(
    live: ServingLoop, model: FakeModelServer, owner: Resident, housemate: Resident
) -> None:
    write_days_ago(owner, "OLDEST", ago=9)
    write_days_ago(owner, "Began the boat.", ago=5)
    write_days_ago(owner, "Sanded it.", ago=4)
    write_days_ago(owner, "Anna comes on Sunday.", ago=1, hour=9)
    write_days_ago(owner, "Varnish is out.", ago=1, hour=20)
    owner.write("TODAY")
    write_days_ago(housemate, "HOUSEMATE", ago=1)
    deleted = write_days_ago(owner, "DELETED", ago=1)
    owner.update_columns(deleted, deleted_at=owner.today_at(1))

    open_day(owner)

    said = model.calls[0]["messages"][1]["content"]
    labels = {
        ago: f"{day:%A}, {day.day} {day:%B %Y}"
        for ago, day in ((ago, get_day_before(owner, ago)) for ago in range(6))
    }
    read = fence(
        {"day": f"{labels[5]}, 5 days ago", "text": "Began the boat."},
        {"day": f"{labels[4]}, 4 days ago", "text": "Sanded it."},
        {"day": f"{labels[1]}, yesterday", "text": "Anna comes on Sunday."},
        {"day": f"{labels[1]}, yesterday", "text": "Varnish is out."},
    )
    assert hide_codes(said) == (
        f"Today is {labels[0]}.\n\n"
        f"The latest days, the last one at the end:\n{read}\n\n"
        f"Write the first lines for {labels[0]}: at most three short sentences in English about one or two "
        'things from the days above, fit to be read by others, and call the owner "you".'
    )
    assert len(model.calls) == 1


def test_a_recap_that_is_true_stands_for_a_day_before_the_latest(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    entry = write_days_ago(owner, "A whole long story.", ago=4)
    stale = write_days_ago(owner, "Another long story.", ago=3)
    write_days_ago(owner, "Varnish is out.", ago=1)
    with owner.unlocked():
        key = Vault.objects.get().digest_key
        digest = compute_digest(
            key, get_day_before(owner, 4), [PromptEntry(time="", text="A whole long story.", id=entry.id)]
        )
        body = {"text": "The boat was begun.", "digest": digest, "clean": True}
        Recap.objects.create(owner_id=owner.id, day=get_day_before(owner, 4), body=body)
        old = {"text": "STALE", "digest": digest}
        Recap.objects.create(owner_id=owner.id, day=get_day_before(owner, 3), body=old)

    open_day(owner)

    said = model.calls[0]["messages"][1]["content"]
    assert '4 days ago", "summary": "The boat was begun."' in said
    assert "A whole long story." not in said
    assert '3 days ago", "text": "Another long story."' in said
    assert "STALE" not in said
    read = owner.get(f"/d/{owner.today}/opening/read/", script=True).content.decode()
    assert "the recap of" in read
    assert f"/entries/{stale.id}/" in read


def test_the_traces_a_person_keeps_are_told_with_their_days(
    live: ServingLoop, model: FakeModelServer, owner: Resident, housemate: Resident
) -> None:
    marked = write_days_ago(owner, "Began the boat.", ago=4)
    write_days_ago(owner, "Varnish is out.", ago=1)
    others = write_days_ago(housemate, "Mine", ago=1)
    for who, entry, name in (
        (owner, marked, "the boat"),
        (owner, marked, "Anna"),
        (housemate, others, "HIS"),
    ):
        assert who.post(f"/entries/{entry.id}/traces/keep/", name=name).status_code == 302

    open_day(owner)

    said = model.calls[0]["messages"][1]["content"]
    assert '4 days ago", "labels": ["the boat", "Anna"], "text": "Began the boat."' in said
    assert said.count('"labels"') == 1
    assert "HIS" not in said


def test_a_long_day_is_put_in_short_for_the_next_opening_and_a_short_one_is_not(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    write_days_ago(owner, "Short.", ago=2)
    write_days_ago(owner, "A long day. " * 80, ago=1)
    model.add_scripts(Script(tokens=["The boat waits."]))
    model.add_scripts(Script(tokens=["A long day, in short."]))

    assert open_day(owner) == "The boat waits."

    until = time.monotonic() + PATIENCE
    while not Recap.objects.exists() and time.monotonic() < until:
        time.sleep(0.02)
    with owner.unlocked():
        assert [(row.day, row.body["text"]) for row in Recap.objects.all()] == [
            (get_day_before(owner, 1), "A long day, in short.")
        ]
    assert len(model.calls) == 2


@pytest.mark.parametrize(
    ("ago", "says", "never"),
    [
        (1, "The diary is new", "The last page"),
        (LONG_GAP_DAYS, f"The last page is {LONG_GAP_DAYS} days old.", "The diary is new"),
        (400, "The last page is 400 days old.", "The diary is new"),
    ],
)
def test_a_new_diary_and_a_return_are_told_to_the_model(
    live: ServingLoop, model: FakeModelServer, owner: Resident, ago: int, says: str, never: str
) -> None:
    write_days_ago(owner, "Varnish is out.", ago=ago)

    open_day(owner)

    said = model.calls[0]["messages"][1]["content"]
    assert says in said
    assert never not in said


def test_an_ordinary_morning_is_told_nothing_more(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    for ago in range(1, 6):
        write_days_ago(owner, f"Day {ago}.", ago=ago)

    open_day(owner)

    said = model.calls[0]["messages"][1]["content"]
    assert "The diary is new" not in said
    assert "The last page" not in said


def test_a_damaged_day_holds_nothing_up(live: ServingLoop, model: FakeModelServer, owner: Resident) -> None:
    damaged = owner.write("DAMAGED", day=get_day_before(owner, 1))
    write_days_ago(owner, "Varnish is out.", ago=2)
    flip_a_bit(damaged)

    open_day(owner)

    said = model.calls[0]["messages"][1]["content"]
    assert "Varnish is out." in said


@pytest.mark.parametrize("text", ["plain words of a long day ", "昼寝をして本を読んだ"])
def test_a_prompt_is_never_over_the_window(owner: Resident, transactional_db: None, text: str) -> None:
    window = 3200
    with FakeModelServer(context=window) as model, run_serving_loop(model.url):
        for ago in (1, 2, 3):
            for hour in range(8, 14):
                write_days_ago(owner, f"{ago} " + text * 200, ago=ago, hour=hour)

        assert open_day(owner)

        call = model.calls[0]
        counted = sum(len(turn["role"]) + len(turn["content"]) + 3 for turn in call["messages"])
        assert counted + call["max_tokens"] <= window
        assert text.strip() in call["messages"][1]["content"]
        assert (
            "Not read, because it was too much"
            in owner.get(f"/d/{owner.today}/opening/read/", script=True).content.decode()
        )
