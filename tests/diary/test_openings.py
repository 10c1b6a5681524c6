"""Tests of openings: one for each day, from earlier days only, and none without trusted sources."""

from threading import Event

import pytest
from django.db import connection

from diary.models import Opening
from diary.rendering.markdown import render_markdown
from llamora.inference.registry import registry
from tests.diary.openings import (
    find_opening_job,
    get_day_before,
    get_opening_text,
    load_today,
    open_day,
    wait_for_preloading,
    write_days_ago,
)
from tests.diary.tabs import ServingLoop, get_reply_html, run_serving_loop, wait_for_html
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, make_unending, make_words
from tests.page import read
from tests.people import Resident

pytestmark = pytest.mark.django_db(transaction=True)

WISH = 'class="opening-form"'


def test_a_first_page_asks_for_nothing(live: ServingLoop, model: FakeModelServer, owner: Resident) -> None:
    assert WISH not in load_today(owner)

    answer = owner.post(f"/d/{owner.today}/opening/", script=True)

    assert answer.status_code == 204
    assert not model.calls
    assert not Opening.objects.exists()


def test_it_is_streamed_into_the_open_tab_and_stands_there_after(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    is_watched, is_seen = Event(), Event()
    script = Script(tokens=make_words(60), first_when=is_watched, end_when=is_seen)
    model.add_scripts(script)
    write_days_ago(owner, "Varnish is out.", ago=1)
    assert WISH in load_today(owner)
    tab = live.tab(owner, owner.today)

    answer = owner.post(f"/d/{owner.today}/opening/", script=True)

    job = find_opening_job(owner)
    assert job is not None
    assert f'id="reply-{job.id}"' in answer.content.decode()
    tab.wait_for("snapshot", reply=job.id)
    is_watched.set()
    wait_for_html(tab, str(job.id), render_markdown("".join(script.tokens)))
    is_seen.set()
    last = tab.wait_for("end", reply=job.id)
    assert last["place"] == "opening"
    assert tab.gaps == 0
    assert tab.list_frames("delta", str(job.id))
    page = load_today(owner)
    assert get_reply_html(last["html"]) in page
    assert WISH not in page
    assert get_opening_text(owner) == "".join(script.tokens).strip()


def test_two_tabs_have_a_day_opened_once(live: ServingLoop, model: FakeModelServer, owner: Resident) -> None:
    is_asked_twice = Event()
    model.add_scripts(Script(tokens=make_words(60), end_when=is_asked_twice))
    write_days_ago(owner, "Varnish is out.", ago=1)

    first = read(owner.post(f"/d/{owner.today}/opening/", script=True))
    second = read(owner.post(f"/d/{owner.today}/opening/", script=True))
    is_asked_twice.set()
    wait_for_preloading(owner)
    third = read(owner.post(f"/d/{owner.today}/opening/", script=True))

    assert len(model.calls) == 1
    assert first.ids("reply-")[0] == second.ids("reply-")[0] == third.ids("reply-")[0]


@pytest.mark.parametrize(
    "script", [Script(status=500), Script(tokens=["Half of ", "it"], drop_after=1), Script(tokens=[])]
)
def test_a_failure_is_no_opening_and_it_is_made_later(
    live: ServingLoop, model: FakeModelServer, owner: Resident, script: Script
) -> None:
    model.add_scripts(script)
    write_days_ago(owner, "Varnish is out.", ago=1)
    tab = live.tab(owner, owner.today)

    assert open_day(owner) == ""

    assert tab.wait_for("end")["html"] == ""
    assert 'id="opening"' not in load_today(owner)
    job = find_opening_job(owner)
    assert job is not None
    registry.discard(job.id)
    assert WISH in load_today(owner)
    assert open_day(owner) == "".join(model.manners.default.tokens).strip()


def test_with_the_model_away_the_page_waits_for_it(owner: Resident, transactional_db: None) -> None:
    write_days_ago(owner, "Varnish is out.", ago=1)
    with run_serving_loop("http://127.0.0.1:9"):
        answer = owner.post(f"/d/{owner.today}/opening/", script=True)

        again = owner.post(f"/d/{owner.today}/opening/", script=True, again="1")

        assert answer.status_code == 204
        assert again.status_code == 503
        assert "No new opening can be written now." in again.content.decode()
        assert WISH in load_today(owner)
    assert not Opening.objects.exists()


def test_what_is_dismissed_stays_away_and_leaves_no_words(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(make_unending())
    write_days_ago(owner, "Varnish is out.", ago=1)
    owner.post(f"/d/{owner.today}/opening/", script=True)
    tab = live.tab(owner, owner.today)
    tab.wait_for("snapshot")

    answer = owner.post(f"/d/{owner.today}/opening/dismiss/", script=True)

    assert answer.content == b""
    assert model.wait_for_hang_up()
    assert get_opening_text(owner) == ""
    assert 'id="opening"' not in load_today(owner)
    assert owner.post(f"/d/{owner.today}/opening/", script=True).status_code == 204
    assert not live.tab(owner, owner.today).list_frames("end")


def test_it_is_made_again_when_asked(live: ServingLoop, model: FakeModelServer, owner: Resident) -> None:
    model.add_scripts(Script(tokens=["First."]), Script(tokens=["Second."]))
    write_days_ago(owner, "Varnish is out.", ago=1)
    assert open_day(owner) == "First."

    assert open_day(owner, again="1") == "Second."

    page = load_today(owner)
    assert "Second." in page
    assert "First." not in page
    assert Opening.objects.count() == 1


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (Script(status=500), "The model server reported an error."),
        (Script(tokens=make_words(9), drop_after=4), "The connection to the model server was lost."),
    ],
)
def test_a_failed_second_try_leaves_the_first(
    live: ServingLoop, model: FakeModelServer, owner: Resident, script: Script, reason: str
) -> None:
    model.add_scripts(Script(tokens=["First."]), script)
    write_days_ago(owner, "Varnish is out.", ago=1)
    open_day(owner)
    tab = live.tab(owner, owner.today)

    assert open_day(owner, again="1") == "First."

    job = find_opening_job(owner)
    assert job is not None
    shown = tab.wait_for("end", reply=job.id)["html"]
    assert get_reply_html(shown).strip() == render_markdown("First.").strip()
    assert f"No new opening was written. {reason}</p>" in shown
    assert ">Write again<" in shown
    assert "First." in load_today(owner)


