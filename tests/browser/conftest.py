"""Fixtures: one Chromium and one household for the whole run; a context and a person for each test.

Every test fails on any error that the browser reports (console errors, page errors, violations of the
content policy), unless the test declares the error as expected: `browser_errors.expect("503")`.
"""

import itertools
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.browser.diary_page import DiaryTab, set_session_cookie
from tests.browser.fixture_classes import BrowserErrors, NewContext, NewDiary
from tests.browser.served_household import ServedHouse, run_household
from tests.browser_client import Visitor
from tests.fakes.model_server import FakeModelServer

# Of two such lists chromium hears the last: these are what Playwright switches off (as of 1.65), and the two
# pages of the address bar, which every new window loads though nobody sees them: half a second of the
# processor for each context.
SWITCHED_OFF = [
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "TcpPortRandomizationWin",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "SpareRendererForSitePerProcess",
]
ARGUMENTS = [
    f"--disable-features={','.join(SWITCHED_OFF)}",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 20_000
# Still pages: a test looks at one while it loads, and chromium complains of a transition begun too early.
DEFAULTS: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"}

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    if shutil.which("chromium") is None:
        pytest.skip("no chromium on the PATH; install Debian's package chromium")
    with sync_playwright() as under_way:
        yield under_way


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def model() -> Iterator[FakeModelServer]:
    """The scripted model server of the shared household."""
    with FakeModelServer() as server:
        yield server


@pytest.fixture(autouse=True)
def forget_earlier_scripts(request: pytest.FixtureRequest) -> None:
    """Delete the scripts that earlier tests left on the shared model server."""
    if "model" in request.fixturenames:
        request.getfixturevalue("model").forget_scripts()


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, model: FakeModelServer) -> Iterator[ServedHouse]:
    """The household that most tests share; each test creates its own people."""
    with run_household(tmp_path_factory.mktemp("house"), LLAMORA_MODEL_URL=model.url) as shared_house:
        yield shared_house


@pytest.fixture
def own_house(tmp_path: Path) -> Iterator[ServedHouse]:
    """A household for one test, which may kill it or fill its disk; without a model."""
    with run_household(tmp_path) as own:
        yield own


@pytest.fixture
def browser_errors() -> Iterator[BrowserErrors]:
    heard = BrowserErrors()
    yield heard
    assert heard.unexpected == []


@pytest.fixture
def new_context(chromium: Browser, browser_errors: BrowserErrors) -> Iterator[NewContext]:
    """Return a factory of browser contexts without cookies and cache, with errors recorded."""
    made: list[BrowserContext] = []

    def make(
        member: Visitor | None = None, house: ServedHouse | None = None, **options: Any
    ) -> BrowserContext:
        context = chromium.new_context(**DEFAULTS | options)
        context.set_default_timeout(PATIENCE)
        browser_errors.listen(context)
        if member and house:
            set_session_cookie(context, house, member)
        made.append(context)
        return context

    yield make
    for context in made:
        context.close()


@pytest.fixture
def new_diary(new_context: NewContext, house: ServedHouse) -> NewDiary:
    """Return a factory of tabs of a signed-in person, by default a new person in the shared household."""

    def make(
        *,
        member: Visitor | None = None,
        of: ServedHouse | None = None,
        beside: DiaryTab | None = None,
        path: str = "/",
        **options: Any,
    ) -> DiaryTab:
        if beside:
            return DiaryTab(beside.page.context.new_page(), beside.house, beside.member, beside.path).open()
        where = of or house
        who = member or where.new_member()
        return DiaryTab(new_context(who, where, **options).new_page(), where, who, path).open()

    return make


@pytest.fixture(scope="session")
def experienced_member(house: ServedHouse) -> Visitor:
    """A person whose diary is shared by many tests, each on its own day."""
    return house.new_member()


DAYS = itertools.count()


@pytest.fixture
def diary(new_diary: NewDiary, experienced_member: Visitor) -> DiaryTab:
    """An empty day of a person with earlier entries. A test that locks or signs out needs a new person."""
    day = date(2019, 1, 1) + timedelta(days=next(DAYS))
    return new_diary(member=experienced_member, path=f"/d/{day}/")


@pytest.fixture
def page(new_context: NewContext) -> Page:
    """A tab without a signed-in person."""
    return new_context().new_page()
