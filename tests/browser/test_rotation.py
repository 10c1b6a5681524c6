"""Tests of key rotations in a browser: messages in other tabs, progress, and sign-outs."""

import re
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.diary_page import sign_in_with_form
from tests.browser.fixture_classes import BrowserErrors, NewContext, NewDiary
from tests.browser.recovery_code_page import confirm_code
from tests.browser.served_household import ServedHouse
from tests.browser_client import PASSWORD, Visitor

NEW = "nine quiet owls in the barn"


def submit_password(page: Page, button: str, *, new: str = "", password: str = PASSWORD) -> None:
    page.get_by_label("Current password").fill(password)
    if new:
        page.get_by_label("New password", exact=True).fill(new)
        page.get_by_label("Repeat password").fill(new)
    page.get_by_role("button", name=button).click()


def is_let_in(page: Page, house: ServedHouse, member: Visitor, password: str) -> bool:
    sign_in_with_form(page, house, replace(member, password=password))
    page.wait_for_load_state()
    return urlsplit(page.url).path != "/sign-in/"


def test_writing_goes_on_after_a_new_key_and_elsewhere_the_dialog_opens(
    new_diary: NewDiary, new_context: NewContext, house: ServedHouse
) -> None:
    here = new_diary()
    here.save_entry("Written under the first key.")
    member = here.member
    there = new_diary(member=house.sign_in(member), path="/d/2021-05-06/")
    there.box.fill("Half a sentence")
    there.wait_for_draft()

    here.page.goto(house.url("/settings/key/"))
    submit_password(here.page, "Create a new key")

    expect(here.page.get_by_text("Your diary has a new encryption key")).to_be_visible()
    expect(there.dialog).to_be_visible()
    here.open("/")
    expect(here.entry("Written under the first key.")).to_be_visible()
    here.save_entry("Written under the second.")
    there.page.reload()
    expect(there.page).to_have_url(re.compile("/sign-in/"))
    assert is_let_in(there.page, house, member, PASSWORD)
    expect(there.box).to_have_value("Half a sentence")
    there.open("/")
    expect(there.entry("Written under the second.")).to_be_visible()


@pytest.mark.slow
def test_the_meter_judges_a_new_password(new_diary: NewDiary, house: ServedHouse) -> None:
    page = new_diary().page
    page.goto(house.url("/settings/password/"))

    page.get_by_label("New password", exact=True).fill(NEW)

    expect(page.get_by_role("meter")).to_be_visible()


def test_somebody_had_my_key_shuts_them_out_at_once(
    new_diary: NewDiary, new_context: NewContext, house: ServedHouse, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("422")
    here = new_diary()
    here.save_entry("Before.")
    thief = new_diary(member=house.sign_in(here.member))

    here.page.goto(house.url("/settings/"))
    here.page.get_by_role("link", name="My account was compromised").click()
    submit_password(here.page, "Lock them out", new=NEW)
    code = confirm_code(here.page)

    expect(here.page).to_have_url(house.url("/settings/"))
    expect(thief.dialog).to_be_visible()
    assert len(code) == 9
    assert "-".join(code) != here.member.recovery_code
    door = new_context().new_page()
    assert not is_let_in(door, house, here.member, PASSWORD)
    assert is_let_in(door, house, here.member, NEW)
    here.open("/")
    expect(here.entry("Before.")).to_be_visible()


@pytest.mark.slow
def test_a_refused_form_keeps_the_place_and_says_why_by_the_field(
    new_diary: NewDiary, house: ServedHouse, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("422")
    page = new_diary().page
    page.goto(house.url("/settings/recovery-code/"))

    submit_password(page, "Create a new code", password="not this one")

    expect(page.get_by_text("Wrong password.")).to_be_visible()
    field = page.get_by_label("Current password")
    assert field.get_attribute("aria-invalid") == "true"
    assert field.input_value() == ""
