"""Building an index ends when its person locks, and leaves nothing behind."""

from pathlib import Path

from llamora.database import writing
from search.indexes import indexes
from tests.search.cast import Member, settled


def test_locking_while_the_index_is_being_built_ends_the_building(owner: Member, data_folder: Path) -> None:
    with writing():
        for number in range(600):
            owner.wrote(f"Line {number} of a long winter.")

    indexes.of(owner.keyring)
    owner.locks()
    settled(owner)

    assert indexes.get(owner.id) is None
    assert list(data_folder.rglob("*.sealed")) == []
