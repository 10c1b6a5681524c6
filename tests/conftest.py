"""What every test shares: people, a scripted model, derivations at the least cost, and no silent skips.

Models can be imported once Django is set up, so the fixtures import what they make.
"""

import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from tests import made_ready, retries

if TYPE_CHECKING:
    from django.test import Client

    from tests.diary.tabs import Live
    from tests.fakes.model_server import FakeModelServer
    from tests.people import Resident

# A container's image often says this. A run starts some two hundred Pythons; each would compile what it
# imports, pytest and our own code, anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

Report = Any
ROOT = Path(__file__).resolve().parent.parent
ASKED_FOR_BROWSER = any("tests/browser" in argument for argument in sys.argv[1:])
IN_BROWSER_RUN = "LLAMORA_TEST_BROWSER_RUN" in os.environ or ASKED_FOR_BROWSER

# Playwright's sync API and Django's ORM clash in one process: `tests/test_browser_suite.py` runs
# that folder in a process of its own.
collect_ignore = [] if IN_BROWSER_RUN else ["browser"]


# What takes long although it holds few tests, the longest first: begun at the end, it is waited for while
# the other processes are done. The one after the first three waits for the browser suite to be over, since
# a process is always given its next file beforehand: a short one.
FIRST = (
    "tests/test_browser_suite.py",
    "tests/losses/test_disk.py",
    "tests/diary/test_replies_served.py",
    "tests/test_no_skips.py",
    "tests/ops/test_up.py",
    "tests/losses/test_kill.py",
    "tests/ops/test_backup_served.py",
    "tests/losses/test_two_processes.py",
    "tests/search/test_questions.py",
    "tests/test_architecture.py",
    "tests/losses/test_ends.py",
    "tests/ops/test_model_at_start.py",
    "tests/ops/test_shutdown.py",
    "tests/accounts/test_export_served.py",
    "tests/browser/test_llamacpp.py",
    "tests/browser/test_model_away.py",
    "tests/browser/test_rotation.py",
    "tests/browser/test_two_people.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what lasts, then file by file, those of many tests before those of few."""
    retries.allow_where_others_are_waited_for(items)
    retries.refuse_unexplained(items)
    for item in items:
        # The browser suite is a whole run of its own, and slow tests last as long as they last.
        if item.get_closest_marker("slow") or item.path.name == "test_browser_suite.py":
            item.add_marker(pytest.mark.timeout(0))
    number_of = Counter(item.path for item in items)
    place_of = {ROOT / name: place for place, name in enumerate(FIRST)}
    items.sort(key=lambda item: (place_of.get(item.path, len(FIRST)), -number_of[item.path], str(item.path)))


def pytest_configure(config: pytest.Config) -> None:
    """Have servers start in a folder that is made ready once for all the processes of this run."""
    retries.refuse_option(config)
    config.pluginmanager.register(retries.RetryReporter())
    # The default run tries the same examples each time, and has no time limit on a busy machine: what it says
    # is about the change at hand. The slow run looks for new ones.
    settings.register_profile("default run", derandomize=True, deadline=None)
    settings.register_profile("slow run", deadline=None)
    settings.load_profile("slow run" if config.option.markexpr == "slow" else "default run")
    # Under nohup it is ignored, by the servers that are started from here as well.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if folder := made_ready.offer():
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    """Have the tables emptied cheaply, once there are any."""
    from tests import emptying

    emptying.take_over()


@pytest.fixture(autouse=True)
def cheap_derivations(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Derive keys at next to no cost in this process; `tests/crypto/test_kdf.py` tests what is shipped."""
    from llamora.crypto import Cost, kdf

    monkeypatch.setattr(kdf, "FLOOR", Cost(memory_kib=8, time=1, lanes=1))
    settings.ARGON2_MEMORY_KIB, settings.ARGON2_TIME, settings.ARGON2_LANES = 8, 1, 1


@pytest.fixture(autouse=True)
def nobody_has_failed_yet() -> Generator[None]:
    """Have the throttle remember nothing of the test before."""
    from accounts.throttling.throttle import throttle

    throttle.clear()
    yield
    throttle.clear()


@pytest.fixture
def owner(db: None) -> "Resident":
    """Whose diary a test is about, unlocked in a browser."""
    from tests.people import new_resident

    return new_resident("Olive")


@pytest.fixture
def housemate(db: None) -> "Resident":
    """Somebody else with a diary here, unlocked in a browser."""
    from tests.people import new_resident

    return new_resident("Humphrey")


@pytest.fixture
def stranger(db: None) -> "Client":
    """A browser nobody has signed in with."""
    from django.test import Client

    return Client()


@pytest.fixture
def model() -> Generator["FakeModelServer"]:
    """A model server that does what a test tells it."""
    from tests.fakes.model_server import FakeModelServer

    with FakeModelServer() as server:
        yield server


@pytest.fixture
def live(transactional_db: None, model: "FakeModelServer") -> Generator["Live"]:
    """The serving loop, with that model."""
    from tests.diary.tabs import serving

    with serving(model.url) as live:
        yield live


def shared_folder() -> Path:
    """Where the corpus and the example model are."""
    return Path(os.environ.get("LLAMORA_TEST_SHARED", ROOT.parent / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The shared folder; a test that needs it is skipped where it is absent, and `.ci/run` forbids that."""
    folder = shared_folder()
    if not folder.is_dir():
        pytest.skip(f"the shared folder is not at {folder}; set LLAMORA_TEST_SHARED")
    return folder


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Report, Report]:
    """Turn a skip into a failure where skips are forbidden: an absent thing is not a passing test."""
    return _judged((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Report, Report]:
    """The same for a whole file that is skipped while it is read."""
    return _judged((yield))


def _judged(report: Report) -> Report:
    forbidden = "LLAMORA_TEST_NO_SKIP" in os.environ
    if forbidden and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which LLAMORA_TEST_NO_SKIP forbids: {report.longrepr}"
    return report
