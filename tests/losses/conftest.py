"""A household whose run secret is in memory, as on a real machine: a restart signs nobody out."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def settings_of_house() -> Iterator[dict[str, str]]:
    """The environment of a household that anybody may join."""
    memory = Path("/dev/shm")
    run = tempfile.mkdtemp(prefix="llamora-test-", dir=memory if memory.is_dir() else None)
    yield {"LLAMORA_REGISTRATION": "open", "LLAMORA_RUNTIME_DIR": run}
    shutil.rmtree(run)
