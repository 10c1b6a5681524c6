"""Tests of a model server, or the server itself, that stops during a reply."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from diary.messages import JOB_INTERRUPTED, JOB_PARTIAL_SAVED
from tests.browser.diary_page import wait_until
from tests.browser.fixture_classes import BrowserErrors, NewDiary
from tests.browser.reply_actions import get_reply_words, respond, split_script, wait_for_end, wait_for_words
from tests.browser.served_household import ServedHouse, run_household
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, make_words


@pytest.fixture(scope="module")
def stoppable_model() -> Iterator[FakeModelServer]:
    with FakeModelServer() as server:
        yield server


@pytest.fixture(scope="module")
def house_with_stoppable_model(
    tmp_path_factory: pytest.TempPathFactory, stoppable_model: FakeModelServer
) -> Iterator[ServedHouse]:
    with run_household(tmp_path_factory.mktemp("shaken"), LLAMORA_MODEL_URL=stoppable_model.url) as house:
        yield house


def test_a_server_killed_in_mid_reply_comes_back_with_what_it_had(
    house_with_stoppable_model: ServedHouse,
    stoppable_model: FakeModelServer,
    new_diary: NewDiary,
    browser_errors: BrowserErrors,
) -> None:
    browser_errors.expect("WebSocket", "ERR_CONNECTION_")
    script = Script(tokens=make_words(600), rate=40)
    diary = new_diary(of=house_with_stoppable_model)
    reply = respond(diary, stoppable_model, script)
    wait_for_words(reply)
    # What came is written to the disk about once a second: this is more than two seconds' worth.
    wait_until(diary.page, lambda: len(get_reply_words(reply)) > 100)

    house_with_stoppable_model.kill()
    house_with_stoppable_model.start_again()
    diary.reload()

    wait_for_end(reply, "interrupted")
    expect(reply).to_contain_text(f"{JOB_INTERRUPTED['crashed']} {JOB_PARTIAL_SAVED}")
    came = get_reply_words(reply)
    assert len(came) >= 20
    assert came[:-1] == split_script(script)[: len(came) - 1]
    stoppable_model.add_scripts(Script(tokens=["Again."]))
    diary.button("Try again").click()
    expect(diary.page.locator(".reply")).to_have_count(2)
    wait_for_end(diary.page.locator(".reply").last)


def test_a_reply_without_a_model_is_explained_once_and_writing_goes_on(
    house_with_stoppable_model: ServedHouse,
    stoppable_model: FakeModelServer,
    new_diary: NewDiary,
    browser_errors: BrowserErrors,
) -> None:
    browser_errors.expect("422")
    diary = new_diary(of=house_with_stoppable_model)
    stoppable_model.stop()
    stoppable_model.close_idle()
    entry = diary.save_entry("Tea.")

    for _ in range(2):
        diary.button("Reply").click()
        expect(entry.locator("[data-error]")).to_contain_text("The model server is not running.")

    expect(entry.locator("[data-error]")).to_have_count(1)
    expect(diary.page.locator(".reply")).to_have_count(0)
    diary.save_entry("Writing does not need a model.")
    diary.reload()
    expect(diary.page.locator("#model-status")).to_contain_text("The model server is not running.")
