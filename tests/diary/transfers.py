"""A diary carried from one house to another: written out, read, and taken in."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.utils import timezone

from diary.transfer.diary_imports import DiaryImportReport, Progress, import_diary, importable_row_kinds
from diary.transfer.export_reader import open_export_json, read_entries, scan_export
from diary.transfer.export_targets import open_target
from diary.transfer.exports import export_diary
from diary.transfer.json_reader import read_values
from tests.people import Resident, new_resident

# What a diary says of itself that is another each time, or means something to one house alone.
ELSEWHERE = {"id", "entry_id", "keep_key", "name_index"}


def written_out(who: Resident, target: Path) -> Any:
    """Everything of theirs in a new folder, and what its JSON says."""
    with open_target(target) as out:
        export_diary(
            person=who.person,
            keyring=who.keyring,
            target=out,
            now=timezone.now(),
            progress=lambda _: None,
        )
    return json.loads((target / "diary.json").read_text(encoding="utf-8"))


def put_down(diary: Any, file: Path) -> Path:
    """A diary as somebody's program might write it again."""
    file.write_text(json.dumps(diary, ensure_ascii=False, indent=1), encoding="utf-8", errors="surrogatepass")
    return file


def taken_in(who: Resident, path: Path, *, progress: Progress = lambda _: None) -> DiaryImportReport:
    """What an export wrote, imported into somebody's diary."""
    now = timezone.now()
    with open_export_json(path) as (text, _):
        overview = scan_export(read_values(text), wanted=importable_row_kinds())
    with open_export_json(path) as (text, _):
        entries = read_entries(read_values(text), now=now, limit=settings.MAX_TEXT)
        return import_diary(
            person=who.person,
            keyring=who.keyring,
            overview=overview,
            entries=entries,
            now=now,
            progress=progress,
        )


def of_everywhere(row: Any) -> Any:
    """A row, and what belongs to it, without what differs from house to house."""
    if isinstance(row, list):
        return [of_everywhere(one) for one in row]
    if not isinstance(row, dict):
        return row
    return {key: of_everywhere(value) for key, value in row.items() if key not in ELSEWHERE}


def moves_house(who: Resident) -> Resident:
    """The same person in a house that knows nothing of them."""
    who.person.delete()
    return new_resident(who.person.name)


def comparable(diary: Any) -> Any:
    """What a diary says, but for what is another in each house."""
    drafts = [{k: v for k, v in draft.items() if k != "revision"} for draft in diary["others"]["drafts"]]
    return of_everywhere([diary["entries"], {**diary["others"], "drafts": drafts}])


def entry(text: Any, **columns: Any) -> dict[str, Any]:
    """A row of an entry."""
    return {
        "id": str(uuid4()),
        "day": "2026-11-01",
        "text": text,
        "created_at": "2026-11-01T07:30:12.345678+00:00",
        **columns,
    }


def written(*entries: Any, **others: Any) -> dict[str, Any]:
    """What a diary of these rows says."""
    return {"format": "llamora.diary", "version": 1, "entries": list(entries), "others": others}
