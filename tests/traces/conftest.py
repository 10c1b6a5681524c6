"""The cast: the owner of a diary, a housemate with another, and a browser nobody signed in with."""

import pytest
from django.test import Client

from tests.diary.cast import Member, member


@pytest.fixture
def owner(db: None) -> Member:
    return member("Olive")


@pytest.fixture
def housemate(db: None) -> Member:
    return member("Humphrey")


@pytest.fixture
def stranger(db: None) -> Client:
    return Client()
