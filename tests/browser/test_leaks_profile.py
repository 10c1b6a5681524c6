"""Tests that no diary text is in any file of the browser's profile on the disk.

A control test proves that the sweep works: it finds the text of a page that does store it.
"""

import http.server
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Error, Playwright, expect

from tests.browser.conftest import ARGUMENTS
from tests.browser.diary_page import DiaryTab, sign_in_with_form
from tests.browser.recovery_code_page import get_shown_code, list_requested_fields, press_continue
from tests.browser.served_household import ServedHouse
from tests.browser_client import PASSWORD
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script
from tests.leaks.encodings import build_marker_for, get_core, new_marker
from tests.leaks.sweep import list_child_pids, list_files, sweep

# Chromium writes a tab's state to its session files some two and a half seconds after a change.
SETTLE = 3500
CARELESS = b"""<!doctype html><title>Careless</title><form><textarea id="box"></textarea></form><script>
const words = decodeURIComponent(location.hash.slice(1));
localStorage.setItem("words", words.repeat(3)); sessionStorage.setItem("words", words);
history.replaceState({words}, "");
const opening = indexedDB.open("words", 1);
opening.onupgradeneeded = () => opening.result.createObjectStore("words");
opening.onsuccess = () => opening.result.transaction("words", "readwrite").objectStore("words").put(words, 1);
</script>"""


