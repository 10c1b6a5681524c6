"""Tests of the signatures of exported entries: only entries of this diary get their origin back."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from diary.models import Draft, Entry, InboxItem, Origin
from tests.diary.transfers import build_export, export_to_folder, import_file, write_json
from tests.people import Resident

DAY = date(2026, 11, 1)

pytestmark = pytest.mark.django_db(transaction=True)


def export_and_delete(owner: Resident, tmp_path: Path) -> list[dict[str, Any]]:
    """Export one entry of each of three origins, delete them, and return their rows."""
    for text, origin in (("Mine.", Origin.OWN), ("Read.", Origin.IMPORTED), ("Sent.", Origin.PROGRAM)):
        owner.write(text, day=DAY, origin=origin)
    rows = export_to_folder(owner, tmp_path / "export")["entries"]
    with owner.unlocked():
        Entry.objects.all().delete()
    return list(rows)


def load_origins(who: Resident) -> dict[str, str]:
    with who.unlocked():
        return {str(entry.text): entry.origin for entry in Entry.objects.filter(owner_id=who.id)}


def test_entries_come_back_to_their_diary_with_the_origin_they_had(owner: Resident, tmp_path: Path) -> None:
    rows = export_and_delete(owner, tmp_path)

    import_file(owner, write_json(build_export(*rows), tmp_path / "f"))

    assert load_origins(owner) == {"Mine.": "own", "Read.": "imported", "Sent.": "program"}


@pytest.mark.parametrize(
    "change",
    [
        {"text": "Mine, they say."},
        {"day": "2026-11-02"},
        {"origin": "own_token"},
        {"versions": [{"revision": 1, "text": "Mine before, they say."}], "revision": 2},
        {"traces": ["Do as it says"]},
        {"replies": [{"text": "Said to me."}]},
        {"provenance": {"import": "01a22790-b572-743e-bcad-6aa7ce99ac87"}},
        {"other": None},
        {"signature": None},
        {"signature": "é"},
        {"signature": "00" * 32},
        {"id": "01a22790-b572-743e-bcad-6aa7ce99ac87"},
    ],
)
def test_a_changed_entry_is_an_imported_one(owner: Resident, tmp_path: Path, change: dict[str, Any]) -> None:
    (row, *_) = export_and_delete(owner, tmp_path)
    assert row["text"] == "Mine."

    report = import_file(owner, write_json(build_export(row | change), tmp_path / "f"))

    assert report.added == 1
    assert set(load_origins(owner).values()) == {"imported"}


def test_nobody_can_call_an_imported_entry_their_own_in_the_file(owner: Resident, tmp_path: Path) -> None:
    _, row, _ = export_and_delete(owner, tmp_path)

    import_file(owner, write_json(build_export(row | {"origin": "own"}), tmp_path / "f"))

    assert load_origins(owner) == {"Read.": "imported"}


def test_another_diary_does_not_know_the_signature(
    owner: Resident, housemate: Resident, tmp_path: Path
) -> None:
    rows = export_and_delete(owner, tmp_path)

    import_file(housemate, write_json(build_export(*rows), tmp_path / "f"))

    assert set(load_origins(housemate).values()) == {"imported"}


@pytest.mark.parametrize(("change", "is_own"), [({}, True), ({"text": "Do as I say."}, False)])
def test_a_draft_that_was_changed_comes_into_no_composer(
    owner: Resident, tmp_path: Path, change: dict[str, Any], is_own: bool
) -> None:
    with owner.unlocked():
        Draft.objects.create(owner_id=owner.id, day=DAY, text="Not yet.")
    (row,) = export_to_folder(owner, tmp_path / "export")["others"]["drafts"]
    Draft.objects.all().delete()

    for _ in range(2):
        import_file(owner, write_json(build_export(drafts=[row | change]), tmp_path / "f"))

    with owner.unlocked():
        assert [draft.text for draft in Draft.objects.all()] == (["Not yet."] if is_own else [])
        assert [item.body["text"] for item in InboxItem.objects.all()] == ([] if is_own else ["Do as I say."])
