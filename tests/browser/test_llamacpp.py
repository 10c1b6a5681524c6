"""Test of replies from a real llama.cpp with a tiny random model in a real browser."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.diary_page import DiaryTab, wait_until
from tests.browser.fixture_classes import NewDiary
from tests.browser.reply_actions import get_reply_words
from tests.browser.served_household import ServedHouse, run_household
from tests.fakes.tiny_model import WIDE_WINDOW, write_tiny_model


@contextmanager
def run_household_with_llamacpp(folder: Path, shared: Path, *, reply_tokens: int) -> Iterator[ServedHouse]:
    """Run a household that finds a model file in its data folder and runs it."""
    models = folder / "data" / "models"
    models.mkdir(parents=True)
    shutil.copy(write_tiny_model(shared, folder, window=WIDE_WINDOW), models / "tiny.gguf")
    limits = {
        "LLAMORA_MODEL_CONTEXT": str(WIDE_WINDOW),
        "LLAMORA_MODEL_REPLY_TOKENS": str(reply_tokens),
        "LLAMORA_MODEL_REPLY_SECONDS": "600",
    }
    with run_household(folder, LLAMORA_MODEL_PARALLEL="2", **limits) as house:
        yield house


@pytest.fixture(scope="module")
def house_with_llamacpp(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Iterator[ServedHouse]:
    """A household whose model writes until it is stopped, or for minutes."""
    with run_household_with_llamacpp(
        tmp_path_factory.mktemp("llamacpp"), shared, reply_tokens=WIDE_WINDOW // 2
    ) as house:
        yield house


@pytest.fixture
def house_with_short_replies(tmp_path: Path, shared: Path) -> Iterator[ServedHouse]:
    """A household whose model ends by itself."""
    with run_household_with_llamacpp(tmp_path, shared, reply_tokens=100) as house:
        yield house


def ready(new_diary: NewDiary, house: ServedHouse) -> DiaryTab:
    """A diary whose model has been loaded."""
    diary = new_diary(of=house)
    diary.save_entry("Good evening.")
    return diary


def request_reply_until_loaded(diary: DiaryTab) -> None:
    """Request replies until the model is loaded and text arrives."""
    diary.button("Reply").click()
    reply = diary.page.locator(".reply").last
    for _ in range(60):
        expect(reply).not_to_have_attribute("data-state", "waiting", timeout=60_000)
        if reply.get_attribute("data-state") != "failed":
            return
        diary.button("Try again").last.click()


def test_it_streams_is_resumed_after_a_reload_seen_in_two_tabs_and_stopped(
    house_with_llamacpp: ServedHouse, new_diary: NewDiary
) -> None:
    diary = ready(new_diary, house_with_llamacpp)
    request_reply_until_loaded(diary)
    reply = diary.page.locator(".reply").last
    wait_until(diary.page, lambda: len(get_reply_words(reply)) > 0)
    expect(reply).to_have_attribute("data-state", "writing")

    diary.reload()
    expect(reply).to_have_attribute("data-state", "writing")
    other = new_diary(beside=diary)
    expect(other.page.locator(".reply").last).to_have_attribute("data-state", "writing")
    # By key: under a page that follows the words the pointer finds the button only where it was.
    diary.button("Stop").press("Enter")

    expect(reply).to_have_attribute("data-state", "stopped")
    expect(other.page.locator(".reply").last).to_have_attribute("data-state", "stopped")
    assert reply.inner_text() == other.page.locator(".reply").last.inner_text()
    assert get_reply_words(reply)
    diary.reload()
    assert reply.inner_text() == other.page.locator(".reply").last.inner_text()


@pytest.mark.slow
def test_it_is_seen_whole_in_two_tabs(house_with_short_replies: ServedHouse, new_diary: NewDiary) -> None:
    diary = ready(new_diary, house_with_short_replies)
    other = new_diary(beside=diary)
    request_reply_until_loaded(diary)
    replies = [tab.page.locator(".reply").last for tab in (diary, other)]

    for reply in replies:
        expect(reply).to_have_attribute("data-state", "done", timeout=240_000)

    assert get_reply_words(replies[0]) == get_reply_words(replies[1]) != []
    other.reload()
    assert get_reply_words(replies[0]) == get_reply_words(replies[1])
