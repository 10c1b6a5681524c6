"""Openings: made once for a day, from the days before it alone; none rather than a wrong one."""

import time
from datetime import date, timedelta

import pytest
from django.db import connection

from accounts.models import Vault
from diary.made import Opening, Preferences, Recap
from diary.models import Entry
from diary.openings import services
from diary.openings.errand import LONG
from diary.recaps.services import digest_of
from diary.rendering import render
from diary.replies.context import Piece
from llamora.inference.jobs import registry
from tests.diary.cast import Member, flip_a_bit
from tests.diary.tabs import Live, serving, words_of
from tests.fakes.model_server import FakeModelServer, Script, words

pytestmark = pytest.mark.django_db(transaction=True)

WISH = 'class="opening-wish"'


def before(owner: Member, days: int) -> date:
    return owner.today - timedelta(days=days)


def wrote(owner: Member, text: str, *, ago: int, hour: int = 12) -> Entry:
    at = owner.today_at(hour) - timedelta(days=ago)
    return owner.wrote(text, day=before(owner, ago), at=at)


def today(owner: Member) -> str:
    return str(owner.get(f"/d/{owner.today}/").content.decode())


def open_day(owner: Member, **fields: str) -> str:
    """Ask for today's opening as the page does, and wait for its end; answer what stands then."""
    answer = owner.post(f"/d/{owner.today}/opening/", script=True, **fields)
    assert answer.status_code == 200
    end(owner)
    return kept(owner)


def end(owner: Member) -> None:
    until = time.monotonic() + 10
    while (job := services.job_of(owner.id, owner.today)) and not job.is_over:
        assert time.monotonic() < until
        time.sleep(0.02)


def kept(owner: Member) -> str:
    with owner.unlocked():
        row = Opening.objects.filter(owner_id=owner.id).first()
        return str(row.text) if row else ""


def test_exactly_the_latest_written_days_leave_the_process(
    live: Live, model: FakeModelServer, owner: Member, housemate: Member
) -> None:
    wrote(owner, "OLDEST", ago=9)
    wrote(owner, "Began the boat.", ago=5)
    wrote(owner, "Sanded it.", ago=4)
    wrote(owner, "Anna comes on Sunday.", ago=1, hour=9)
    wrote(owner, "Varnish is out.", ago=1, hour=20)
    owner.wrote("TODAY")
    wrote(housemate, "HOUSEMATE", ago=1)
    deleted = wrote(owner, "DELETED", ago=1)
    Entry.objects.filter(id=deleted.id).update(deleted_at=owner.today_at(1))

    open_day(owner)

    said = model.calls[0]["messages"][1]["content"]
    labels = {
        ago: f"{before(owner, ago):%A}, {before(owner, ago).day} {before(owner, ago):%B %Y}"
        for ago in range(6)
    }
    assert said == (
        f"Today is {labels[0]}.\n\n"
        f"{labels[5]}, 5 days ago:\n\nBegan the boat.\n\n"
        f"{labels[4]}, 4 days ago:\n\nSanded it.\n\n"
        f"{labels[1]}, yesterday:\n\nAnna comes on Sunday.\n\nVarnish is out.\n\n"
        f'Write the first lines on the page of {labels[0]}: two or three sentences, to "you", '
        "about one or two things that are still open, in the language of the diary."
    )
    assert len(model.calls) == 1


def test_a_recap_that_is_true_stands_for_a_day_before_the_latest(
    live: Live, model: FakeModelServer, owner: Member
) -> None:
    entry = wrote(owner, "A whole long story.", ago=4)
    stale = wrote(owner, "Another long story.", ago=3)
    wrote(owner, "Varnish is out.", ago=1)
    with owner.unlocked():
        key = Vault.objects.get().digest_key
        digest = digest_of(key, before(owner, 4), [Piece(time="", text="A whole long story.", id=entry.id)])
        body = {"text": "The boat was begun.", "digest": digest}
        Recap.objects.create(owner_id=owner.id, day=before(owner, 4), body=body)
        old = {"text": "STALE", "digest": digest}
        Recap.objects.create(owner_id=owner.id, day=before(owner, 3), body=old)

    open_day(owner)

    said = model.calls[0]["messages"][1]["content"]
    assert "4 days ago, in short:\n\nThe boat was begun." in said
    assert "A whole long story." not in said
    assert "3 days ago:\n\nAnother long story." in said
    assert "STALE" not in said
    read = owner.get(f"/d/{owner.today}/opening/read/", script=True).content.decode()
    assert "the recap of" in read
    assert f"/entries/{stale.id}/" in read


