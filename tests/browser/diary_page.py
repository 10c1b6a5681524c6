"""Page object of a diary: opens it, waits for it, writes and reads entries."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import BrowserContext, Locator, Page, WebSocket, expect

from tests.browser.served_household import ServedHouse
from tests.browser_client import Visitor

# The last of the composer's three controllers sets this when it attaches.
_COMPOSER_READY = "() => document.querySelector('#composer')?.style.getPropertyValue('--visible')"


def choose_in_menu(entry: Locator, name: str) -> None:
    """Open the menu of an entry and press one of its buttons."""
    entry.get_by_text("More", exact=True).click()
    entry.get_by_role("button", name=name, exact=True).click()


def wait_until(page: Page, condition: Callable[[], bool], *, seconds: float = 20.0) -> None:
    """Wait for a condition outside the page while handling events of the browser."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        page.wait_for_timeout(20)


@dataclass
class DiaryTab:
    """A browser tab of a person, on the page of a day (`path`)."""

    page: Page
    house: ServedHouse
    member: Visitor
    path: str = "/"
    watching: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("websocket", self._hear)

    def _hear(self, socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: self.watching.append(str(frame)))

    def open(self, path: str | None = None) -> "DiaryTab":
        """Open the page of a day and wait until its script and socket are ready."""
        self.watching.clear()
        self.page.goto(self.house.url(path or self.path))
        return self.ready()

    def reload(self) -> "DiaryTab":
        self.watching.clear()
        self.page.reload()
        return self.ready()

    def ready(self) -> "DiaryTab":
        self.page.wait_for_function(_COMPOSER_READY)
        wait_until(self.page, lambda: any("watch" in frame for frame in self.watching))
        return self

    @property
    def box(self) -> Locator:
        return self.page.get_by_role("textbox", name="Write", exact=True)

    @property
    def state(self) -> Locator:
        return self.page.locator("#composer [data-save-state]")

    @property
    def complaint(self) -> Locator:
        return self.page.locator("#composer [data-error]")

    @property
    def entries(self) -> Locator:
        return self.page.locator("article.entry")

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    def entry(self, words: str) -> Locator:
        return self.entries.filter(has_text=words)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def save_button(self) -> Locator:
        """The button of the composer."""
        return self.page.locator("#composer").get_by_role("button", name="Save")

    @property
    def save_edit_button(self) -> Locator:
        """The button of the entry that is being edited."""
        return self.page.locator("form.edit").get_by_role("button", name=re.compile("^Save( mine)?$"))

    def choose(self, name: str) -> None:
        """Press a button in the menu of the page's only entry."""
        choose_in_menu(self.entries, name)

    def save_entry(self, text: str) -> Locator:
        """Write an entry, press Save, and wait until the entry is on the page."""
        before = self.entries.count()
        self.box.fill(text)
        self.save_button.click()
        expect(self.entries).to_have_count(before + 1)
        expect(self.box).to_have_value("")
        return self.entries.nth(before)

    def wait_for_draft(self) -> None:
        expect(self.state).to_have_text(re.compile(r"^Draft saved \d\d:\d\d$"))

    def shown_words(self) -> str:
        """Return all text in this page, visible or not."""
        return str(
            self.page.evaluate("""() => document.documentElement.outerHTML + document.body.innerText
            + [...document.querySelectorAll('input, textarea')].map((field) => field.value).join(' ')""")
        )

    def unlock(self, password: str | None = None) -> None:
        """Enter a password in the unlock dialog."""
        self.dialog.get_by_label("Password", exact=True).fill(password or self.member.password)
        self.dialog.get_by_role("button", name="Unlock", exact=True).click()

    def lock(self) -> None:
        self.button("Lock").click()


def sign_in_with_form(page: Page, house: ServedHouse, member: Visitor) -> None:
    """Sign in with the form."""
    if "/sign-in/" not in page.url:
        page.goto(house.url("/sign-in/"))
    page.get_by_label("Name", exact=True).fill(member.name)
    page.get_by_label("Password", exact=True).fill(member.password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def set_session_cookie(context: BrowserContext, house: ServedHouse, member: Visitor) -> None:
    """Set the session cookie of a signed-in person in a browser context."""
    context.add_cookies(
        [
            {"name": name, "value": value, "url": house.url("/"), "httpOnly": name != "llamora_csrf"}
            for name, value in member.cookies.items()
        ]
    )
