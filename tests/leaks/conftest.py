"""Fixtures: one household for all attacks; a test that changes it permanently creates its own people."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.model_server import FakeModelServer
from tests.leaks.household import AttackedHouse, create_household
from tests.server import run_server


@pytest.fixture(scope="session")
def memory_folder() -> Iterator[Path]:
    """A runtime folder in memory, which is not part of the searched disk."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="llamora-test-", dir=memory if memory.is_dir() else None))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, memory_folder: Path) -> Iterator[AttackedHouse]:
    with FakeModelServer(slots=8) as model:
        extra = {
            "DJANGO_SETTINGS_MODULE": "tests.leaks.settings",
            "LLAMORA_REGISTRATION": "open",
            "LLAMORA_RUNTIME_DIR": str(memory_folder),
            "LLAMORA_MODEL_URL": model.url,
            "LLAMORA_LOG_LEVEL": "DEBUG",
        }
        # A real start: its command line, environment and memory are searched as well.
        with run_server(tmp_path_factory.mktemp("house"), extra=extra, is_forked=False) as server:
            yield create_household(server, model)
