"""Tests of a lost network or server: the text stays in the page and is saved once."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Route, expect

from tests.browser.diary_page import DiaryTab
from tests.browser.fixture_classes import BrowserErrors, NewDiary
from tests.browser.served_household import ServedHouse, run_household

AWAY = "ERR_INTERNET_DISCONNECTED", "ERR_CONNECTION_", "ERR_EMPTY_RESPONSE", "ERR_FAILED"


@pytest.fixture(scope="module")
def house_to_kill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedHouse]:
    """A household whose server the tests kill."""
    with run_household(tmp_path_factory.mktemp("frail")) as house:
        yield house


def test_what_is_kept_while_the_network_is_away_is_kept_once_when_it_is_back(
    diary: DiaryTab, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect(*AWAY)
    diary.page.context.set_offline(True)
    diary.box.fill("Written in a tunnel.")

    diary.save_button.click()
    expect(diary.state).to_have_text("Not saved, trying again")
    expect(diary.box).to_have_value("Written in a tunnel.")
    diary.page.context.set_offline(False)

    expect(diary.entry("Written in a tunnel.")).to_be_visible()
    expect(diary.box).to_have_value("")
    diary.reload()
    expect(diary.entries).to_have_count(1)


@pytest.mark.slow
def test_a_draft_typed_while_the_network_is_away_is_saved_when_it_is_back(
    diary: DiaryTab, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect(*AWAY)
    diary.page.context.set_offline(True)
    diary.box.fill("Typed in a tunnel")
    expect(diary.state).to_have_text("Not saved: The server can't be reached. Your text is still here.")

    diary.page.context.set_offline(False)

    diary.wait_for_draft()
    diary.reload()
    expect(diary.box).to_have_value("Typed in a tunnel")


@pytest.mark.slow
def test_a_draft_survives_a_killed_server_and_so_does_the_visit(
    house_to_kill: ServedHouse, new_diary: NewDiary, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect(*AWAY)
    diary = new_diary(of=house_to_kill)
    diary.save_entry("Kept before the power cut.")
    diary.box.fill("Half a thought")
    diary.wait_for_draft()

    house_to_kill.kill()
    house_to_kill.start_again()
    diary.reload()

    expect(diary.entries).to_contain_text("Kept before the power cut.")
    expect(diary.box).to_have_value("Half a thought")


@pytest.mark.slow
def test_what_is_kept_while_the_server_is_dead_is_kept_once_when_it_is_back(
    house_to_kill: ServedHouse, new_diary: NewDiary, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect(*AWAY)
    diary = new_diary(of=house_to_kill)
    house_to_kill.kill()
    diary.box.fill("Written while it was dead.")
    diary.save_button.click()
    expect(diary.state).to_have_text("Not saved, trying again")

    house_to_kill.start_again()

    expect(diary.entry("Written while it was dead.")).to_be_visible(timeout=20_000)
    expect(diary.box).to_have_value("")
    diary.reload()
    expect(diary.entries).to_have_count(1)


def test_a_part_of_the_page_that_could_not_be_fetched_comes_later(
    new_diary: NewDiary, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("ERR_FAILED")
    diary = new_diary()
    diary.save_entry("Written before.")
    tries: list[str] = []

    def away_at_first(route: Route) -> None:
        tries.append(route.request.url)
        route.abort() if len(tries) == 1 else route.continue_()

    diary.page.route("**/controllers/entry_edit.*.js", away_at_first)
    diary.button("Edit").click()

    diary.page.get_by_label("Edit the entry of").fill("Typed while a part of the page was missing.")

    expect(diary.button("Discard change")).to_be_visible()
    assert len(tries) > 1
