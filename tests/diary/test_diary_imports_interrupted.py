"""Tests of an import that is interrupted by a lock or a kill: no entry is half imported."""

from datetime import date
from pathlib import Path

import pytest
from django.db import connection

from diary.models import Entry, Opening, Reply
from diary.transfer import diary_imports
from llamora.crypto import VaultLocked
from llamora.database import FenceRefused
from tests.diary.transfers import build_entry_row, build_export, import_file, write_json
from tests.people import Resident, new_resident

DAY = date(2026, 11, 1)


def test_under_an_old_key_nothing_comes_in(owner: Resident, tmp_path: Path) -> None:
    file = write_json(build_export(build_entry_row("x")), tmp_path / "f")
    owner.keyring.close()

    with pytest.raises(VaultLocked):
        import_file(owner, file)

    assert not Entry.objects.exists()


def test_a_new_key_meanwhile_ends_it_with_nothing_half_in(transactional_db: None, tmp_path: Path) -> None:
    who = new_resident("Olive")
    file = write_json(
        build_export(build_entry_row("x", replies=[{"text": "y"}], traces=["weir"])), tmp_path / "f"
    )
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_vault SET epoch = 2")

    with pytest.raises(FenceRefused):
        import_file(who, file)

    assert not Entry.objects.exists()
    assert not Reply.objects.exists()


def test_broken_off_it_goes_on_where_it_ended(
    owner: Resident, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diary_imports, "ENTRY_BATCH_SIZE", 2)
    rows = [build_entry_row(str(number), replies=[{"text": "well"}]) for number in range(5)]
    file = write_json(build_export(*rows, openings=[{"day": "2026-11-01", "text": "o"}]), tmp_path / "f")

    def breaks(seen: int) -> None:
        if seen == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_file(owner, file, progress=breaks)
    left = Entry.objects.count()
    report = import_file(owner, file)

    assert (left, report.added, report.known) == (4, 1, 4)
    assert sorted(owner.list_texts(DAY)) == list("01234")
    assert [Reply.objects.count(), Opening.objects.count()] == [5, 1]
