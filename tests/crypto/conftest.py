"""Derivations in these tests cost next to nothing; what is shipped is tested in `test_kdf`."""

import pytest

from llamora.crypto import Cost, Keyring, kdf
from tests.crypto.cast import DATA_KEY, OWNER


@pytest.fixture(autouse=True)
def _low_floor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kdf, "FLOOR", Cost(memory_kib=8, time=1, lanes=1))


@pytest.fixture
def keyring() -> Keyring:
    """The owner's keyring, unlocked, at epoch 3."""
    return Keyring(owner=OWNER, epoch=3, keys={3: DATA_KEY})
