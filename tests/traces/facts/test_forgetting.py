"""Tests of forgetting a fact: no file retains any of it, not even encrypted."""

import random
import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from django.db import connection
from django.utils import timezone

from llamora.database import compaction
from llamora.ops.backup import create
from search.engine import search
from search.index.registry import indexes
from search.index.snapshots import SnapshotFolder
from search.query.parser import parse
from tests.fakes.waiting import PATIENCE
from tests.people import Resident
from tests.search.indexing import BagOfWords, open_index, wait_until_idle
from tests.traces.facts.fact_steps import accept_new, add_fact, propose_fact
from traces.facts import services
from traces.facts.comparison import Strategy
from traces.facts.fact_body import FactText
from traces.facts.models import Fact
from traces.facts.services import FactOrigin

MARKER = "Xylophonia"


@pytest.fixture
def data_folder(settings: Any, tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    settings.DATA_DIR = folder
    return folder


@pytest.fixture
def olive(transactional_db: None, data_folder: Path, settings: Any, owner: Resident) -> Iterator[Resident]:
    from search.embedder.holder import embedders

    bag = BagOfWords()
    settings.SEARCH_MODEL = bag.name
    embedders.set_embedder(bag)
    open_index(owner)
    yield owner
    indexes.close_all()
    embedders.set_embedder(None)


def read_sealed() -> set[bytes]:
    """Return a piece of each envelope and code in the tables of facts."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT body, mac FROM traces_fact UNION SELECT body, mac FROM traces_factchange")
        return {bytes(value)[6:30] for row in cursor for value in row}


def find_files_with(pieces: set[bytes], folder: Path) -> list[str]:
    """Return the names of files in a folder, and of those of the database, that have one of these pieces."""
    database = Path(connection.settings_dict["NAME"])
    log = database.with_name(f"{database.name}-wal")
    files = [database, log, *(path for path in folder.rglob("*") if path.is_file())]
    contents = {path.name: path.read_bytes() for path in files if path.exists()}
    return [name for name, content in contents.items() if any(piece in content for piece in pieces)]


def record_sealed() -> None:
    """Note in memory each sealed value that is written from now on."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE written (value BLOB)")
        for table in ("traces_fact", "traces_factchange"):
            for event in ("INSERT", "UPDATE"):
                cursor.execute(
                    f"CREATE TEMP TRIGGER note_{table}_{event} AFTER {event} ON {table} "
                    "BEGIN INSERT INTO written VALUES (NEW.body), (NEW.mac); END"
                )


def read_gone() -> set[bytes]:
    """Return the values that were written since `record_sealed` and are in no table now."""
    rows = "SELECT body, mac FROM traces_fact UNION ALL SELECT body, mac FROM traces_factchange"
    with connection.cursor() as cursor:
        now = {bytes(value) for row in cursor.execute(rows).fetchall() for value in row}
        return {bytes(value) for (value,) in cursor.execute("SELECT value FROM written")} - now


