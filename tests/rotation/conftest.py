"""Fixtures: people with passwords and entries in committed transactions."""

import pytest

from tests.people import Resident, register_resident


@pytest.fixture
def owner(transactional_db: None) -> Resident:
    """The person whose key is rotated."""
    return register_resident("Olive", entries=12)


@pytest.fixture
def housemate(transactional_db: None) -> Resident:
    """Another person of the household, whom the rotation does not affect."""
    return register_resident("Humphrey", entries=5)
