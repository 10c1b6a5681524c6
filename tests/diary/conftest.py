"""The cast: the owner of a diary, a housemate with another, and a browser nobody signed in with."""

from collections.abc import Iterator

import pytest
from django.test import Client

from tests.diary.cast import Member, member
from tests.diary.tabs import Live, serving
from tests.fakes.model_server import FakeModelServer


@pytest.fixture
def owner(db: None) -> Member:
    return member("Olive")


@pytest.fixture
def housemate(db: None) -> Member:
    return member("Humphrey")


@pytest.fixture
def stranger(db: None) -> Client:
    return Client()


@pytest.fixture
def model() -> Iterator[FakeModelServer]:
    """A model server that does what a test tells it."""
    with FakeModelServer() as server:
        yield server


@pytest.fixture
def live(transactional_db: None, model: FakeModelServer) -> Iterator[Live]:
    """The serving loop, with that model."""
    with serving(model.url) as live:
        yield live
