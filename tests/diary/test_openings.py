"""Openings: made once for a day, from the days before it alone; none rather than a wrong one."""

import pytest
from django.db import connection

from diary.models import Opening
from diary.openings import services as openings_services
from diary.rendering.markdown import render_markdown
from llamora.inference.registry import registry
from tests.diary.openings import before, end, kept, open_day, today, wrote
from tests.diary.tabs import Live, serving, words_of
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, words
from tests.page import read
from tests.people import Resident

pytestmark = pytest.mark.django_db(transaction=True)

WISH = 'class="opening-form"'


def test_a_first_page_asks_for_nothing(live: Live, model: FakeModelServer, owner: Resident) -> None:
    assert WISH not in today(owner)

    answer = owner.post(f"/d/{owner.today}/opening/", script=True)

    assert answer.status_code == 204
    assert not model.calls
    assert not Opening.objects.exists()


def test_it_is_streamed_into_the_open_tab_and_stands_there_after(
    live: Live, model: FakeModelServer, owner: Resident
) -> None:
    script = Script(tokens=words(60), rate=200)
    model.next(script)
    wrote(owner, "Varnish is out.", ago=1)
    assert WISH in today(owner)
    tab = live.tab(owner, owner.today)

    answer = owner.post(f"/d/{owner.today}/opening/", script=True)

    job = openings_services.get_opening_job(owner.id, owner.today)
    assert job is not None
    assert f'id="reply-{job.id}"' in answer.content.decode()
    last = tab.wait_for("end", reply=job.id)
    assert last["place"] == "opening"
    assert tab.gaps == 0
    assert tab.of("delta", str(job.id))
    page = today(owner)
    assert words_of(last["html"]) in page
    assert WISH not in page
    assert kept(owner) == "".join(script.tokens).strip()


def test_two_tabs_have_a_day_opened_once(live: Live, model: FakeModelServer, owner: Resident) -> None:
    model.next(Script(tokens=words(60), rate=100))
    wrote(owner, "Varnish is out.", ago=1)

    first = read(owner.post(f"/d/{owner.today}/opening/", script=True))
    second = read(owner.post(f"/d/{owner.today}/opening/", script=True))
    end(owner)
    third = read(owner.post(f"/d/{owner.today}/opening/", script=True))

    assert len(model.calls) == 1
    assert first.ids("reply-")[0] == second.ids("reply-")[0] == third.ids("reply-")[0]


@pytest.mark.parametrize(
    "script", [Script(status=500), Script(tokens=["Half of ", "it"], drop_after=1), Script(tokens=[])]
)
def test_a_failure_is_no_opening_and_it_is_made_later(
    live: Live, model: FakeModelServer, owner: Resident, script: Script
) -> None:
    model.next(script)
    wrote(owner, "Varnish is out.", ago=1)
    tab = live.tab(owner, owner.today)

    assert open_day(owner) == ""

    assert tab.wait_for("end")["html"] == ""
    assert 'id="opening"' not in today(owner)
    job = openings_services.get_opening_job(owner.id, owner.today)
    assert job is not None
    registry.discard(job.id)
    assert WISH in today(owner)
    assert open_day(owner) == "".join(model.manners.default.tokens).strip()


def test_with_the_model_away_the_page_waits_for_it(owner: Resident, transactional_db: None) -> None:
    wrote(owner, "Varnish is out.", ago=1)
    with serving("http://127.0.0.1:9"):
        answer = owner.post(f"/d/{owner.today}/opening/", script=True)

        again = owner.post(f"/d/{owner.today}/opening/", script=True, again="1")

        assert answer.status_code == 204
        assert again.status_code == 503
        assert "No other opening can be written now." in again.content.decode()
        assert WISH in today(owner)
    assert not Opening.objects.exists()


def test_what_is_dismissed_stays_away_and_leaves_no_words(
    live: Live, model: FakeModelServer, owner: Resident
) -> None:
    model.next(Script(tokens=words(400), rate=100))
    wrote(owner, "Varnish is out.", ago=1)
    owner.post(f"/d/{owner.today}/opening/", script=True)
    tab = live.tab(owner, owner.today)
    tab.wait_for("snapshot")

    answer = owner.post(f"/d/{owner.today}/opening/dismiss/", script=True)

    assert answer.content == b""
    assert model.wait_for_hang_up()
    assert kept(owner) == ""
    assert 'id="opening"' not in today(owner)
    assert owner.post(f"/d/{owner.today}/opening/", script=True).status_code == 204
    assert not live.tab(owner, owner.today).of("end")


