"""Fixture: a tiny model file."""

from pathlib import Path

import pytest

from tests.fakes.tiny_model import write_tiny_model


@pytest.fixture(scope="session")
def tiny_model(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A `.gguf` that llama.cpp can serve."""
    return write_tiny_model(shared, tmp_path_factory.mktemp("models"))
