"""Fixtures: people with passwords, registered by the service, and a derivation queue that counts its work."""

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.keys import key_slots
from llamora.crypto import Cost, DerivationQueue
from tests.people import Resident, register_resident


class CountingQueue(DerivationQueue):
    """A derivation queue that counts its derivations."""

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
def administrator(db: None) -> Resident:
    """The administrator of the household."""
    return register_resident("Karin", administrator=True)


@pytest.fixture
def owner(administrator: Resident) -> Resident:
    """The person whose diary a test is about; signed in."""
    return register_resident("Olive Ähre", signed_in=True)


@pytest.fixture
def housemate(administrator: Resident) -> Resident:
    """Another person of the household; signed in."""
    return register_resident("Humphrey", signed_in=True)
