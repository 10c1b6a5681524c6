"""Real commits, derivations at next to no cost, and the people these tests are about."""

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.throttling.throttle import throttle
from llamora.crypto import Cost, kdf
from tests.keys.house import Diarist, diarist


@pytest.fixture(autouse=True)
def _cheap_derivations(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(kdf, "FLOOR", Cost(8, 1, 1))
    settings.ARGON2_MEMORY_KIB, settings.ARGON2_TIME, settings.ARGON2_LANES = 8, 1, 1


@pytest.fixture(autouse=True)
def _nobody_has_failed_yet() -> Iterator[None]:
    throttle.clear()
    yield
    throttle.clear()


@pytest.fixture
def owner(transactional_db: None) -> Diarist:
    """Whose key is turned."""
    return diarist("Olive", entries=12)


@pytest.fixture
def housemate(transactional_db: None) -> Diarist:
    """Somebody else with a diary here, whom none of it concerns."""
    return diarist("Humphrey", entries=5)
