"""Tests of the live socket: accepted tabs, received frames, and its end."""

import asyncio
import json
import logging
from datetime import date, timedelta
from threading import Event
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import Unlock
from accounts.sessions import services as sessions_services
from diary.entries.services import move_entry
from diary.live import consumers
from diary.live.protocol import MalformedFrame, RestartRequest, WatchRequest, parse_frame
from diary.rendering.markdown import render_markdown
from llamora.inference.registry import registry
from tests.diary.tabs import ServingLoop, Tab, get_reply_html, load_reply, start_reply, wait_for_reply_row
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, make_unending, make_words
from tests.fakes.waiting import PATIENCE
from tests.people import Resident

pytestmark = pytest.mark.django_db(transaction=True)

SLOW = make_unending()
MALFORMED = [
    "",
    "{",
    "[]",
    "42",
    "null",
    '"watch"',
    "{}",
    '{"type":"watch"}',
    json.dumps({"type": "watch", "day": "2026-02-30", "owner": "0f8fad5b-d9cb-469f-a165-70867728950e"}),
    json.dumps({"type": "watch", "day": 20261120, "owner": "0f8fad5b-d9cb-469f-a165-70867728950e"}),
    '{"type":"watch","day":"2026-11-20","owner":7}',
    '{"type":"again","reply":"secret words"}',
    '{"type":"send","text":"secret words"}',
    "[" * 60_000,
]


def tab_with_running_reply(live: ServingLoop, model: FakeModelServer, person: Resident) -> tuple[Tab, str]:
    """Open a tab with a long reply in progress."""
    model.add_scripts(SLOW)
    tab = live.tab(person, person.today)
    reply = start_reply(person, person.write("Tea.").id)
    with tab.changed:
        assert tab.changed.wait_for(lambda: tab.get_html(reply) != "", PATIENCE)
    return tab, reply


@pytest.mark.parametrize("frame", MALFORMED)
def test_a_malformed_frame_is_named_nowhere(frame: str) -> None:
    with pytest.raises(MalformedFrame) as refused:
        parse_frame(frame)

    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_frames_say_what_they_ask_for() -> None:
    owner, reply, session = uuid4(), uuid4(), uuid4()
    watched = ({"day": "2026-11-20"}, {"conversation": str(session)})

    of_day, of_conversation = (
        parse_frame(json.dumps({"type": "watch", "owner": str(owner), **subject})) for subject in watched
    )

    assert of_day == WatchRequest(date(2026, 11, 20), owner)
    assert of_conversation == WatchRequest(session, owner)
    assert parse_frame(json.dumps({"type": "again", "reply": str(reply)})) == RestartRequest(reply)


@pytest.mark.parametrize("frame", ["{", '{"type":"send","text":"secret words"}', "42"])
def test_a_malformed_frame_closes_the_socket_and_leaves_no_word_in_the_log(
    live: ServingLoop, owner: Resident, frame: str, caplog: pytest.LogCaptureFixture
) -> None:
    tab = live.tab(owner)

    with caplog.at_level(logging.DEBUG):
        tab.send(frame)

        assert tab.wait_for_close() == 4400
    assert "secret" not in caplog.text


def test_bytes_close_the_socket(live: ServingLoop, owner: Resident) -> None:
    tab = live.tab(owner)

    event = {"type": "websocket.receive", "bytes": b"\x00", "text": None}
    tab.loop.call_soon_threadsafe(lambda: tab.queue.put_nowait(event))

    assert tab.wait_for_close() == 4400


def test_a_tab_of_nobody_is_told_to_sign_in(live: ServingLoop, owner: Resident) -> None:
    owner.client.cookies.clear()

    tab = live.tab(owner)

    assert tab.wait_for_close() == 4401
    assert tab.accepted


def test_a_locked_tab_is_told_so(live: ServingLoop, owner: Resident) -> None:
    owner.lock()

    tab = live.tab(owner)

    assert tab.wait_for_close() == 4401
    assert not tab.frames


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "http://testserver:81", "null"])
def test_a_foreign_page_is_refused_at_the_handshake(live: ServingLoop, owner: Resident, origin: str) -> None:
    tab = live.tab(owner, origin=origin)

    tab.wait_for_close()
    assert not tab.accepted


def test_a_page_of_another_person_is_refused(
    live: ServingLoop, model: FakeModelServer, owner: Resident, housemate: Resident
) -> None:
    _, reply = tab_with_running_reply(live, model, owner)
    tab = live.tab(housemate)

    tab.watch(owner, owner.today)

    assert tab.wait_for_close() == 4403
    assert not tab.list_frames("snapshot", reply)


def test_a_housemate_watching_the_same_day_sees_none_of_it(
    live: ServingLoop, model: FakeModelServer, owner: Resident, housemate: Resident
) -> None:
    tab = live.tab(housemate, housemate.today)

    _, reply = tab_with_running_reply(live, model, owner)
    tab.send({"type": "again", "reply": reply})
    live.wait_until_idle()

    # Everybody sees how many texts are being written, and nothing of them.
    assert {frame["type"] for frame in tab.frames} == {"part"}


