"""The cast."""

import pytest

from tests.fields.cast import Resident, resident


@pytest.fixture
def owner(db: None) -> Resident:
    return resident("Olive")


@pytest.fixture
def housemate(db: None) -> Resident:
    return resident("Humphrey")
