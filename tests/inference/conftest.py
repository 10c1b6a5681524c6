"""Fixture: the file of a real model."""

from pathlib import Path

import pytest


@pytest.fixture
def model_file(request: pytest.FixtureRequest) -> Path:
    """The file to run: the tiny one, or for a test `with_both_models` each."""
    file = request.getfixturevalue(getattr(request, "param", "tiny_model"))
    assert isinstance(file, Path)
    return file
