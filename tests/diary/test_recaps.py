"""Tests of recaps: valid for their entries or not shown, generated in the background."""

import threading
import time
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from diary.entries.services import delete_entry, destroy_entry, edit_entry
from diary.generation.prompt_context import PromptEntry
from diary.generation.unique_jobs import get_or_start_job
from diary.messages import NOTHING_TO_RECAP, RECAP_FAILED
from diary.models import Recap
from diary.recaps import services
from diary.recaps.tasks import RecapTask
from llamora.inference.job import Job
from llamora.inference.registry import registry
from llamora.llm.deltas import ChatMessages
from tests.diary.damage import flip_a_bit
from tests.diary.fences import fence, hide_codes
from tests.diary.tabs import ServingLoop, run_serving_loop, start_reply, wait_for_reply_row
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script
from tests.fakes.waiting import PATIENCE, wait_for
from tests.people import Resident

pytestmark = pytest.mark.django_db(transaction=True)

ASKS_ON = "hx-trigger"


def write_past_day(owner: Resident) -> date:
    return owner.today - timedelta(days=2)


def request_recap(owner: Resident, day: date | None = None) -> tuple[int, str]:
    answer = owner.post(f"/d/{day or write_past_day(owner)}/recap/", script=True)
    return answer.status_code, answer.content.decode()


def wait_for_recap(owner: Resident) -> str:
    """Request a recap until it is generated, as the page does."""
    until = time.monotonic() + PATIENCE
    while ASKS_ON in (html := request_recap(owner)[1]):
        assert time.monotonic() < until
        time.sleep(0.03)
    return html


def press_recap_button(owner: Resident, *, script: bool = True) -> str:
    """Press the button for a recap and wait, as the day page does."""
    until = time.monotonic() + PATIENCE
    path, fields = f"/d/{write_past_day(owner)}/recap/", {"asked": "1"}
    html = owner.post(path, script=script, **fields).content.decode()
    while ASKS_ON in html:
        assert time.monotonic() < until
        time.sleep(0.03)
        polling = {"HX-Request": "true", "X-Llamora-Poll": "1"} if script else {}
        answer = owner.client.post(path, {"owner": str(owner.id), **fields}, headers=polling)
        html = answer.content.decode()
    return str(html)


def test_exactly_the_day_leaves_the_process(
    live: ServingLoop, model: FakeModelServer, owner: Resident, housemate: Resident
) -> None:
    day = write_past_day(owner)
    at = owner.today_at(8) - timedelta(days=2)
    owner.write("Began the boat.", day=day, at=at)
    owner.write("Sanded it.", day=day, at=at + timedelta(hours=2))
    owner.write("DAY AFTER", day=day + timedelta(days=1), at=at)
    owner.write("DAY BEFORE", day=day - timedelta(days=1), at=at)
    housemate.write("HOUSEMATE", day=day, at=at)
    model.add_scripts(Script(tokens=["The boat ", "was begun.\n"]))

    html = wait_for_recap(owner)

    system, said = (hide_codes(turn["content"]) for turn in model.calls[0]["messages"])
    read = fence({"time": "08:00", "text": "Began the boat."}, {"time": "10:00", "text": "Sanded it."})
    assert system.startswith("You write one line into the calendar")
    assert said == (
        f"The entries of this day:\n{read}\n\n"
        "Write the line for this day: one or two sentences, at most forty words, "
        "in the language of the diary."
    )
    assert '<p dir="auto">The boat was begun.</p>' in html


