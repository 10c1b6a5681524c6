"""One household for every attack; who changes it for good brings people of their own."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.model_server import FakeModelServer
from tests.leaks.household import AttackedHouse, move_in
from tests.server import running


@pytest.fixture(scope="session")
def memory_folder() -> Iterator[Path]:
    """A runtime folder in memory, as on a real machine: not on the disk that is searched."""
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
        with running(tmp_path_factory.mktemp("house"), extra=extra) as server:
            yield move_in(server, model)
