"""The model, or the server itself, goes away in the middle."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from diary.messages import JOB_INTERRUPTED, JOB_PARTIAL_SAVED
from tests.browser.browsing import Complaints, NewDiary
from tests.browser.diary import wait_until
from tests.browser.house import ServedHouse, household
from tests.browser.replying import plain, respond, wait_for_end, wait_for_words, words_of
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, words


@pytest.fixture(scope="module")
def mortal() -> Iterator[FakeModelServer]:
    with FakeModelServer() as server:
        yield server


@pytest.fixture(scope="module")
def shaken(tmp_path_factory: pytest.TempPathFactory, mortal: FakeModelServer) -> Iterator[ServedHouse]:
    with household(tmp_path_factory.mktemp("shaken"), LLAMORA_MODEL_URL=mortal.url) as house:
        yield house


def test_a_server_killed_in_mid_reply_comes_back_with_what_it_had(
    shaken: ServedHouse, mortal: FakeModelServer, new_diary: NewDiary, complaints: Complaints
) -> None:
    complaints.expect("WebSocket", "ERR_CONNECTION_")
    script = Script(tokens=words(600), rate=40)
    diary = new_diary(of=shaken)
    reply = respond(diary, mortal, script)
    wait_for_words(reply)
    # What came is written to the disk about once a second: this is more than two seconds' worth.
    wait_until(diary.page, lambda: len(words_of(reply)) > 100)

    shaken.kill()
    shaken.start_again()
    diary.reload()

    wait_for_end(reply, "interrupted")
    expect(reply).to_contain_text(f"{JOB_INTERRUPTED['crashed']} {JOB_PARTIAL_SAVED}")
    came = words_of(reply)
    assert len(came) >= 20
    assert came[:-1] == plain(script)[: len(came) - 1]
    mortal.next(Script(tokens=["Again."]))
    diary.button("Try again").click()
    expect(diary.page.locator(".reply")).to_have_count(2)
    wait_for_end(diary.page.locator(".reply").last)


def test_a_model_that_is_away_is_a_sentence_and_writing_goes_on(
    shaken: ServedHouse, mortal: FakeModelServer, new_diary: NewDiary
) -> None:
    diary = new_diary(of=shaken)
    mortal.stop()
    mortal.close_idle()

    reply = respond(diary, mortal, Script())

    wait_for_end(reply, "failed")
    expect(reply).to_contain_text("The model server is not running.")
    expect(diary.button("Try again")).to_be_visible()
    assert words_of(reply) == []
    diary.keep("Writing does not need a model.")
    diary.reload()
    expect(diary.page.locator("[data-model-note]")).not_to_be_empty()
