"""Fixture: the keyring of the cryptography tests."""

import pytest

from llamora.crypto import Keyring
from tests.crypto.cast import DATA_KEY, OWNER


@pytest.fixture
def keyring() -> Keyring:
    """The owner's keyring, unlocked, at epoch 3."""
    return Keyring(owner=OWNER, epoch=3, keys={3: DATA_KEY})
