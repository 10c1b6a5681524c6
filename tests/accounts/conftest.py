"""The cast, derivations at next to no cost, and a throttle that remembers nothing of the test before."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.keys import key_slots
from accounts.throttling.throttle import throttle
from llamora.crypto import Cost, DerivationQueue, kdf
from tests.accounts.cast import Member, member


@pytest.fixture(autouse=True)
def _cheap_derivations(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(kdf, "FLOOR", Cost(8, 1, 1))
    settings.ARGON2_MEMORY_KIB, settings.ARGON2_TIME, settings.ARGON2_LANES = 8, 1, 1


@pytest.fixture(autouse=True)
def _nobody_has_failed_yet() -> Iterator[None]:
    throttle.clear()
    yield
    throttle.clear()


class CountingQueue(DerivationQueue):
    """A derivation queue that knows how many it was asked for."""

    def __init__(self) -> None:
        super().__init__(workers=2)
        self.costs: list[Cost] = []

    def derive(self, **asked: Any) -> bytes:
        self.costs.append(asked["cost"])
        return super().derive(**asked)


@pytest.fixture
def derivations(monkeypatch: pytest.MonkeyPatch) -> Iterator[CountingQueue]:
    counting = CountingQueue()
    monkeypatch.setattr(key_slots, "derivation_queue", counting)
    yield counting
    counting.close()


@pytest.fixture
def keeper(db: None) -> Member:
    """Who runs the household."""
    return member("Karin", keeper=True)


@pytest.fixture
def owner(keeper: Member) -> Member:
    """Whose diary a test is about; signed in."""
    return member("Olive Ähre").signs_in()


@pytest.fixture
def housemate(keeper: Member) -> Member:
    """Somebody else with a diary here; signed in."""
    return member("Humphrey").signs_in()


@pytest.fixture
def stranger(db: None) -> Client:
    """A browser nobody has signed in with."""
    return Client()