def test_it_is_made_once_and_again_after_a_change(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(Script(tokens=["First."]), Script(tokens=["Second."]))
    entry = owner.write("Began the boat.", day=write_past_day(owner))
    assert "First." in wait_for_recap(owner)
    assert "First." in wait_for_recap(owner)
    assert len(model.calls) == 1

    with owner.unlocked():
        edit_entry(owner_id=owner.id, entry_id=entry.id, text="Sank the boat.", revision=1)

    html = wait_for_recap(owner)
    assert "Second." in html
    assert "First." not in html
    assert Recap.objects.count() == 1


def test_one_that_is_saved_just_after_it_was_looked_for_is_shown(
    live: ServingLoop, model: FakeModelServer, owner: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask_and_wait(*arguments: Any, **options: Any) -> Job | None:
        job = get_or_start_job(*arguments, **options)
        wait_for(lambda: job is None or job.is_over)
        return job

    monkeypatch.setattr(services, "get_or_start_job", ask_and_wait)
    model.add_scripts(Script(tokens=["The boat."]))
    owner.write("Began the boat.", day=write_past_day(owner))

    assert "The boat." in request_recap(owner)[1]


def test_it_is_sealed_with_its_digest(live: ServingLoop, model: FakeModelServer, owner: Resident) -> None:
    model.add_scripts(Script(tokens=["Marrowbone."]))
    entry = owner.write("Began the boat.", day=write_past_day(owner))
    wait_for_recap(owner)

    with owner.unlocked():
        body = Recap.objects.get().body
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM diary_recap")
        row = str(cursor.fetchall())

    assert (body["text"], body["entries"]) == ("Marrowbone.", [str(entry.id)])
    assert len(bytes.fromhex(body["digest"])) == 32
    assert "Marrowbone" not in row
    assert body["digest"] not in row


def test_today_and_days_without_entries_have_none(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    owner.write("Now.")

    assert request_recap(owner, owner.today) == (204, "")
    assert request_recap(owner, owner.today + timedelta(days=1)) == (204, "")
    assert request_recap(owner) == (200, "")
    assert not model.calls


def test_a_look_makes_nothing(live: ServingLoop, model: FakeModelServer, owner: Resident) -> None:
    owner.write("Began the boat.", day=write_past_day(owner))

    answer = owner.get(f"/d/{write_past_day(owner)}/recap/")

    assert answer.status_code == 302
    assert not model.calls


def test_with_the_model_away_or_failing_there_is_none(owner: Resident, transactional_db: None) -> None:
    owner.write("Began the boat.", day=write_past_day(owner))
    with run_serving_loop("http://127.0.0.1:9"):
        assert request_recap(owner) == (200, "")
    with FakeModelServer(Script(status=500)) as model, run_serving_loop(model.url):
        assert wait_for_recap(owner) == ""
        assert len(model.calls) == 1
    assert not Recap.objects.exists()


def test_who_asks_on_the_day_itself_is_told(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    owner.write("Began the boat.", day=write_past_day(owner))
    model.add_scripts(Script(status=500), Script(tokens=["The boat ", "was <i>begun</i>."]))
    page = owner.get(f"/d/{write_past_day(owner)}/").content.decode()
    assert f'action="/d/{write_past_day(owner)}/recap/"' in page
    assert "Summarize this day" in page

    assert RECAP_FAILED in press_recap_button(owner)
    assert request_recap(owner) == (200, "")
    assert "The boat was &lt;i&gt;begun&lt;/i&gt;." in press_recap_button(owner)
    assert len(model.calls) == 2


def test_who_asks_without_script_sees_a_page(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    owner.write("Began the boat.", day=write_past_day(owner))
    model.add_scripts(Script(tokens=["The boat was begun."]))

    page = press_recap_button(owner, script=False)

    assert "The boat was begun." in page
    assert f'<a href="/d/{write_past_day(owner)}/">Back to the day</a>' in page


def test_who_asks_is_told_why_there_is_none(owner: Resident, transactional_db: None) -> None:
    entry = owner.write("Began the boat.", day=write_past_day(owner))
    with run_serving_loop("http://127.0.0.1:9"):
        assert "No recap can be written now. The model server is not running." in press_recap_button(owner)
    with FakeModelServer() as model, run_serving_loop(model.url):
        owner.post(f"/entries/{entry.id}/delete/")
        assert NOTHING_TO_RECAP in press_recap_button(owner)


def test_only_who_asks_has_a_model_elsewhere_read_the_day(
    transactional_db: None, model: FakeModelServer, owner: Resident, settings: Any
) -> None:
    settings.MODEL_ALLOW_REMOTE = True
    owner.agree_to("0.0.0.0")
    owner.write("Began the boat.", day=write_past_day(owner))
    model.add_scripts(Script(tokens=["The boat was begun."]))
    # Every address of this machine, and so none that is its own alone.
    with run_serving_loop(model.url.replace("127.0.0.1", "0.0.0.0")):
        assert request_recap(owner) == (200, "")
        rested = len(model.calls)

        assert "The boat was begun." in press_recap_button(owner)

    assert (rested, len(model.calls)) == (0, 1)


def test_today_and_an_empty_day_are_not_put_in_short(owner: Resident) -> None:
    owner.write("Now.")

    assert "Summarize this day" not in owner.get("/").content.decode()
    assert "Summarize this day" not in owner.get(f"/d/{write_past_day(owner)}/").content.decode()


def test_a_reply_goes_before_a_recap_that_is_being_made(owner: Resident, transactional_db: None) -> None:
    # One that goes on would be complete at its limit, on a slow machine before the reply begins.
    unfinished = Script(rest_after=3, rest_when=threading.Event())
    with FakeModelServer(slots=1) as model, run_serving_loop(model.url):
        model.add_scripts(unfinished, Script(tokens=["At once."]))
        owner.write("Began the boat.", day=write_past_day(owner))
        entry = owner.write("Now.")
        request_recap(owner)
        assert model.wait_for_calls(1)

        assert wait_for_reply_row(owner, start_reply(owner, entry.id))[0] == "At once."

        assert model.wait_for_hang_up()
        assert not Recap.objects.exists()
        assert wait_for_recap(owner) != ""


def test_it_goes_with_the_last_of_an_entry(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    entry = owner.write("Began the boat.", day=write_past_day(owner))
    wait_for_recap(owner)

    with owner.unlocked():
        delete_entry(owner_id=owner.id, entry_id=entry.id)
        destroy_entry(owner_id=owner.id, entry_id=entry.id)

    assert not Recap.objects.exists()


def test_what_does_not_open_is_made_again(live: ServingLoop, model: FakeModelServer, owner: Resident) -> None:
    owner.write("Began the boat.", day=write_past_day(owner))
    wait_for_recap(owner)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE diary_recap SET body = substr(body, 1, 60)")
    for job in registry.list_jobs(owner.keyring.key_id):
        registry.discard(job.id)
    damaged = owner.write("DAMAGED", day=write_past_day(owner))
    flip_a_bit(damaged)

    assert "<p" in wait_for_recap(owner)

    assert len(model.calls) == 2
    assert "DAMAGED" not in str(model.calls)


def test_a_housemate_sees_none_of_it(
    live: ServingLoop, model: FakeModelServer, owner: Resident, housemate: Resident
) -> None:
    owner.write("Began the boat.", day=write_past_day(owner))
    wait_for_recap(owner)

    assert request_recap(housemate, write_past_day(owner)) == (200, "")


async def test_a_long_day_loses_its_morning_first() -> None:
    class Small:
        offer = None
        thinking_tokens = 0

        async def count_message_tokens(self, turns: ChatMessages) -> int:
            return sum(len(turn["content"]) for turn in turns)

    pieces = tuple(PromptEntry(time=f"{hour:02}:00", text=f"{hour} " + "word " * 200) for hour in range(24))
    errand = RecapTask(id=uuid4(), owner_id=uuid4(), day=date(2026, 1, 2), entries=pieces, digest="")

    prompt = await errand.build_prompt(Small(), share=1.0)

    said = prompt.messages[1]["content"]
    assert '"23:00"' in said
    assert '"00:00"' not in said
    assert sum(len(turn["content"]) for turn in prompt.messages) + prompt.max_tokens <= 4096