class CarelessPage(http.server.BaseHTTPRequestHandler):
    """A page that stores text in every kind of browser storage and allows caching."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Cache-Control", "max-age=3600")
        self.send_header("Content-Length", str(len(CARELESS)))
        self.end_headers()
        self.wfile.write(CARELESS)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def careless_site() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), CarelessPage) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@contextmanager
def browser_at(playwright: Playwright, profile: Path, **options: Any) -> Iterator[BrowserContext]:
    """Run a browser with a profile on the disk until the block ends or it is killed."""
    context = playwright.chromium.launch_persistent_context(
        str(profile), executable_path=shutil.which("chromium"), args=ARGUMENTS, **options
    )
    try:
        yield context
    finally:
        # Playwright may learn that it was killed only while it is closing it.
        with suppress(Error):
            context.close()


def kill(profile: Path) -> None:
    """Kill the browser of a profile."""
    for pid in list_child_pids(os.getpid()):
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
            if f"--user-data-dir={profile}".encode() in line:
                os.kill(pid, signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            continue


def find_marker_in_profile(marker: str, profile: Path) -> set[str]:
    """Return the files of a profile that contain a marker, by the telling part of their path."""
    found = sweep(marker, list_files(profile))
    return {line.removeprefix(str(profile)) for line in found}


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    return tmp_path / "profile"


AT_ONCE = ("Sessions", "IndexedDB")
IN_TIME = (*AT_ONCE, "Local Storage", "Session Storage", "History")


@pytest.mark.parametrize(
    ("is_killed", "places"),
    [
        pytest.param(False, IN_TIME, id="closed", marks=pytest.mark.slow),
        pytest.param(True, AT_ONCE, id="killed"),
    ],
)
def test_a_page_that_is_careless_is_found_in_the_profile(
    playwright: Playwright, profile: Path, is_killed: bool, places: tuple[str, ...]
) -> None:
    marker = new_marker()
    typed = new_marker()
    with careless_site() as site, browser_at(playwright, profile) as context:
        page = context.pages[0]
        page.goto(f"{site}#{get_core(marker)}")
        page.locator("#box").fill(build_marker_for(typed, "typed"))
        page.wait_for_timeout(SETTLE)
        if is_killed:
            kill(profile)

    found = " ".join(find_marker_in_profile(marker, profile))
    for place in places:
        assert place in found, f"the sweep does not find words in {place}"
    assert "Sessions" in " ".join(find_marker_in_profile(typed, profile)), (
        "the sweep does not find words typed into a form"
    )


Way = Callable[[DiaryTab, Callable[[str], str]], None]
Ways = Sequence[Way]


def type_without_saving(diary: DiaryTab, words: Callable[[str], str]) -> None:
    diary.box.press_sequentially(words("typed"))
    diary.wait_for_draft()


def save_and_edit(diary: DiaryTab, words: Callable[[str], str]) -> None:
    diary.save_entry(words("kept"))
    diary.button("Edit").click()
    diary.page.locator("form.edit textarea").fill(words("edited"))
    diary.page.wait_for_timeout(500)
    diary.save_edit_button.click()
    expect(diary.entries).to_contain_text(get_core(words("")))
    diary.box.fill(words("and-more"))


def get_reply(diary: DiaryTab, words: Callable[[str], str]) -> None:
    diary.save_entry(words("asked"))
    diary.button("Reply").click()
    expect(diary.page.locator(".reply[data-state=done]")).to_contain_text("reply")


def add_traces(diary: DiaryTab, words: Callable[[str], str]) -> None:
    page = diary.page
    diary.save_entry(words("kept"))
    page.get_by_text("Add a trace").click()
    name = page.get_by_label("Name of the trace")
    name.fill(words("trace"))
    name.press("Enter")
    chip = page.locator(".traces-accepted .trace > summary")
    expect(chip).to_contain_text(get_core(words("")))
    name.press_sequentially(words("begun")[:30])
    chip.click()
    expect(page.locator(".trace-panel")).to_contain_text("Only on this entry")
    page.get_by_role("link", name="All entries with this trace").click()
    expect(page.locator("main")).to_contain_text(get_core(words("")))
    page.go_back()
    page.reload()


def visit_other_days(diary: DiaryTab, words: Callable[[str], str]) -> None:
    diary.save_entry(words("kept"))
    diary.box.fill(words("typed"))
    diary.wait_for_draft()
    for path in ("/d/2020-02-02/", "/settings/", "/"):
        diary.page.goto(diary.house.url(path))
    diary.page.go_back()
    diary.page.go_back()
    diary.page.reload()


def lock_while_typing(diary: DiaryTab, words: Callable[[str], str]) -> None:
    diary.save_entry(words("kept"))
    diary.box.fill(words("typed"))
    diary.lock()
    expect(diary.page.get_by_role("heading", name="Locked")).to_be_visible()


def lock_from_another_tab(diary: DiaryTab, words: Callable[[str], str]) -> None:
    diary.save_entry(words("kept"))
    diary.box.fill(words("typed"))
    other = diary.page.context.new_page()
    other.goto(diary.house.url("/"))
    other.get_by_role("button", name="Lock", exact=True).click()
    expect(diary.dialog).to_be_visible()
    diary.page.wait_for_timeout(SETTLE)
    other.close()


def sign_out(diary: DiaryTab, words: Callable[[str], str]) -> None:
    diary.save_entry(words("kept"))
    diary.box.fill(words("typed"))
    diary.wait_for_draft()
    diary.button("Sign out").click()
    expect(diary.page.get_by_role("heading", name="Sign in")).to_be_visible()


WAYS = [
    *(type_without_saving, save_and_edit, get_reply, add_traces, visit_other_days),
    *(lock_from_another_tab, lock_while_typing, sign_out),
]


def run_actions(
    context: BrowserContext, house: ServedHouse, model: FakeModelServer, ways: Ways, marker: str
) -> None:
    """Register a new person, sign in with the form, and run the actions in one tab."""
    for way in ways:
        model.add_scripts(
            Script(
                tokens=["A ", build_marker_for(marker, "reply")],
                thoughts=[build_marker_for(marker, "thought")],
            )
        )
        member = house.new_member()
        context.clear_cookies()
        sign_in_with_form(context.pages[0], house, member)
        diary = DiaryTab(context.pages[0], house, member).open()
        way(diary, lambda what: build_marker_for(marker, what))
    context.pages[0].wait_for_timeout(SETTLE)


def check_profile(profile: Path, marker: str) -> None:
    assert (profile / "Default" / "History").stat().st_size
    assert find_marker_in_profile(marker, profile) == set()
    assert not any(PASSWORD.encode() in place.data for place in list_files(profile))


@pytest.mark.slow
def test_nothing_of_a_day_of_writing_is_in_the_profile_of_a_browser_that_was_closed(
    playwright: Playwright, house: ServedHouse, model: FakeModelServer, profile: Path
) -> None:
    marker = new_marker()
    with browser_at(playwright, profile) as context:
        run_actions(context, house, model, WAYS, marker)

    check_profile(profile, marker)


@pytest.mark.parametrize(
    "way",
    [WAYS[0], *(pytest.param(way, marks=pytest.mark.slow) for way in WAYS[1:])],
    ids=lambda way: way.__name__,
)
def test_nothing_is_in_the_profile_of_a_browser_that_was_killed(
    playwright: Playwright, house: ServedHouse, model: FakeModelServer, profile: Path, way: Way
) -> None:
    marker = new_marker()
    with browser_at(playwright, profile) as context:
        run_actions(context, house, model, [way], marker)
        kill(profile)

    check_profile(profile, marker)


@pytest.mark.parametrize(
    "scripted",
    [pytest.param(True, id="with script"), pytest.param(False, id="without", marks=pytest.mark.slow)],
)
def test_a_recovery_code_with_a_wrong_group_typed_back_is_in_no_file(
    playwright: Playwright, house: ServedHouse, profile: Path, scripted: bool
) -> None:
    """Chromium stores the form that led to a page in its session files, except forms with a password."""
    with browser_at(playwright, profile, java_script_enabled=scripted) as context:
        page = context.pages[0]
        page.goto(house.url("/register/"))
        page.get_by_label("Name", exact=True).fill(f"Gerda, scripted {scripted}")
        for label in ("Password", "Repeat password"):
            page.get_by_label(label, exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Create my diary", exact=True).click()
        groups = get_shown_code(page)
        fields = [each for each, _ in list_requested_fields(page)]
        for each in fields:
            each.fill("WRONGLY")
        press_continue(page)
        expect(fields[0]).to_have_attribute("aria-invalid", "true")
        assert get_shown_code(page) == groups
        page.wait_for_timeout(SETTLE)

    left = b"".join(place.data for place in list_files(profile))
    assert (b"WRONGLY" in left) is not scripted, "without script the form that was sent is to be found"
    for code in ("-".join(groups), " ".join(groups), "".join(groups)):
        assert code.encode() not in left
        assert code.encode("utf-16-le") not in left
    assert PASSWORD.encode() not in left
