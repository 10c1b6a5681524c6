"""Tests that the browser stores only two cookies, and that titles and URLs contain no diary text."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.diary_page import DiaryTab
from tests.browser.fixture_classes import NewDiary
from tests.browser.reply_actions import respond, wait_for_end
from tests.browser.served_household import ServedHouse
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script

STORED = """async () => ({
    local: Object.entries(localStorage),
    session: Object.entries(sessionStorage),
    databases: (await indexedDB.databases()).map(({ name }) => name),
    caches: await caches.keys(),
    workers: (await navigator.serviceWorker.getRegistrations()).length,
    state: JSON.stringify(history.state),
})"""
NOTHING = {"local": [], "session": [], "databases": [], "caches": [], "workers": 0}


def list_stored(page: Page) -> dict[str, object]:
    return dict(page.evaluate(STORED))


def list_cookie_names(context: BrowserContext) -> set[str]:
    return {str(cookie.get("name")) for cookie in context.cookies()}


def test_after_a_whole_session_the_browser_has_stored_nothing(
    new_diary: NewDiary, model: FakeModelServer
) -> None:
    diary = new_diary()
    wait_for_end(respond(diary, model, Script(tokens=["Yes."]), text="A secret entry."))
    diary.button("Edit").click()
    diary.page.locator("form.edit textarea").fill("A secret edit.")
    diary.save_edit_button.click()
    expect(diary.entries).to_contain_text("A secret edit.")
    diary.open("/d/2024-03-05/").save_entry("Something secret, long ago.")
    diary.page.get_by_role("link", name="Next month").click()
    expect(diary.page.get_by_role("heading", name="April 2024")).to_be_visible()
    diary.box.fill("A secret draft.")
    diary.wait_for_draft()

    left = list_stored(diary.page)

    assert "secret" not in str(left.pop("state"))
    assert left == NOTHING
    diary.button("Sign out").click()
    diary.page.wait_for_url("**/sign-in/")
    left = list_stored(diary.page)
    left.pop("state")
    assert left == NOTHING
    # The latter has no word in it, and opens nothing: see `accounts.sessions.latest_key_cookie`.
    left_names = list_cookie_names(diary.page.context)
    assert {name.partition("_latest_")[0] for name in left_names} <= {"llamora_csrf", "llamora"}


def test_cookies_are_ours_and_out_of_reach(house: ServedHouse, page: Page) -> None:
    member = house.new_member()
    page.goto(house.url("/sign-in/"))
    page.get_by_label("Name", exact=True).fill(member.name)
    page.get_by_label("Password", exact=True).fill(member.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(house.url("/"))

    cookies = {cookie.get("name"): cookie for cookie in page.context.cookies()}

    (latest,) = set(cookies) - {"llamora_session", "llamora_csrf"}
    assert latest.startswith("llamora_latest_")
    assert cookies[latest].get("httpOnly")
    session = cookies["llamora_session"]
    assert (session.get("httpOnly"), session.get("sameSite"), session.get("expires")) == (True, "Lax", -1)
    assert cookies["llamora_csrf"].get("sameSite") == "Lax"
    assert "llamora_session" not in page.evaluate("document.cookie")


def test_no_field_for_words_offers_them_to_the_browser(diary: DiaryTab) -> None:
    diary.save_entry("An entry.")
    diary.button("Edit").click()
    expect(diary.page.locator("form.edit textarea")).to_be_visible()

    for field in diary.page.locator("textarea").all():
        assert field.get_attribute("autocomplete") == "off"
        assert field.get_attribute("writingsuggestions") == "false"


@pytest.mark.slow
def test_no_words_stand_in_a_title_or_an_address(new_diary: NewDiary) -> None:
    diary = new_diary()
    asked: list[str] = []
    diary.page.on("request", lambda request: asked.append(request.url))
    diary.save_entry("Marmalade.")
    diary.button("Edit").click()
    diary.page.locator("form.edit textarea").fill("Marmalade again.")
    diary.save_edit_button.click()
    expect(diary.entries).to_contain_text("again")

    assert "armalade" not in diary.page.title()
    assert not [url for url in asked if "armalade" in url]
