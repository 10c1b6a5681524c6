"""People with passwords and entries, committed for real."""

import pytest

from tests.people import Resident, register_resident


@pytest.fixture
def owner(transactional_db: None) -> Resident:
    """Whose key is turned."""
    return register_resident("Olive", entries=12)


@pytest.fixture
def housemate(transactional_db: None) -> Resident:
    """Somebody else with a diary here, whom none of it concerns."""
    return register_resident("Humphrey", entries=5)
