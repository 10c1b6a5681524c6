"""One chromium and one household for the whole run; a browser context and a person for each test.

Every test fails on anything the browser complains of (console errors, page errors, violations of the
content policy), unless it says beforehand which complaint belongs to what it does:
`complaints.expect("503")`.
"""

import itertools
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.browser.browsing import Complaints, NewContext, NewDiary
from tests.browser.diary import DiaryTab, come_in
from tests.browser.house import ServedHouse, household
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
def scripts_of_this_test(request: pytest.FixtureRequest) -> None:
    """The household's model is shared; what an earlier test left unsaid is not said in this one."""
    if "model" in request.fixturenames:
        request.getfixturevalue("model").forget_scripts()


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, model: FakeModelServer) -> Iterator[ServedHouse]:
    """The household that most tests share; each brings people of its own."""
    with household(tmp_path_factory.mktemp("house"), LLAMORA_MODEL_URL=model.url) as shared_house:
        yield shared_house


@pytest.fixture
def own_house(tmp_path: Path) -> Iterator[ServedHouse]:
    """A household for one test alone, to be killed or starved; without a model."""
    with household(tmp_path) as own:
        yield own


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    heard = Complaints()
    yield heard
    assert heard.unexpected == []


@pytest.fixture
def new_context(chromium: Browser, complaints: Complaints) -> Iterator[NewContext]:
    """Make a browser of its own: no cookie, no cache, complaints heard."""
    made: list[BrowserContext] = []

    def make(
        member: Visitor | None = None, house: ServedHouse | None = None, **options: Any
    ) -> BrowserContext:
        context = chromium.new_context(**DEFAULTS | options)
        context.set_default_timeout(PATIENCE)
        complaints.listen(context)
        if member and house:
            come_in(context, house, member)
        made.append(context)
        return context

    yield make
    for context in made:
        context.close()


@pytest.fixture
def new_diary(new_context: NewContext, house: ServedHouse) -> NewDiary:
    """A signed-in person's tab: a new person in the shared household unless another is given."""

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
def regular(house: ServedHouse) -> Visitor:
    """Somebody whose diary has room for many tests, a day for each."""
    return house.new_member()


DAYS = itertools.count()


@pytest.fixture
def diary(new_diary: NewDiary, regular: Visitor) -> DiaryTab:
    """An empty day of somebody who has written before. A test that locks or signs out brings a new person."""
    day = date(2019, 1, 1) + timedelta(days=next(DAYS))
    return new_diary(member=regular, path=f"/d/{day}/")


@pytest.fixture
def page(new_context: NewContext) -> Page:
    """A tab that nobody has signed in on."""
    return new_context().new_page()