def test_only_the_day_that_is_watched_is_told(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    elsewhere = live.tab(owner, owner.today - timedelta(days=1))

    tab_with_running_reply(live, model, owner)
    live.wait_until_idle()

    assert {frame["type"] for frame in elsewhere.frames} == {"part"}


def test_asking_again_gives_a_snapshot_and_goes_on(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    tab, reply = tab_with_running_reply(live, model, owner)

    tab.send({"type": "again", "reply": reply})
    snapshot = tab.wait_for("snapshot", reply=reply, count=2)
    shown = len(tab.list_frames("delta", reply))
    tab.wait_for("delta", reply=reply, count=shown + 3)

    assert get_reply_html(snapshot["html"])
    assert tab.gaps == 0


def test_asking_for_a_reply_that_is_over_gives_its_end(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(Script(tokens=["All."]))
    reply = start_reply(owner, owner.write("Tea.").id)
    wait_for_reply_row(owner, reply)
    registry.discard(UUID(reply))
    tab = live.tab(owner, owner.today)

    tab.send({"type": "again", "reply": reply})

    assert get_reply_html(tab.wait_for("end", reply=reply)["html"]) == render_markdown("All.")


def test_a_reply_whose_entry_was_moved_is_followed_on_its_new_day(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    is_found, is_seen = Event(), Event()
    model.add_scripts(Script(tokens=make_words(120), rest_after=20, rest_when=is_found, end_when=is_seen))
    entry = owner.write("Tea.")
    reply = start_reply(owner, entry.id)
    assert model.wait_for_calls(1)
    there = owner.today - timedelta(days=3)
    with owner.unlocked():
        move_entry(owner_id=owner.id, entry_id=entry.id, day=there)
    tab = live.tab(owner, there)

    tab.send({"type": "again", "reply": reply})

    snapshot = tab.wait_for("snapshot", reply=reply)
    is_found.set()
    assert 'data-state="writing"' in snapshot["html"]
    tab.wait_for("delta", reply=reply)
    is_seen.set()
    assert 'data-state="done"' in tab.wait_for("end", reply=reply)["html"]
    assert (tab.gaps, len(tab.list_frames("end"))) == (0, 1)


def test_a_closed_tab_leaves_the_job_and_the_other_tabs_alone(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    tab, reply = tab_with_running_reply(live, model, owner)
    other = live.tab(owner, owner.today)
    tab.close()
    shown = len(other.list_frames("delta", reply))

    other.wait_for("delta", reply=reply, count=shown + 3)

    assert model.streams == 1


def test_a_lock_stops_the_text_at_once(live: ServingLoop, model: FakeModelServer, owner: Resident) -> None:
    tab, _ = tab_with_running_reply(live, model, owner)

    owner.lock()

    assert tab.wait_for_close() == 4401
    live.wait_until_idle()
    assert [frame["type"] for frame in tab.frames].index("locked") == len(tab.frames) - 1


def test_signing_out_is_told_as_such(live: ServingLoop, model: FakeModelServer, owner: Resident) -> None:
    tab, _ = tab_with_running_reply(live, model, owner)
    row = owner.person.sign_ins.get()

    sessions_services.end_session(sign_in_id=row.id, person_id=owner.id)

    assert tab.wait_for_close() == 4401
    assert tab.frames[-1] == {"type": "signed_out"}


def make_inactive(owner: Resident) -> None:
    long_ago = timezone.now() - timedelta(minutes=settings.IDLE_MINUTES + 1)
    Unlock.objects.filter(sign_in__person=owner.person).update(last_active=long_ago)


def test_an_idle_vault_is_noticed_though_no_event_comes(
    live: ServingLoop, model: FakeModelServer, owner: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "CHECK_SECONDS", 0.2)
    monkeypatch.setattr(consumers, "FRESH_SECONDS", 0)
    tab, _ = tab_with_running_reply(live, model, owner)

    make_inactive(owner)

    assert tab.wait_for_close() == 4401
    assert tab.frames[-1] == {"type": "locked"}


def test_a_tab_that_resumes_after_the_idle_limit_gets_nothing(
    live: ServingLoop, model: FakeModelServer, owner: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "FRESH_SECONDS", 0)
    tab_with_running_reply(live, model, owner)
    resuming = live.tab(owner)
    make_inactive(owner)

    resuming.watch(owner, owner.today)

    assert resuming.wait_for_close() == 4401
    assert [frame["type"] for frame in resuming.frames] == ["locked"]


def test_a_socket_is_not_activity(
    live: ServingLoop, model: FakeModelServer, owner: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "CHECK_SECONDS", 0.05)
    monkeypatch.setattr(consumers, "FRESH_SECONDS", 0)
    before = timezone.now() - timedelta(hours=1)
    Unlock.objects.filter(sign_in__person=owner.person).update(last_active=before)

    tab, _ = tab_without_page_requests(live, owner)
    live.run(asyncio.sleep(0.3))

    assert Unlock.objects.get(sign_in__person=owner.person).last_active == before
    assert tab.code is None


def tab_without_page_requests(live: ServingLoop, owner: Resident) -> tuple[Tab, None]:
    return live.tab(owner, owner.today), None


def test_a_tab_that_does_not_read_is_not_queued_for(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(SLOW)
    slow, quick = live.tab(owner, owner.today), live.tab(owner, owner.today)
    reply = start_reply(owner, owner.write("Tea.").id)
    slow.wait_for("snapshot", reply=reply)
    slow.pause_reading()
    quick.wait_for("delta", reply=reply, count=10)
    owner.post(f"/replies/{reply}/stop/", script=True)
    quick.wait_for("end", reply=reply)

    slow.resume_reading()
    slow.wait_for("end", reply=reply)

    slow_count, quick_count = (sum(frame["type"] != "part" for frame in tab.frames) for tab in (slow, quick))
    assert slow_count <= 6 < quick_count
    written, _, _ = load_reply(owner, reply)
    assert slow.get_html(reply) == quick.get_html(reply) == render_markdown(written)