def count_left(values: set[bytes], paths: Iterable[Path]) -> int:
    """Return how many parts of eight bytes of these values are anywhere in files."""
    parts = {value[at : at + 8] for value in values for at in range(6, len(value) - 7, 8)}
    wanted = np.unique(np.frombuffer(b"".join(parts), dtype="<u8"))
    left = 0
    for content in (path.read_bytes() for path in paths if path.is_file()):
        for start in range(min(8, len(content))):
            windows = np.frombuffer(content, dtype="<u8", offset=start, count=(len(content) - start) // 8)
            left += len(np.intersect1d(windows, wanted))
    return left


def list_database_files() -> list[Path]:
    database = Path(connection.settings_dict["NAME"])
    return [database, *(database.with_name(f"{database.name}-{end}") for end in ("wal", "shm"))]


def forget(who: Resident, fact: Fact) -> None:
    with who.unlocked():
        services.forget_fact(owner_id=who.id, fact_id=fact.id)


def make_accepted(who: Resident) -> Fact:
    return accept_new(who, f"You know {MARKER}", quote={"text": f"I know {MARKER}", "start": 0, "end": 17})


def make_corrected(who: Resident) -> Fact:
    fact = make_accepted(who)
    with who.unlocked():
        return services.correct_fact(owner_id=who.id, fact_id=fact.id, text=FactText.create("You know Eva"))


def make_replaced(who: Resident) -> Fact:
    old = add_fact(who, f"You live in {MARKER}")
    new = propose_fact(who, "You live in Boston")
    with who.unlocked():
        services.resolve_conflict(
            owner_id=who.id, fact_id=new.id, earlier_id=old.id, strategy=Strategy.REPLACE
        )
    return old


@pytest.mark.parametrize("make", [make_accepted, make_corrected, make_replaced, propose_fact])
def test_nothing_of_a_forgotten_fact_is_left_in_a_file(
    olive: Resident, data_folder: Path, tmp_path: Path, make: Callable[..., Fact]
) -> None:
    add_fact(olive, "Anna has a boat")
    fact = make(olive, f"You like {MARKER}") if make is propose_fact else make(olive)
    written = read_sealed()
    open_index(olive).save_snapshots(force=True)
    wait_until_idle(olive)
    snapshots = list_snapshots(data_folder)

    forget(olive, fact)

    # At once, before anything else is written.
    gone = written - read_sealed()
    assert len(gone) >= 4
    assert find_files_with(gone, data_folder) == []
    if make is not propose_fact:  # which was never in an index
        assert not set(snapshots) & set(list_snapshots(data_folder))
    wait_until_idle(olive)
    assert_not_in_snapshots(olive, data_folder)
    assert find_files_with(gone, make_backup(data_folder, tmp_path / "backups")) == []
    with olive.unlocked():
        assert search(open_index(olive), parse(MARKER)).hits == []


# Without the rewriting of the file it fails with either number.
@pytest.mark.parametrize(
    "count", [pytest.param(120, marks=pytest.mark.extended), pytest.param(640, marks=pytest.mark.slow)]
)
def test_of_many_values_nothing_is_left(
    olive: Resident, data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    pick = random.Random(18)
    monkeypatch.setattr(compaction, "PAUSE_SECONDS", 0.5)
    record_sealed()

    def make_text(number: int) -> FactText:
        return FactText.create(f"You know Anna {number} " + "of the old mill " * pick.randint(0, 28))

    facts: list[UUID] = []
    with olive.unlocked():
        for number in range(count):
            text = make_text(number)
            facts.append(services.add_fact(owner_id=olive.id, text=text, where=FactOrigin()).id)
            changed = pick.choice(facts)
            services.correct_fact(owner_id=olive.id, fact_id=changed, text=make_text(1000 + number))
            if number % 3 == 2:
                services.forget_fact(owner_id=olive.id, fact_id=facts.pop(pick.randrange(len(facts) - 1)))
        open_index(olive).save_snapshots(force=True)
        with monkeypatch.context() as patch:
            # All but the last one, so that there is only what one rewriting of the file clears.
            patch.setattr(compaction, "_start", lambda: None)
            while len(facts) > count // 6:
                services.forget_fact(owner_id=olive.id, fact_id=facts.pop(pick.randrange(len(facts))))
        assert compaction.wait_for_compaction(PATIENCE)
        before = make_backup(data_folder, tmp_path / "first")
        services.forget_fact(owner_id=olive.id, fact_id=facts.pop())
    assert compaction.wait_for_compaction(PATIENCE)
    wait_until_idle(olive)

    gone = read_gone()
    assert len(gone) >= 6 * count
    content = make_backup(data_folder, tmp_path / "second")
    for folder in (data_folder, content):
        assert count_left(gone, folder.rglob("*")) == 0
    assert count_left(gone, list_database_files()) == 0
    # In the backup that was made before, only the last fact is left.
    assert 0 < count_left(gone, before.rglob("*")) < 2000


def list_snapshots(folder: Path) -> list[Path]:
    return list((folder / "search").rglob("*.sealed"))


def assert_not_in_snapshots(who: Resident, folder: Path) -> None:
    """Open what is saved of a person's index, and look for the marker and its words in it."""
    (index,) = indexes.list_for_owner(who.id)
    saved = index._snapshots.load_words(who.keyring)
    dumped = saved.dump()
    saved.close()
    assert b"Anna has a boat" in dumped
    assert MARKER.encode() not in dumped
    assert MARKER.lower().encode() not in dumped
    vectors = index._snapshots.load_vectors(index.embedder, who.keyring)  # type: ignore[arg-type]
    assert vectors.list_digests().keys() == index.words.list_digests().keys()  # type: ignore[union-attr]


def make_backup(folder: Path, backups: Path) -> Path:
    """Make a backup, and return a folder with its files."""
    backup = create.create_backup(create.get_household_files(), folder=backups, now=timezone.now())
    content = backups / "content"
    with tarfile.open(backup.path) as archive:
        archive.extractall(content, filter="data")
    return content


def test_snapshots_are_deleted_while_the_index_is_not_open(olive: Resident, data_folder: Path) -> None:
    fact = make_accepted(olive)
    open_index(olive).save_snapshots(force=True)
    wait_until_idle(olive)
    indexes.close_all()
    assert list_snapshots(data_folder)

    forget(olive, fact)

    assert list_snapshots(data_folder) == []


def test_forgetting_deletes_no_snapshot_of_somebody_else(
    olive: Resident, housemate: Resident, data_folder: Path
) -> None:
    folder = SnapshotFolder(data_folder / "search", housemate.id)
    folder.write(kind="words", rule="r", data=b"theirs", keyring=housemate.keyring)

    forget(olive, make_accepted(olive))

    assert folder.read(kind="words", rule="r", keyring=housemate.keyring) == b"theirs"
