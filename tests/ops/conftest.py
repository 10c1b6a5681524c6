"""Derivations in this process at next to no cost, and nobody who has failed before."""

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.throttling.throttle import throttle
from llamora.crypto import Cost, kdf


@pytest.fixture(autouse=True)
def _cheap_derivations(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(kdf, "FLOOR", Cost(8, 1, 1))
    settings.ARGON2_MEMORY_KIB, settings.ARGON2_TIME, settings.ARGON2_LANES = 8, 1, 1


@pytest.fixture(autouse=True)
def _nobody_has_failed_yet() -> Iterator[None]:
    throttle.clear()
    yield
    throttle.clear()