def test_the_traces_a_person_keeps_are_told_with_their_days(
    live: Live, model: FakeModelServer, owner: Member, housemate: Member
) -> None:
    marked = wrote(owner, "Began the boat.", ago=4)
    wrote(owner, "Varnish is out.", ago=1)
    others = wrote(housemate, "Mine", ago=1)
    for who, entry, name in (
        (owner, marked, "the boat"),
        (owner, marked, "Anna"),
        (housemate, others, "HIS"),
    ):
        assert who.post(f"/entries/{entry.id}/traces/keep/", name=name).status_code == 302

    open_day(owner)

    said = model.calls[0]["messages"][1]["content"]
    assert "4 days ago:\n\nBegan the boat.\n(Marked by them: the boat, Anna.)" in said
    assert said.count("Marked by them") == 1
    assert "HIS" not in said


def test_a_long_day_is_put_in_short_for_the_next_opening_and_a_short_one_is_not(
    live: Live, model: FakeModelServer, owner: Member
) -> None:
    wrote(owner, "Short.", ago=2)
    wrote(owner, "A long day. " * 80, ago=1)
    model.next(Script(tokens=["The boat waits."]))
    model.next(Script(tokens=["A long day, in short."]))

    assert open_day(owner) == "The boat waits."

    until = time.monotonic() + 10
    while not Recap.objects.exists() and time.monotonic() < until:
        time.sleep(0.02)
    with owner.unlocked():
        assert [(row.day, row.body["text"]) for row in Recap.objects.all()] == [
            (before(owner, 1), "A long day, in short.")
        ]
    assert len(model.calls) == 2


@pytest.mark.parametrize(
    ("ago", "says", "never"),
    [
        (1, "The diary is new", "have not written"),
        (LONG, f"They have not written for {LONG} days.", "The diary is new"),
        (400, "They have not written for 400 days.", "The diary is new"),
    ],
)
def test_a_new_diary_and_a_return_are_told_to_the_model(
    live: Live, model: FakeModelServer, owner: Member, ago: int, says: str, never: str
) -> None:
    wrote(owner, "Varnish is out.", ago=ago)

    open_day(owner)

    said = model.calls[0]["messages"][1]["content"]
    assert says in said
    assert never not in said


def test_an_ordinary_morning_is_told_nothing_more(live: Live, model: FakeModelServer, owner: Member) -> None:
    for ago in range(1, 6):
        wrote(owner, f"Day {ago}.", ago=ago)

    open_day(owner)

    said = model.calls[0]["messages"][1]["content"]
    assert "The diary is new" not in said
    assert "have not written" not in said


def test_a_first_page_asks_for_nothing(live: Live, model: FakeModelServer, owner: Member) -> None:
    assert WISH not in today(owner)

    answer = owner.post(f"/d/{owner.today}/opening/", script=True)

    assert answer.status_code == 204
    assert not model.calls
    assert not Opening.objects.exists()


def test_it_is_streamed_into_the_open_tab_and_stands_there_after(
    live: Live, model: FakeModelServer, owner: Member
) -> None:
    script = Script(tokens=words(60), rate=200)
    model.next(script)
    wrote(owner, "Varnish is out.", ago=1)
    assert WISH in today(owner)
    tab = live.tab(owner, owner.today)

    answer = owner.post(f"/d/{owner.today}/opening/", script=True)

    job = services.job_of(owner.id, owner.today)
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


def test_two_tabs_have_a_day_opened_once(live: Live, model: FakeModelServer, owner: Member) -> None:
    model.next(Script(tokens=words(60), rate=100))
    wrote(owner, "Varnish is out.", ago=1)

    first = owner.post(f"/d/{owner.today}/opening/", script=True).content.decode()
    second = owner.post(f"/d/{owner.today}/opening/", script=True).content.decode()
    end(owner)
    third = owner.post(f"/d/{owner.today}/opening/", script=True).content.decode()

    assert len(model.calls) == 1
    assert first.split('id="reply-')[1][:36] == second.split('id="reply-')[1][:36]
    assert first.split('id="reply-')[1][:36] == third.split('id="reply-')[1][:36]


@pytest.mark.parametrize(
    "script", [Script(status=500), Script(tokens=["Half of ", "it"], drop_after=1), Script(tokens=[])]
)
def test_a_failure_is_no_opening_and_it_is_made_later(
    live: Live, model: FakeModelServer, owner: Member, script: Script
) -> None:
    model.next(script)
    wrote(owner, "Varnish is out.", ago=1)
    tab = live.tab(owner, owner.today)

    assert open_day(owner) == ""

    assert tab.wait_for("end")["html"] == ""
    assert 'id="opening"' not in today(owner)
    job = services.job_of(owner.id, owner.today)
    assert job is not None
    registry.forget(job.id)
    assert WISH in today(owner)
    assert open_day(owner) == "".join(model.manners.default.tokens).strip()


