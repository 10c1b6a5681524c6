"""Fixture: settings of a household with its run secret in memory, so that a restart signs nobody out."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def household_settings() -> Iterator[dict[str, str]]:
    """The environment of a household with open registration."""
    memory = Path("/dev/shm")
    run = tempfile.mkdtemp(prefix="llamora-test-", dir=memory if memory.is_dir() else None)
    yield {"LLAMORA_REGISTRATION": "open", "LLAMORA_RUNTIME_DIR": run}
    shutil.rmtree(run)
