"""Tests of the account pages: accessible, small, usable without script and by keyboard."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.diary_page import set_session_cookie, sign_in_with_form
from tests.browser.fixture_classes import BrowserErrors, NewContext, NewDiary
from tests.browser.recovery_code_page import confirm_code
from tests.browser.served_household import ServedHouse
from tests.browser.test_accessibility import PageFindings
from tests.server import run_command

OWN = [
    "/settings/",
    "/settings/password/",
    "/settings/recovery-code/",
    "/settings/key/",
    "/settings/somebody-had-my-key/",
    "/settings/browsers/",
    "/settings/programs/",
    "/settings/leave/",
]


@pytest.fixture
def signed_in_tab(page: Page, house: ServedHouse) -> Page:
    """A tab of a person who is signed in on a second browser too."""
    member = house.new_member()
    house.sign_in(member)
    set_session_cookie(page.context, house, member)
    return page


def iter_pages(page: Page, house: ServedHouse) -> Iterator[str]:
    for path in OWN:
        page.goto(house.url(path))
        page.wait_for_load_state("networkidle")
        yield path
    page.goto(house.url("/settings/password/"))
    page.get_by_label("Current password").fill("not this one")
    page.get_by_label("New password", exact=True).fill("short")
    page.get_by_label("Repeat password").fill("other")
    page.get_by_role("button", name="Change password").click()
    expect(page.locator(".field-error")).to_have_count(2)
    yield "refused"


@pytest.fixture
def findings(signed_in_tab: Page, house: ServedHouse, browser_errors: BrowserErrors) -> PageFindings:
    """The findings of one walk through all pages."""
    browser_errors.expect("422", "Applying inline style")
    walk = PageFindings()
    for path in iter_pages(signed_in_tab, house):
        walk.check_page(signed_in_tab, path)
    return walk


@pytest.mark.slow
def test_everybody_can_read_and_use_them(findings: PageFindings) -> None:
    assert len(findings.by_light) == len(OWN) + 1
    assert findings.problems() == {}


@pytest.mark.slow
def test_larger_text_is_larger_and_fits(signed_in_tab: Page, house: ServedHouse) -> None:
    signed_in_tab.set_viewport_size({"width": 320, "height": 640})
    signed_in_tab.goto(house.url("/settings/"))
    before = signed_in_tab.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")

    signed_in_tab.get_by_label("Larger", exact=True).check()
    signed_in_tab.get_by_role("button", name="Save").click()

    expect(signed_in_tab.get_by_text("Saved.")).to_be_visible()
    assert signed_in_tab.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") > before * 1.2
    assert signed_in_tab.evaluate("document.documentElement.scrollWidth") <= 320


def test_a_browser_elsewhere_is_ended_and_its_tab_says_so(
    new_diary: NewDiary, new_context: NewContext
) -> None:
    there = new_diary()
    other = there.house.sign_in(there.member)
    here = new_context(other, there.house).new_page()
    here.goto(there.house.url("/settings/browsers/"))

    here.get_by_role("button", name=re.compile("^Sign out .*, last seen")).first.click()

    expect(here.get_by_text("That browser is signed out.")).to_be_visible()
    expect(there.dialog).to_be_visible()
    assert there.box.count() == 0 or not there.box.is_visible()


@pytest.mark.slow
def test_all_of_it_works_without_script(new_context: NewContext, house: ServedHouse) -> None:
    member = house.new_member()
    page = new_context(member, house, java_script_enabled=False).new_page()
    page.goto(house.url("/settings/"))

    page.get_by_role("link", name="Change password").click()
    page.get_by_label("Current password").fill(member.password)
    page.get_by_label("New password", exact=True).fill("a heron on every post")
    page.get_by_label("Repeat password").fill("a heron on every post")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Your password is changed.")).to_be_visible()

    page.get_by_role("link", name="Create a new recovery code").click()
    page.get_by_label("Current password").fill("a heron on every post")
    page.get_by_role("button", name="Create a new code").click()
    expect(page.locator("[data-recovery-code]")).to_have_text(re.compile(r"(\w{4}\s*){9}"))
    confirm_code(page)
    expect(page).to_have_url(house.url("/settings/"))

    page.get_by_role("link", name="Where you are signed in").click()
    expect(page.get_by_text("You're not signed in anywhere else.")).to_be_visible()
    page.goto(house.url("/settings/leave/"))
    page.get_by_label("Current password").fill("a heron on every post")
    page.get_by_role("button", name="Delete my diary").click()
    expect(page.get_by_role("heading", name="Your diary is deleted")).to_be_visible()
    page.goto(house.url("/"))
    expect(page).to_have_url(re.compile("/sign-in/"))


def test_the_settings_are_reached_and_saved_by_keyboard(signed_in_tab: Page, house: ServedHouse) -> None:
    signed_in_tab.goto(house.url("/settings/"))
    signed_in_tab.get_by_label("Display name").focus()

    signed_in_tab.keyboard.type("Liv")
    signed_in_tab.keyboard.press("Enter")

    expect(signed_in_tab.get_by_text("Saved.")).to_be_visible()
    expect(signed_in_tab.get_by_role("heading", name="Liv")).to_be_visible()


@pytest.mark.slow
def test_an_invitation_from_the_administrator_lets_somebody_in(
    own_house: ServedHouse, new_context: NewContext
) -> None:
    administrator = new_context().new_page()
    assert own_house.server.set_up_link
    parts = urlsplit(own_house.server.set_up_link)
    administrator.goto(own_house.url(f"{parts.path}?{parts.query}"))
    register(administrator, "Karin")
    administrator.goto(own_house.url("/settings/"))
    administrator.get_by_role("link", name="Invite someone").click()
    administrator.get_by_role("button", name="Create link").click()
    link = administrator.get_by_label("Link", exact=True).input_value()

    guest = new_context().new_page()
    guest.goto(link)
    register(guest, "Gustav")

    expect(guest.get_by_role("textbox", name="Write", exact=True)).to_be_visible()
    administrator.goto(own_house.url("/admin/accounts/invitation/"))
    expect(administrator.get_by_text("Gustav")).to_be_visible()


def register(page: Page, name: str) -> None:
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password", exact=True).fill("seven slow herons over the weir")
    page.get_by_label("Repeat password", exact=True).fill("seven slow herons over the weir")
    page.get_by_role("button", name="Create my diary", exact=True).click()
    confirm_code(page)


@pytest.mark.slow
def test_a_link_from_the_terminal_lets_somebody_in_once(
    own_house: ServedHouse, new_context: NewContext
) -> None:
    assert run_command(own_house.folder, "invite").returncode == 1
    assert own_house.server.set_up_link
    parts = urlsplit(own_house.server.set_up_link)
    administrator = new_context().new_page()
    administrator.goto(own_house.url(f"{parts.path}?{parts.query}"))
    register(administrator, "Karin")

    printed = urlsplit(run_command(own_house.folder, "invite").stdout.strip())
    guest = new_context().new_page()
    guest.goto(own_house.url(f"{printed.path}?{printed.query}"))
    register(guest, "Gustav")

    expect(guest.get_by_role("textbox", name="Write", exact=True)).to_be_visible()
    assert printed.netloc == f"llamora.localhost:{own_house.server.port}"
    assert printed.query.removeprefix("invite=") not in own_house.server.log()


@pytest.mark.slow
def test_somebody_who_shortened_their_days_signs_in_for_a_week(page: Page, house: ServedHouse) -> None:
    member = house.new_member()
    page.goto(house.url("/sign-in/"))
    page.get_by_label("Stay signed in").select_option(label="For a week")
    sign_in_with_form(page, house, member)
    expect(page.get_by_role("textbox", name="Write", exact=True)).to_be_visible()

    ages = {cookie["name"]: cookie["expires"] for cookie in page.context.cookies()}
    now = page.evaluate("Date.now() / 1000")

    assert 6.9 * 86400 < ages["llamora_session"] - now < 7.1 * 86400


@pytest.mark.slow
@pytest.mark.parametrize("width", [1440, 768, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_can_be_looked_at(
    new_context: NewContext,
    house: ServedHouse,
    browser_errors: BrowserErrors,
    tmp_path: Path,
    width: int,
    theme: Literal["light", "dark"],
) -> None:
    folder = Path(os.environ.get("LLAMORA_TEST_PICTURES", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    browser_errors.expect("422")
    member = house.new_member(f"Elisabeth {width} {theme}")
    house.sign_in(member)
    size = {"viewport": {"width": width, "height": 1000}, "color_scheme": theme}
    page = new_context(member, house, **size).new_page()

    for path in iter_pages(page, house):
        name = path.strip("/").replace("/", "-")
        page.screenshot(path=folder / f"people-{name}-{width}-{theme}.png", full_page=True)
