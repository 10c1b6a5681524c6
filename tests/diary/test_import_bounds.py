"""Tests of hostile files for imports: the work and the memory that they take are bounded."""

import io
import json
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from diary import messages
from diary.transfer import line_imports
from diary.transfer.export_reader import open_export_json, read_entries, scan_export
from diary.transfer.json_reader import BrokenJson, NotAnExport, read_values
from diary.transfer.line_imports import preview_lines
from diary.transfer.line_reader import read_lines
from tests.hostile import count_calls
from tests.people import Resident

HEAD = '{"format":"llamora.diary","version":1,"entries":['
NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
LENGTH = 100_000
# A value of two characters is a row with a number and a reason: some thirty calls.
CALLS_PER_CHARACTER = 25


def repeat(piece: str, *, length: int = LENGTH) -> str:
    return piece * (length // len(piece))


EXPORTS = {
    "spaces": HEAD + " " * LENGTH,
    "spaces between": HEAD + repeat(" " * 1000 + "1,") + "1]}",
    "spaces before": " " * LENGTH + HEAD + "]}",
    "numbers": HEAD + repeat("1,") + "1]}",
    "empty entries": HEAD + repeat("{},") + "1]}",
    "entries with nothing valid": HEAD + repeat('{"day":1,"text":2,"id":3},') + "1]}",
    "keys": HEAD + "]," + repeat('"a":1,') + '"b":1}',
    "kinds": HEAD + '],"others":{' + repeat('"a":[],') + '"b":[]}}',
    "distinct kinds": HEAD + '],"others":{' + ",".join(f'"k{n:x}":[1]' for n in range(15_000)) + "}}",
    "open lists": HEAD + "[" * LENGTH,
    "open objects": HEAD + repeat('{"a":'),
    "deep lists": HEAD + repeat("[" * 900 + "]" * 900 + ",") + "1]}",
    "one number": HEAD + "1" * LENGTH + "]}",
    "long numbers": HEAD + repeat("1" * 4000 + ",") + "1]}",
    "huge exponents": HEAD + repeat("1e999999999,") + "1]}",
    "one float": HEAD + "1." + "1" * LENGTH + "]}",
    "one line": HEAD + '{"day":"2026-11-01","text":"' + "x" * LENGTH + '"}]}',
    "a string without an end": HEAD + '"' + "x" * LENGTH,
    "escapes": HEAD + '"' + repeat("\\u00e9") + '"]}',
    "headings": HEAD + json.dumps({"day": "2026-11-01", "text": repeat("# a\n")[: LENGTH // 2]}) + "]}",
    "the same key": HEAD + "{" + repeat('"text":1,') + '"text":2}]}',
    "many keys": HEAD + "{" + ",".join(f'"k{n}":{n}' for n in range(15_000)) + "}]}",
}
LINES = {
    "spaces": " " * LENGTH,
    "empty lines": "\n" * LENGTH,
    "empty objects": repeat("{}\n"),
    "one line": json.dumps({"date": "2026-11-01", "text": "x" * LENGTH}),
    "one number": "1" * LENGTH,
    "deep lists": repeat("[" * 9000 + "\n"),
    "huge exponents": repeat('{"date":1e999999999}\n'),
    "long numbers": repeat('{"date":' + "1" * 4000 + "}\n"),
    "headings": json.dumps({"date": "2026-11-01", "text": repeat("# a\n")[: LENGTH // 2]}),
    "the same line": repeat('{"date": "2020-01-01", "text": "a"}\n'),
}


def read_whole(file: Callable[[], io.StringIO]) -> None:
    with suppress(BrokenJson, NotAnExport):
        scan_export(read_values(file()), wanted=())
        for _ in read_entries(read_values(file()), now=NOW, limit=100_000):
            pass


@pytest.mark.parametrize("name", EXPORTS)
def test_no_export_takes_more_work_than_its_length_allows(name: str) -> None:
    text = EXPORTS[name]

    calls = count_calls(lambda: read_whole(lambda: io.StringIO(text)))

    assert calls < CALLS_PER_CHARACTER * len(text)


@pytest.mark.parametrize("name", ["spaces", "spaces between", "spaces before"])
def test_white_space_is_skipped_at_once(name: str) -> None:
    text = EXPORTS[name]

    assert count_calls(lambda: read_whole(lambda: io.StringIO(text))) < len(text) / 10


@pytest.mark.parametrize("name", LINES)
def test_no_lines_take_more_work_than_their_length_allows(name: str) -> None:
    raw = LINES[name].encode()

    calls = count_calls(
        lambda: preview_lines(read_lines(io.BytesIO(raw), until=date(2026, 11, 20), limit=100_000))
    )

    assert calls < CALLS_PER_CHARACTER * len(raw)


def write_zip(path: Path, *, filling: bytes, megabytes: int) -> Path:
    """Write a zip whose JSON has so much filling between two entries."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("diary.json", "w") as file:
        file.write(HEAD.encode() + b"{},")
        for _ in range(megabytes):
            file.write(filling * (1_000_000 // len(filling)))
        file.write(b"{}]}")
    return path


@pytest.mark.parametrize("filling", [b" ", b"{},", b"[],", b"1,"])
def test_a_zip_that_expands_a_thousandfold_is_refused_before_it_is_read(
    tmp_path: Path, filling: bytes
) -> None:
    path = write_zip(tmp_path / "one.zip", filling=filling, megabytes=60)
    assert path.stat().st_size < 250_000

    with pytest.raises(NotAnExport, match="far larger than a diary"), open_export_json(path):
        pass


def test_a_small_zip_may_be_packed_to_anything(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "one.zip", filling=b" ", megabytes=10)

    with open_export_json(path) as (file, _):
        assert scan_export(read_values(file), wanted=()).entries == 2


def test_no_more_is_read_than_a_zip_says_it_holds(tmp_path: Path) -> None:
    """A zip whose table of contents says less than what the packed bytes expand to."""
    path = write_zip(tmp_path / "one.zip", filling=b" ", megabytes=60)
    raw = bytearray(path.read_bytes())
    entry = raw.index(b"PK\x01\x02")
    raw[entry + 24 : entry + 28] = (1_000_000).to_bytes(4, "little")
    path.write_bytes(raw)

    with open_export_json(path) as (file, _):
        read = 0
        with suppress(zipfile.BadZipFile):
            while chunk := file.read(100_000):
                read += len(chunk)

    assert read <= 1_000_000


@pytest.mark.parametrize(
    "names", [[f"{number}/x" for number in range(65_600)], ["diary.json"] * 500, ["a/" * 200 + "diary.json"]]
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_zip_of_many_or_equal_names_is_refused(tmp_path: Path, names: list[str]) -> None:
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
        for name in names:
            archive.writestr(name, "{}")

    with pytest.raises(NotAnExport), open_export_json(tmp_path / "one.zip"):
        pass


def test_kinds_beyond_a_hundred_are_counted_together() -> None:
    found = scan_export(read_values(io.StringIO(EXPORTS["distinct kinds"])), wanted=())

    assert len(found.skipped) <= 101
    assert found.skipped.total() == 15_000


def test_bad_lines_are_all_counted_and_the_first_are_listed(
    owner: Resident, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_imports, "MAX_LISTED", 3)
    file = tmp_path / "lines.jsonl"
    file.write_text("{}\n" * 10 + '{"date": "2020-01-01", "text": "a"}\n')
    out, err = StringIO(), StringIO()

    call_command("import_diary", file, user=owner.person.name, dry_run=True, stdout=out, stderr=err)

    assert err.getvalue().count("Line ") == 3
    assert messages.IMPORT_MORE_REJECTED.format(count=7) in err.getvalue()
    assert "10 lines" in out.getvalue()


def test_a_refused_zip_is_explained_in_a_sentence(owner: Resident, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "one.zip", filling=b" ", megabytes=60)

    with pytest.raises(CommandError, match="Nothing was imported"):
        call_command("import_diary", path, user=owner.person.name)
