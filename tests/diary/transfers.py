"""Test steps for exports: writing a diary to a folder, reading its JSON, importing it elsewhere."""

import json
import random
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
# What is imported says so.
ELSEWHERE = {"signature", "id", "entry_id", "keep_key", "name_index", "origin", "provenance"}


def export_to_folder(who: Resident, target: Path) -> Any:
    """Export a person's diary to a new folder, and return its JSON."""
    with open_target(target) as out:
        export_diary(
            person=who.person,
            keyring=who.keyring,
            target=out,
            now=timezone.now(),
            progress=lambda _: None,
        )
    return json.loads((target / "diary.json").read_text(encoding="utf-8"))


def write_json(diary: Any, file: Path) -> Path:
    """Write an export's JSON to a file."""
    file.write_text(json.dumps(diary, ensure_ascii=False, indent=1), encoding="utf-8", errors="surrogatepass")
    return file


def import_file(
    who: Resident, path: Path, *, source: str = "", progress: Progress = lambda _: None
) -> DiaryImportReport:
    """Import an export into a person's diary, and return the report."""
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
            source=source,
            progress=progress,
        )


def strip_local_values(row: Any) -> Any:
    """Return a row without values that differ between households."""
    if isinstance(row, list):
        return [strip_local_values(one) for one in row]
    if not isinstance(row, dict):
        return row
    return {key: strip_local_values(value) for key, value in row.items() if key not in ELSEWHERE}


def replace_person(who: Resident) -> Resident:
    """Delete a person, and create a new person with the same name."""
    who.person.delete()
    return new_resident(who.person.name)


def comparable(diary: Any) -> Any:
    """Return an export without values that differ between households."""
    drafts = [{k: v for k, v in draft.items() if k != "revision"} for draft in diary["others"]["drafts"]]
    return strip_local_values([diary["entries"], {**diary["others"], "drafts": drafts}])


def build_entry_row(text: Any, **columns: Any) -> dict[str, Any]:
    """Return the row of an entry in an export."""
    return {
        "id": str(uuid4()),
        "day": "2026-11-01",
        "text": text,
        "created_at": "2026-11-01T07:30:12.345678+00:00",
        **columns,
    }


def build_export(*entries: Any, **others: Any) -> dict[str, Any]:
    """Return the JSON of an export with these rows."""
    return {"format": "llamora.diary", "version": 1, "entries": list(entries), "others": others}


def make_large_texts(count: int = 12) -> list[str]:
    """Return texts that fill what waits for a browser, also in a zip.

    Each is one word of random signs, since the search index takes a second for as many words.
    """
    return [random.Random(number).randbytes(48_000).hex() for number in range(count)]
