"""Tests of the announcements for screen readers when a generation ends."""

import pytest
from playwright.sync_api import Locator, expect

from llamora.inference.messages import get_message
from tests.browser.diary_page import DiaryTab
from tests.browser.fixture_classes import NewDiary
from tests.browser.reply_actions import LONG, respond, wait_for_end, wait_for_words
from tests.browser.served_household import ServedHouse
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, make_unending, make_words


def get_announcement(diary: DiaryTab) -> Locator:
    return diary.page.locator("#live-region")


@pytest.mark.parametrize(
    ("script", "code"),
    [
        pytest.param(Script(status=500), "server_error", marks=pytest.mark.slow),
        (Script(tokens=make_words(30), rate=20, drop_after=12), "dropped"),
    ],
)
def test_a_reply_that_failed_is_not_said_to_be_an_answer(
    diary: DiaryTab, model: FakeModelServer, script: Script, code: str
) -> None:
    wait_for_end(respond(diary, model, script), "failed")

    expect(get_announcement(diary)).to_have_text(get_message(code))


def test_nothing_is_said_to_who_pressed_stop(diary: DiaryTab, model: FakeModelServer) -> None:
    reply = respond(diary, model, make_unending(rate=40))
    wait_for_words(reply)

    diary.button("Stop").click()

    wait_for_end(reply, "stopped")
    # Told by the answer to the press and by the socket, whichever comes first.
    diary.page.wait_for_timeout(500)
    expect(get_announcement(diary)).to_have_text("")


def test_a_day_is_opened_in_silence_and_another_that_fails_is_told(
    new_diary: NewDiary, house: ServedHouse, model: FakeModelServer
) -> None:
    who = house.new_member()
    new_diary(member=who, path="/d/2019-02-03/").save_entry("Varnish is out.")
    model.add_scripts(LONG)
    diary = new_diary(member=who)
    opening = diary.page.locator("#opening > .reply")
    wait_for_end(opening)
    expect(get_announcement(diary)).to_have_text("")
    model.add_scripts(Script(tokens=make_words(30), rate=20, drop_after=12))

    diary.button("Write again").click()

    told = "No new opening was written. The connection to the model server was lost."
    expect(get_announcement(diary)).to_have_text(told)
    expect(opening.locator("[data-note]")).to_have_text(told)
    wait_for_end(opening)