def test_with_the_model_away_the_page_waits_for_it(owner: Member, transactional_db: None) -> None:
    wrote(owner, "Varnish is out.", ago=1)
    with serving("http://127.0.0.1:9"):
        answer = owner.post(f"/d/{owner.today}/opening/", script=True)

        again = owner.post(f"/d/{owner.today}/opening/", script=True, again="1")

        assert answer.status_code == 204
        assert again.status_code == 503
        assert "No other opening can be made now." in again.content.decode()
        assert WISH in today(owner)
    assert not Opening.objects.exists()


def test_what_is_dismissed_stays_away_and_leaves_no_words(
    live: Live, model: FakeModelServer, owner: Member
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


def test_it_is_made_again_when_asked(live: Live, model: FakeModelServer, owner: Member) -> None:
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
        (Script(status=500), "The model server failed for a reason of its own."),
        (Script(tokens=words(9), drop_after=4), "The model server broke off in the middle."),
    ],
)
def test_a_failed_second_try_leaves_the_first(
    live: Live, model: FakeModelServer, owner: Member, script: Script, reason: str
) -> None:
    model.next(Script(tokens=["First."]), script)
    wrote(owner, "Varnish is out.", ago=1)
    open_day(owner)
    tab = live.tab(owner, owner.today)

    assert open_day(owner, again="1") == "First."

    job = services.job_of(owner.id, owner.today)
    assert job is not None
    shown = tab.wait_for("end", reply=job.id)["html"]
    assert words_of(shown).strip() == render("First.").strip()
    assert f"No other opening was made. {reason}</p>" in shown
    assert ">Make again<" in shown
    assert "First." in today(owner)


def test_one_that_is_dismissed_while_another_is_made_does_not_come_back(
    live: Live, model: FakeModelServer, owner: Member
) -> None:
    model.next(Script(tokens=["First."]), Script(tokens=words(400), rate=100))
    wrote(owner, "Varnish is out.", ago=1)
    open_day(owner)
    tab = live.tab(owner, owner.today)
    owner.post(f"/d/{owner.today}/opening/", script=True, again="1")
    second = tab.wait_for("snapshot")["reply"]

    owner.post(f"/d/{owner.today}/opening/dismiss/", script=True)

    assert tab.wait_for("end", reply=second)["html"] == ""


def test_they_can_be_switched_off_and_on(live: Live, model: FakeModelServer, owner: Member) -> None:
    wrote(owner, "Varnish is out.", ago=1)

    owner.post("/openings/", openings="off")

    assert WISH not in today(owner)
    assert owner.post(f"/d/{owner.today}/opening/", script=True).status_code == 204
    assert "not opened for you" in owner.get("/openings/").content.decode()
    owner.post("/openings/", openings="on")
    assert WISH in today(owner)
    assert Preferences.objects.count() == 1


def test_another_day_than_today_is_not_opened(live: Live, model: FakeModelServer, owner: Member) -> None:
    wrote(owner, "Varnish is out.", ago=3)

    for ago in (1, -1):
        answer = owner.post(f"/d/{before(owner, ago)}/opening/", script=True)
        assert answer.status_code == 204
        assert WISH not in owner.get(f"/d/{before(owner, ago)}/").content.decode()
    assert not model.calls


def test_an_opening_is_its_persons_own_and_sealed(
    live: Live, model: FakeModelServer, owner: Member, housemate: Member
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


def test_locking_ends_it_and_nothing_is_kept(live: Live, model: FakeModelServer, owner: Member) -> None:
    model.next(Script(tokens=words(400), rate=100))
    wrote(owner, "Varnish is out.", ago=1)
    owner.post(f"/d/{owner.today}/opening/", script=True)
    assert model.wait_for_calls(1)

    owner.locks()

    assert model.wait_for_hang_up()
    assert not Opening.objects.exists()


def test_a_damaged_day_holds_nothing_up(live: Live, model: FakeModelServer, owner: Member) -> None:
    damaged = owner.wrote("DAMAGED", day=before(owner, 1))
    wrote(owner, "Varnish is out.", ago=2)
    flip_a_bit(damaged)

    open_day(owner)

    said = model.calls[0]["messages"][1]["content"]
    assert "Varnish is out." in said


@pytest.mark.parametrize("text", ["plain words of a long day ", "昼寝をして本を読んだ"])
def test_a_prompt_is_never_over_the_window(owner: Member, transactional_db: None, text: str) -> None:
    window = 2500
    with FakeModelServer(context=window) as model, serving(model.url):
        for ago in (1, 2, 3):
            for hour in range(8, 14):
                wrote(owner, f"{ago} " + text * 200, ago=ago, hour=hour)

        assert open_day(owner)

        call = model.calls[0]
        counted = sum(len(turn["role"]) + len(turn["content"]) + 3 for turn in call["messages"])
        assert counted + call["max_tokens"] <= window
        assert text.strip() in call["messages"][1]["content"]
        assert "Left out" in owner.get(f"/d/{owner.today}/opening/read/", script=True).content.decode()
