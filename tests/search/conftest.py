"""Fixtures of the search tests: a data folder, an embedder without files, and no open indexes."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.test import Client

if TYPE_CHECKING:
    from tests.people import Resident
    from tests.search.indexing import BagOfWords

# The app is imported by the fixtures, not here: its models need it installed.
collect_ignore_glob = [] if apps.is_installed("search") else ["test_*.py"]
# On Python 3.13 and later there is no graph; `test_vectors.py` has the search without it.
collect_ignore = [] if find_spec("hnswlib") else ["test_graph.py"]


@pytest.fixture(autouse=True)
def data_folder(settings: Any, tmp_path: Path) -> Path:
    """A data folder for the test, in which snapshots are saved."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    settings.DATA_DIR = folder
    return folder


@pytest.fixture(autouse=True)
def forget_embedder() -> Iterator[None]:
    """Remove the embedder of a test when it ends."""
    from search.embedder.holder import embedders

    yield
    embedders.set_embedder(None)


@pytest.fixture
def embedder(settings: Any) -> "BagOfWords":
    """The embedder used by search."""
    from search.embedder.holder import embedders
    from tests.search.indexing import BagOfWords

    bag = BagOfWords()
    settings.SEARCH_MODEL = bag.name
    embedders.set_embedder(bag)
    return bag


# Workers have database connections of their own, so nothing here may stay in an open transaction.
@pytest.fixture
def owner(transactional_db: None, owner: "Resident") -> "Resident":
    return owner


@pytest.fixture
def housemate(transactional_db: None, housemate: "Resident") -> "Resident":
    return housemate


@pytest.fixture
def stranger(transactional_db: None, stranger: Client) -> Client:
    return stranger