def test_it_is_made_again_when_asked(live: Live, model: FakeModelServer, owner: Resident) -> None:
    model.next(Script(tokens=["First."]), Script(tokens=["Second."]))
    wrote(owner, "Varnish is out.", ago=1)
    assert open_day(owner) == "First."

    assert open_day(owner, again="1") == "Second."

    page = today(owner)
    assert "Second." in page
    assert "First." not in page
    assert Opening.objects.count() == 1


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (Script(status=500), "The model server reported an error."),
        (Script(tokens=words(9), drop_after=4), "The connection to the model server was lost."),
    ],
)
def test_a_failed_second_try_leaves_the_first(
    live: Live, model: FakeModelServer, owner: Resident, script: Script, reason: str
) -> None:
    model.next(Script(tokens=["First."]), script)
    wrote(owner, "Varnish is out.", ago=1)
    open_day(owner)
    tab = live.tab(owner, owner.today)

    assert open_day(owner, again="1") == "First."

    job = openings_services.get_opening_job(owner.id, owner.today)
    assert job is not None
    shown = tab.wait_for("end", reply=job.id)["html"]
    assert words_of(shown).strip() == render_markdown("First.").strip()
    assert f"No other opening was written. {reason}</p>" in shown
    assert ">Write again<" in shown
    assert "First." in today(owner)


def test_one_that_is_dismissed_while_another_is_made_does_not_come_back(
    live: Live, model: FakeModelServer, owner: Resident
) -> None:
    model.next(Script(tokens=["First."]), Script(tokens=words(400), rate=100))
    wrote(owner, "Varnish is out.", ago=1)
    open_day(owner)
    tab = live.tab(owner, owner.today)
    owner.post(f"/d/{owner.today}/opening/", script=True, again="1")
    second = tab.wait_for("snapshot")["reply"]

    owner.post(f"/d/{owner.today}/opening/dismiss/", script=True)

    assert tab.wait_for("end", reply=second)["html"] == ""


def test_they_can_be_switched_off_and_on(live: Live, model: FakeModelServer, owner: Resident) -> None:
    wrote(owner, "Varnish is out.", ago=1)

    owner.choose(makes_openings=False)

    assert WISH not in today(owner)
    assert owner.post(f"/d/{owner.today}/opening/", script=True).status_code == 204
    owner.choose(makes_openings=True)
    assert WISH in today(owner)


def test_another_day_than_today_is_not_opened(live: Live, model: FakeModelServer, owner: Resident) -> None:
    wrote(owner, "Varnish is out.", ago=3)

    for ago in (1, -1):
        answer = owner.post(f"/d/{before(owner, ago)}/opening/", script=True)
        assert answer.status_code == 204
        assert WISH not in owner.get(f"/d/{before(owner, ago)}/").content.decode()
    assert not model.calls


def test_an_opening_is_its_persons_own_and_sealed(
    live: Live, model: FakeModelServer, owner: Resident, housemate: Resident
) -> None:
    model.next(Script(tokens=["Marrowbone."]))
    wrote(owner, "Varnish is out.", ago=1)
    open_day(owner)

    theirs = housemate.get(f"/d/{owner.today}/").content.decode()

    assert "Marrowbone" not in theirs
    assert housemate.get(f"/d/{owner.today}/opening/read/").status_code == 404
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM diary_opening")
        assert "Marrowbone" not in str(cursor.fetchall())


def test_locking_ends_it_and_nothing_is_kept(live: Live, model: FakeModelServer, owner: Resident) -> None:
    model.next(Script(tokens=words(400), rate=100))
    wrote(owner, "Varnish is out.", ago=1)
    owner.post(f"/d/{owner.today}/opening/", script=True)
    assert model.wait_for_calls(1)

    owner.lock()

    assert model.wait_for_hang_up()
    assert not Opening.objects.exists()