def test_one_that_is_dismissed_while_another_is_made_does_not_come_back(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(Script(tokens=["First."]), make_unending())
    write_days_ago(owner, "Varnish is out.", ago=1)
    open_day(owner)
    tab = live.tab(owner, owner.today)
    owner.post(f"/d/{owner.today}/opening/", script=True, again="1")
    second = tab.wait_for("snapshot")["reply"]

    owner.post(f"/d/{owner.today}/opening/dismiss/", script=True)

    assert tab.wait_for("end", reply=second)["html"] == ""


def test_they_can_be_switched_off_and_on(live: ServingLoop, model: FakeModelServer, owner: Resident) -> None:
    write_days_ago(owner, "Varnish is out.", ago=1)

    owner.choose(makes_openings=False)

    assert WISH not in load_today(owner)
    assert owner.post(f"/d/{owner.today}/opening/", script=True).status_code == 204
    owner.choose(makes_openings=True)
    assert WISH in load_today(owner)


def test_another_day_than_today_is_not_opened(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    write_days_ago(owner, "Varnish is out.", ago=3)

    for ago in (1, -1):
        answer = owner.post(f"/d/{get_day_before(owner, ago)}/opening/", script=True)
        assert answer.status_code == 204
        assert WISH not in owner.get(f"/d/{get_day_before(owner, ago)}/").content.decode()
    assert not model.calls


def test_an_opening_is_its_persons_own_and_sealed(
    live: ServingLoop, model: FakeModelServer, owner: Resident, housemate: Resident
) -> None:
    model.add_scripts(Script(tokens=["Marrowbone."]))
    write_days_ago(owner, "Varnish is out.", ago=1)
    open_day(owner)

    theirs = housemate.get(f"/d/{owner.today}/").content.decode()

    assert "Marrowbone" not in theirs
    assert housemate.get(f"/d/{owner.today}/opening/read/").status_code == 404
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM diary_opening")
        assert "Marrowbone" not in str(cursor.fetchall())


def test_locking_ends_it_and_nothing_is_kept(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(make_unending())
    write_days_ago(owner, "Varnish is out.", ago=1)
    owner.post(f"/d/{owner.today}/opening/", script=True)
    assert model.wait_for_calls(1)

    owner.lock()

    assert model.wait_for_hang_up()
    assert not Opening.objects.exists()
