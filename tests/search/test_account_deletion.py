"""Tests that deleting an account deletes its index and snapshot files."""

import os
from pathlib import Path

from accounts.security import data_inventory
from accounts.security.deletion import delete_person
from llamora.fields.fence import sealed_models
from search.embedder.search_settings import get_search_settings
from search.index.snapshots import SnapshotFolder
from search.models import Vector
from tests.people import Resident


def list_snapshot_files(who: Resident) -> list[Path]:
    """Return the snapshot files of a person."""
    SnapshotFolder(get_search_settings().folder, who.person.id).write(
        kind="words", rule="r", data=os.urandom(100), keyring=who.keyring
    )
    return [path for path in get_search_settings().folder.rglob("*") if path.is_file()]


def test_the_kept_index_of_somebody_who_left_is_gone(owner: Resident, housemate: Resident) -> None:
    theirs = list_snapshot_files(housemate)
    mine = set(list_snapshot_files(owner)) - set(theirs)
    assert mine

    delete_person(owner.person)

    assert not any(path.exists() for path in mine)
    assert all(path.exists() for path in theirs)


def test_everything_sealed_here_has_a_name_people_know() -> None:
    ours = [model for model in sealed_models() if model._meta.app_label == "search"]

    assert Vector in ours
    assert [model for model in ours if not data_inventory.has_label(model)] == []
