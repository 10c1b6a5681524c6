"""Tests that a lock ends the building of an index."""

from pathlib import Path

from llamora.database import write_transaction
from search.index.registry import indexes
from tests.people import Resident
from tests.search.indexing import wait_until_idle


def test_locking_while_the_index_is_being_built_ends_the_building(owner: Resident, data_folder: Path) -> None:
    # The first request of a process imports every page, which takes longer than the building.
    assert owner.is_unlocked()
    with write_transaction():
        for number in range(600):
            owner.write(f"Line {number} of a long winter.")

    indexes.for_owner(owner.keyring)
    owner.lock()
    wait_until_idle(owner)

    assert indexes.get(owner.keyring.key_id) is None
    assert list(data_folder.rglob("*.sealed")) == []
