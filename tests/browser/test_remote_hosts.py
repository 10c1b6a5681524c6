"""Tests of the consent to a model on another machine in a browser: given, with an API key, withdrawn."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.fixture_classes import NewDiary
from tests.browser.reply_actions import respond, wait_for_end
from tests.browser.served_household import ServedHouse, run_household
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script

# Every address of this machine, and so none that is its own alone.
HOST = "0.0.0.0"
WIDTHS = (1440, 390)


@pytest.fixture
def model_elsewhere() -> Iterator[FakeModelServer]:
    with FakeModelServer() as server:
        yield server


@pytest.fixture
def house_with_model_elsewhere(tmp_path: Path, model_elsewhere: FakeModelServer) -> Iterator[ServedHouse]:
    url = model_elsewhere.url.replace("127.0.0.1", HOST)
    with run_household(tmp_path, LLAMORA_MODEL_URL=url, LLAMORA_MODEL_ALLOW_REMOTE="true") as house:
        yield house


def take_pictures(page: Page, name: str) -> None:
    """Take pictures in both themes and widths, if somebody wants to look at them."""
    if folder := os.environ.get("LLAMORA_TEST_PICTURES"):
        for width in WIDTHS:
            for theme in ("light", "dark"):
                page.set_viewport_size({"width": width, "height": 900})
                page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
                # A composer that has the focus fills a phone.
                page.reload()
                page.screenshot(path=Path(folder) / f"remote-{name}-{width}-{theme}.png", full_page=True)
        page.set_viewport_size({"width": WIDTHS[0], "height": 900})
        page.emulate_media(color_scheme="light")
        page.reload()


def test_a_person_agrees_saves_a_key_gets_a_reply_and_withdraws(
    house_with_model_elsewhere: ServedHouse, model_elsewhere: FakeModelServer, new_diary: NewDiary
) -> None:
    diary = new_diary(of=house_with_model_elsewhere)
    page = diary.page
    line = page.locator("#texts-go")
    expect(line).to_contain_text(f"Nothing of yours is sent to {HOST} before you agree.")
    take_pictures(page, "day-before")

    line.get_by_role("link", name="Where your texts go").click()
    take_pictures(page, "before")
    page.get_by_label("Current password").fill(diary.member.password)
    page.get_by_role("button", name=f"Let my texts be sent to {HOST}").click()
    page.get_by_role("textbox", name="Key", exact=True).fill("sk-own-key")
    page.get_by_label("Current password").fill(diary.member.password)
    page.get_by_role("button", name="Save key").click()
    expect(page.get_by_role("button", name="Replace key")).to_be_visible()
    take_pictures(page, "agreed")
    assert "sk-own-key" not in page.content()

    diary.open()
    expect(line).to_contain_text("as you agreed")
    reply = respond(diary, model_elsewhere, Script(tokens=["Tea ", "again."]))
    wait_for_end(reply)
    take_pictures(page, "day-after")
    asked = [one for one in model_elsewhere.requests if one.path == "/v1/chat/completions"]
    assert [one.headers["authorization"] for one in asked] == ["Bearer sk-own-key"]

    line.get_by_role("link", name="Where your texts go").click()
    page.get_by_role("button", name=f"Stop sending to {HOST}").click()
    expect(page.get_by_role("button", name=f"Let my texts be sent to {HOST}")).to_be_visible()
    page.goto(diary.house.url("/settings/"))
    take_pictures(page, "settings")
