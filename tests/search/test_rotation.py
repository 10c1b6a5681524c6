"""Tests of search during a rotation: entries can be found, and no snapshot under the old key remains."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from accounts.rotation import services as rotation_services
from accounts.rotation.epoch_change import begin_rotation
from accounts.sessions import services as sessions_services
from accounts.sessions.cookies import SessionCookie
from llamora.crypto import Keyring
from llamora.ops.pruning import remove_unused_indexes
from search.index import workers
from search.index.person_index import PersonIndex
from search.index.registry import indexes
from search.index.types import Document
from search.query.parser import parse
from tests.people import Resident, register_resident
from tests.search.indexing import BagOfWords

PATIENCE = 30


@pytest.fixture
def olive(transactional_db: None) -> Resident:
    """A person with a password and twelve entries."""
    return register_resident("Olive", entries=12)


def open_index(keyring: Keyring) -> PersonIndex:
    """Return a person's index, once it is complete."""
    index = indexes.for_owner(keyring)
    wait_until_idle(keyring)
    return index


def wait_until_idle(keyring: Keyring) -> None:
    for _ in range(3):
        assert workers.opening_worker.wait_idle(key_id=keyring.key_id, timeout=PATIENCE)
        assert workers.embedding_worker.wait_idle(key_id=keyring.key_id, timeout=PATIENCE)


def count_texts(index: PersonIndex) -> int:
    """Return the number of texts in the word index."""
    assert index.words is not None
    return index.words.count()


def list_snapshot_epochs(folder: Path) -> set[str]:
    """Return the snapshot files by kind and epoch."""
    return {"-".join(path.name.split("-")[:2]) for path in folder.rglob("*.sealed")}


def test_with_a_new_key_everything_is_found_and_the_old_snapshots_are_dead(
    olive: Resident, embedder: BagOfWords, data_folder: Path
) -> None:
    cookie = olive.create_session()
    index = open_index(olive.open_keyring())
    index.save_snapshots(force=True)
    before = {path: path.read_bytes() for path in data_folder.rglob("*.sealed")}
    whole = count_texts(index)
    assert list_snapshot_epochs(data_folder) == {"words-1", "vectors-1"}
    assert whole == len(olive.written)

    turned = begin_rotation(olive.open_slot(), current_cookie=cookie)
    after_the_first_step = count_texts(index)
    wait_until_idle(turned.keyring)
    left_behind = list_snapshot_epochs(data_folder)
    rotation_services.resume_rotation(turned.keyring)
    olive.write_with(turned.keyring, "Written under the new key.")
    same = open_index(olive.open_keyring())

    assert same is index
    assert after_the_first_step == whole
    assert "words-1" not in left_behind
    assert "vectors-1" not in left_behind
    assert count_texts(index) == whole + 1
    assert find_ids(index, "new key") == 1
    embedded = len(embedder.embedded)
    _lock_and_unlock(olive, cookie, before)
    again = open_index(olive.open_keyring())
    assert again is not index
    assert count_texts(again) == whole + 1
    assert len(embedder.embedded) == embedded  # a new envelope alone is no new text
    # Of a key that is gone: nobody may say that they are theirs, so tidying removes them.
    assert remove_unused_indexes(data_folder / "search") == len(before)
    assert not [path for path in before if path.exists()]


def find_ids(index: PersonIndex, typed: str) -> int:
    assert index.words is not None
    return index.words.find(parse(typed), limit=5).total


def _lock_and_unlock(olive: Resident, cookie: SessionCookie, planted: dict[Path, bytes]) -> None:
    """Lock, put the snapshots of the old key back, and unlock."""
    session = olive.person.sign_ins.get()
    sessions_services.lock_session(sign_in_id=session.id, person_id=olive.id)
    assert indexes.get(olive.keyring.key_id) is None
    for path, bytes_ in planted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes_)
    olive.create_session()


def test_unlocked_in_the_middle_of_a_rotation_everything_is_found(olive: Resident) -> None:
    cookie = olive.create_session()
    turned = begin_rotation(olive.open_slot(), current_cookie=cookie)

    index = open_index(olive.open_keyring())

    assert count_texts(index) == len(olive.written)
    rotation_services.resume_rotation(turned.keyring)
    indexes.reconcile_all(index)
    wait_until_idle(turned.keyring)
    assert count_texts(index) == len(olive.written)


def test_what_is_sealed_anew_is_not_indexed_anew(olive: Resident, monkeypatch: pytest.MonkeyPatch) -> None:
    cookie = olive.create_session()
    index = open_index(olive.open_keyring())
    assert index.words is not None
    put: list[int] = []
    real = index.words.upsert

    def counting(documents: Sequence[Document], **rest: Any) -> None:
        put.append(len(documents))
        real(documents, **rest)

    monkeypatch.setattr(index.words, "upsert", counting)
    stamps = index.words.list_stamps()

    turned = begin_rotation(olive.open_slot(), current_cookie=cookie)
    rotation_services.resume_rotation(turned.keyring)
    indexes.reconcile_all(index)
    wait_until_idle(turned.keyring)

    assert put == []
    now = index.words.list_stamps()
    assert now.keys() == stamps.keys()
    assert not set(now.values()) & set(stamps.values())
