"""Screenshots of every page with years of a real diary, for review before a release.

LLAMORA_TEST_PICTURES=/tmp/pictures pytest tests/browser/test_screenshots.py -m slow
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.diary_page import DiaryTab, choose_in_menu, set_session_cookie
from tests.browser.fixture_classes import BrowserErrors, NewContext
from tests.browser.recovery_code_page import confirm_code, list_requested_fields, press_continue
from tests.browser.reply_actions import respond, wait_for_end, wait_for_words
from tests.browser.served_household import ServedHouse, run_household
from tests.browser_client import PASSWORD, Visitor
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, make_words
from tests.server import run_command

WIDTHS = {1440: 1000, 768: 1024, 390: 844}
ANSWER = """You kept the morning for yourself, and the *errands* came after. Two things stand side by side:

- the quiet hour before the office,
- and the supper that went on.

> What would the day have been without the second?
"""


@pytest.fixture(scope="module")
def archive(
    tmp_path_factory: pytest.TempPathFactory, shared: Path, model: FakeModelServer
) -> Iterator[tuple[ServedHouse, Visitor]]:
    """A household with five years of Pepys's diary."""
    folder = tmp_path_factory.mktemp("archive")
    with run_household(folder, LLAMORA_MODEL_URL=model.url) as house:
        member = house.new_member("Samuel", time_zone="Europe/London")
        password = folder / "password"
        password.write_text(PASSWORD)
        command = ("import_diary", str(shared / "corpus/pepys_1660_1664.jsonl"), "--user", "Samuel")
        done = run_command(folder, *command, "--password-file", str(password), extra=house.extra)
        assert done.returncode == 0, done.stderr
        yield house, member


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("LLAMORA_TEST_PICTURES", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def shoot_signed_out_pages(page: Page, house: ServedHouse, shoot: Callable[[str], None]) -> None:
    for name, path in {"sign-in": "/sign-in/", "recover": "/recover/", "404": "/nothing/"}.items():
        page.goto(house.url(path))
        shoot(name)
    page.goto(house.url("/register/"))
    page.get_by_label("Name", exact=True).fill("Elisabeth " + os.urandom(3).hex())
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Repeat password", exact=True).fill(PASSWORD)
    page.get_by_role("meter").wait_for()
    shoot("register")
    page.get_by_role("button", name="Create my diary", exact=True).click()
    page.locator("[data-recovery-code]").wait_for()
    shoot("recovery-code")
    list_requested_fields(page)[0][0].fill("WRNG")
    list_requested_fields(page)[1][0].fill("WRNG")
    press_continue(page)
    page.locator(".field-error").first.wait_for()
    shoot("recovery-code-wrong")
    confirm_code(page)
    expect(page.get_by_role("textbox", name="Write", exact=True)).to_be_visible()
    shoot("first-day")


def shoot_signed_in_pages(diary: DiaryTab, model: FakeModelServer, shoot: Callable[[str], None]) -> None:
    page = diary.page
    for name, path in {
        "day": "/d/1663-05-15/",
        "calendar": "/calendar/1663-05/",
        "year": "/years/1663/",
        "on-this-day": "/on-this-day/05-15/",
        "search": "/search/",
        "traces": "/traces/",
        "bin": "/bin/",
        "keys": "/keys/",
        "settings": "/settings/",
        "browsers": "/settings/browsers/",
        "somebody-had-my-key": "/settings/somebody-had-my-key/",
    }.items():
        page.goto(diary.house.url(path))
        page.wait_for_load_state("networkidle")
        shoot(name)
    diary.open()
    reply = respond(diary, model, Script(tokens=[ANSWER]), text="Up early, and to the office by water.")
    wait_for_end(reply)
    reply = respond(
        diary, model, Script(tokens=make_words(300), rate=30), text="Home late. *Tired*, but content."
    )
    wait_for_words(reply)
    shoot("replies")
    # By key: the page follows the words, and nothing stands still under a mouse.
    page.get_by_role("button", name="Stop", exact=True).press("Enter")
    wait_for_end(reply, "stopped")
    shoot("stopped")
    page.get_by_role("button", name="Edit", exact=True).last.click()
    expect(page.locator("form.edit textarea")).to_be_focused()
    shoot("editing")
    page.locator("form.edit [data-cancel]").click()
    expect(diary.entries).to_have_count(2)
    choose_in_menu(diary.entries.last, "Delete")
    page.get_by_role("button", name="Undo", exact=True).wait_for()
    shoot("deleted")
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(diary.entries).to_have_count(2)


def shoot_conflicts(diary: DiaryTab, second: DiaryTab, shoot: Callable[[str], None]) -> None:
    """Take screenshots of conflicts: of two composers, and of two edits of an entry."""
    diary.box.fill("From the kitchen, with flour on the hands.")
    diary.wait_for_draft()
    second.box.fill("From the desk, where there was more time and more light.")
    expect(second.page.locator("[data-conflict]")).to_be_visible()
    shoot("two-drafts")
    second.button("Keep this one").click()
    shoot("let-go")
    second.box.fill("")
    for tab, text in ((diary, "The supper was fish."), (second, "The supper was soup.")):
        tab.box.press("Escape")  # on a phone the touched sheet covers the page
        tab.button("Edit").last.click()
        tab.page.locator("form.edit textarea").fill(text)
    diary.save_edit_button.click()
    expect(diary.entry("The supper was fish.")).to_be_visible()
    second.save_edit_button.click()
    second.page.get_by_text("Both texts are here").wait_for()
    shoot("conflict")


def shoot_locked_pages(diary: DiaryTab, second: DiaryTab, shoot: Callable[[str], None]) -> None:
    """Take screenshots of the unlock dialog and of the page of a locked diary."""
    diary.page.locator("body").press("l")
    diary.page.wait_for_url("**/unlock/**")
    expect(second.dialog.get_by_label("Password", exact=True)).to_be_focused()
    shoot("dialog")
    second.unlock("not my password")
    second.dialog.get_by_role("alert").wait_for()
    shoot("dialog-wrong")


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_can_be_looked_at(
    archive: tuple[ServedHouse, Visitor],
    new_context: NewContext,
    model: FakeModelServer,
    pictures: Path,
    browser_errors: BrowserErrors,
    width: int,
    theme: Literal["light", "dark"],
) -> None:
    browser_errors.expect("404", "409", "422")
    house, member = archive
    size: dict[str, Any] = {"viewport": {"width": width, "height": WIDTHS[width]}, "color_scheme": theme}
    door = new_context(**size).new_page()
    context = new_context(**size)
    set_session_cookie(context, house, house.sign_in(member))
    empty_day = f"/d/20{len(theme) + 10}-01-{width // 48:02}/"
    diary, second = (DiaryTab(context.new_page(), house, member, empty_day) for _ in range(2))

    def shoot_of(page: Page) -> Callable[[str], None]:
        def shoot(name: str) -> None:
            page.screenshot(path=pictures / f"{name}-{width}-{theme}.png")

        return shoot

    shoot_signed_out_pages(door, house, shoot_of(door))
    shoot_signed_in_pages(diary, model, shoot_of(diary.page))
    shoot_conflicts(diary, second.open(), shoot_of(second.page))
    shoot_locked_pages(diary, second, shoot_of(second.page))
    shoot_of(diary.page)("locked")
