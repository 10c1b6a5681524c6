"""Tests of reading an export value by value, also from damaged files."""

import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import models
from hypothesis import given as over
from hypothesis import strategies as st

from diary.generation.prompt_record import PromptRecord
from diary.models import Entry
from diary.transfer import json_reader
from diary.transfer.export_reader import get_json_size, is_export, open_export_json, read_entries, scan_export
from diary.transfer.json_reader import BrokenJson, NotAnExport, read_values
from diary.transfer.line_reader import RejectedLine, RejectionReason
from diary.transfer.row_parser import (
    ENTRY_COLUMNS,
    InvalidValue,
    ParsedEntry,
    get_field_parser,
    parse_entry,
    parse_prompt_record,
)

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
HEAD = {"format": "llamora.diary", "version": 1, "exported_at": "2026-11-20T15:00:00+00:00", "person": {}}
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


class SlowFile(io.StringIO):
    """A file that returns a few characters per read."""

    def read(self, size: int | None = -1) -> str:
        return super().read(3)


def read_text(text: str) -> list[tuple[str, Any]]:
    return list(read_values(SlowFile(text)))


@over(
    entries=st.lists(plain, max_size=4),
    others=st.dictionaries(st.text(min_size=1), st.lists(plain, max_size=3), max_size=3),
    indent=st.none() | st.integers(0, 2),
    is_ascii=st.booleans(),
)
def test_every_value_is_yielded_however_the_file_is_laid_out(
    entries: list[Any], others: dict[str, list[Any]], indent: int | None, is_ascii: bool
) -> None:
    diary = {**HEAD, "entries": entries, "others": others}

    found = read_text(json.dumps(diary, indent=indent, ensure_ascii=is_ascii))

    assert found == [
        *HEAD.items(),
        *(("entries", entry) for entry in entries),
        *((f"others.{kind}", row) for kind, rows in others.items() for row in rows),
    ]


@over(st.data())
def test_a_file_that_breaks_off_gives_what_came_before(data: st.DataObject) -> None:
    text = json.dumps({**HEAD, "entries": [{"n": number} for number in range(5)], "others": {}})
    cut = text[: data.draw(st.integers(0, len(text) - 1))]

    found, broke = [], False
    try:
        found.extend(read_values(SlowFile(cut)))
    except BrokenJson:
        broke = True

    assert broke
    assert found == read_text(text)[: len(found)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "42",
        '{"entries": {}}',
        '{"entries": [1 2]}',
        '{"others": []}',
        "{1: 2}",
        '{"a": 1,',
        "[" * 9000,
    ],
)
def test_what_is_no_such_object_is_broken(text: str) -> None:
    with pytest.raises(BrokenJson):
        read_text(text)


def test_a_value_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_reader, "MAX_VALUE_CHARACTERS", 1000)

    with pytest.raises(BrokenJson):
        list(read_values(io.StringIO('{"format": "' + "x" * 10_000_000)))


@pytest.mark.parametrize("head", [{"format": "somebody.elses"}, {"format": None}, {**HEAD, "version": 2}])
def test_another_format_and_a_later_version_are_refused_whole(head: dict[str, Any]) -> None:
    with pytest.raises(NotAnExport):
        read_text(json.dumps({**head, "entries": []}))


def test_a_file_that_does_not_say_what_it_is_is_refused() -> None:
    with pytest.raises(NotAnExport):
        scan_export(read_values(io.StringIO('{"entries": [{}]}')), wanted=())


def test_an_overview_counts_and_keeps_only_what_somebody_wants() -> None:
    others = {"drafts": [{"text": "x"}, 3], "recaps": [{}, {}]}
    text = json.dumps({**HEAD, "entries": [{}, {}], "others": others})

    found = scan_export(read_values(io.StringIO(text)), wanted={"drafts"})

    assert (found.entries, found.rows, found.is_broken) == (2, {"drafts": [{"text": "x"}]}, False)
    assert found.skipped == {"drafts": 1, "recaps": 2}


# --- Where it lies ---------------------------------------------------------------------------------------


def test_a_folder_a_zip_and_the_file_alone_are_known(tmp_path: Path) -> None:
    text = json.dumps({**HEAD, "entries": [{"text": "日記"}]}, ensure_ascii=False)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "diary.json").write_text(text, encoding="utf-8")
    (tmp_path / "one.json").write_text(text, encoding="utf-8-sig")
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
        archive.writestr("diary/diary.json", text)

    for name in ("folder", "one.json", "one.zip"):
        path = tmp_path / name
        assert is_export(path)
        assert get_json_size(path) >= len(text.encode())
        with open_export_json(path) as (file, _):
            assert ("entries", {"text": "日記"}) in list(read_values(file))


def test_lines_of_a_date_and_a_text_are_not_taken_for_an_export(tmp_path: Path) -> None:
    file = tmp_path / "diary.jsonl"
    for line in ('{"date": "2020-01-01", "text": "{\\"format\\":\\"llamora.diary\\"}"}', "", "nothing", "{"):
        file.write_text(line)

        assert not is_export(file)


def test_bytes_that_are_no_utf8_cost_only_the_text_they_stand_in(tmp_path: Path) -> None:
    rows = [{"id": None, "day": "2026-11-01", "text": text} for text in ("before", "caf-", "after")]
    data = json.dumps({**HEAD, "entries": rows}).encode().replace(b"caf-", b"caf\xe9")
    (tmp_path / "diary.json").write_bytes(data)

    with open_export_json(tmp_path) as (file, _):
        found = list(read_entries(read_values(file), now=NOW, limit=100))

    assert [one.columns["text"] if isinstance(one, ParsedEntry) else one.reason for one in found] == [
        "before",
        RejectionReason.NOT_TEXT,
        "after",
    ]


def test_a_zip_without_one_or_with_two_is_refused(tmp_path: Path) -> None:
    for number, names in enumerate((["notes.txt"], ["a/diary.json", "b/diary.json"], ["a/b/diary.json"])):
        path = tmp_path / f"{number}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, "{}")

        with pytest.raises(NotAnExport), open_export_json(path):
            pass


def test_a_zip_whose_table_of_contents_is_damaged_is_refused_or_read(tmp_path: Path) -> None:
    path = tmp_path / "one.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("diary.json", json.dumps(HEAD))
    whole, refused = path.read_bytes(), 0
    start = whole.index(b"PK\x01\x02")
    places = range(start, len(whole))

    for place in places:
        path.write_bytes(whole[:place] + b"\xff" + whole[place + 1 :])
        try:
            with open_export_json(path) as (file, _):
                scan_export(read_values(file), wanted=())
        except (NotAnExport, OSError):
            # The latter is said in a sentence by whoever opened the file.
            refused += 1

    assert refused > 20


@pytest.mark.parametrize("packed", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_packed_as_no_export_is_is_refused_before_anything_of_it_is_read(
    tmp_path: Path, packed: int
) -> None:
    with zipfile.ZipFile(tmp_path / "one.zip", "w", packed) as archive:
        archive.writestr("diary.json", json.dumps(HEAD))

    with pytest.raises(NotAnExport), open_export_json(tmp_path / "one.zip"):
        pass


def test_a_damaged_zip_gives_what_can_be_read(tmp_path: Path) -> None:
    rows = [{"day": "2026-11-01", "text": f"{number} " + "x" * 200} for number in range(20_000)]
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
        archive.writestr("diary.json", json.dumps({**HEAD, "entries": rows}))
    data = bytearray((tmp_path / "one.zip").read_bytes())
    data[len(data) - 3000] ^= 1
    (tmp_path / "one.zip").write_bytes(data)

    with open_export_json(tmp_path / "one.zip") as (file, _):
        overview = scan_export(read_values(file), wanted=())

    assert overview.is_broken
    assert overview.entries > 10_000


# --- Entries ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([], RejectionReason.NOT_OBJECT),
        ({"text": "x"}, RejectionReason.NO_DATE),
        ({"day": "2026-02-30", "text": "x"}, RejectionReason.BAD_DATE),
        ({"day": 5, "text": "x"}, RejectionReason.BAD_DATE),
        ({"day": "2026-11-22", "text": "x"}, RejectionReason.FUTURE),
        ({"day": "2026-11-20"}, RejectionReason.NO_TEXT),
        ({"day": "2026-11-20", "text": None}, RejectionReason.NO_TEXT),
        ({"day": "2026-11-20", "text": " "}, RejectionReason.EMPTY),
        ({"day": "2026-11-20", "text": "x" * 101}, RejectionReason.LONG_TEXT),
        ({"day": "2026-11-20", "text": "\ud800"}, RejectionReason.NOT_TEXT),
    ],
)
def test_an_entry_needs_a_day_and_a_text(row: Any, reason: RejectionReason) -> None:
    assert parse_entry(7, row, now=NOW, limit=100) == RejectedLine(7, reason)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("id", "not an id"),
        ("id", 7),
        ("created_at", "2026-11-20T15:00:00"),
        ("created_at", "0001-01-01T00:00:00+14:00"),
        ("created_at", 5),
        ("edited_at", "yesterday"),
        ("deleted_at", True),
        ("first_day", "2026-13-01"),
        ("utc_offset", 86_400),
        ("utc_offset", 1.5),
        ("revision", 0),
        ("revision", True),
        ("revision", 2**40),
        ("source", "zz"),
        ("source", "00"),
    ],
)
def test_any_other_column_is_named_where_it_cannot_be_taken(column: str, value: Any) -> None:
    found = parse_entry(7, {"day": "2026-11-20", "text": "x", column: value}, now=NOW, limit=100)

    assert isinstance(found, ParsedEntry)
    assert found.faults == [f"{column} can't be imported"]
    assert (found.id, found.columns["created_at"], found.columns["revision"]) == (None, None, 1)


@over(st.dictionaries(st.sampled_from(["id", "day", "text", "created_at", "revision", "utc_offset"]), plain))
def test_no_row_makes_it_stumble(row: dict[str, Any]) -> None:
    assert parse_entry(1, row, now=NOW, limit=100) is not None


# --- What was read -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "column", ["entries", "left_out", "recaps", "recapped", "recaps_left_out", "traces", "near", "replies"]
)
@pytest.mark.parametrize("value", [[5], [[5, 5]], [[5, "2026-11-20"]], [["a"]], [[None]], [{}], float("inf")])
def test_what_was_read_is_refused_where_it_is_something_else(column: str, value: Any) -> None:
    with pytest.raises(InvalidValue):
        parse_prompt_record({**PromptRecord().to_json(), column: value})


def test_of_what_was_read_nothing_comes_along_that_nobody_knows() -> None:
    deep: Any = []
    for _ in range(900):
        deep = [deep]
    read = {**PromptRecord(replies=2).to_json(), "way": "w", "name": "Like a friend"}

    assert parse_prompt_record({**read, "deep": deep, "is_cut": deep}) == {**read, "is_cut": True}


@pytest.mark.parametrize("name", [5, ["x"], None, "\ud800", "n" * 101])
def test_the_name_of_a_reply_style_is_a_short_text(name: Any) -> None:
    with pytest.raises(InvalidValue):
        parse_prompt_record({**PromptRecord().to_json(), "way": "w", "name": name})


@pytest.mark.parametrize(
    ("column", "good", "bad"),
    [
        (models.BooleanField(), True, 1),
        (models.CharField(max_length=3), "abc", "abcd"),
        (models.CharField(max_length=8, choices=[("calm", "Calm")]), "calm", "wild"),
        (models.TextField(), "words", None),
        (models.PositiveSmallIntegerField(), 4, -1),
        (models.IntegerField(), -4, 4.0),
        (models.UUIDField(), str(UUID(int=7)), "7"),
        (models.DateField(), "2026-11-20", "20.11.2026"),
        (models.DateTimeField(), "2026-11-20T10:00:00+00:00", "2026-11-20T10:00:00"),
    ],
)
def test_a_plain_column_is_parsed_by_its_type(column: "models.Field[Any, Any]", good: Any, bad: Any) -> None:
    parse = get_field_parser(column)

    assert parse(good) is not None
    with pytest.raises(InvalidValue):
        parse(bad)


def test_a_column_of_another_type_needs_a_parser_of_its_own() -> None:
    with pytest.raises(TypeError):
        get_field_parser(models.FloatField())


def test_an_import_takes_every_column_of_an_entry_but_what_is_left_to_the_page() -> None:
    columns = {column.attname for column in Entry._meta.concrete_fields}

    left_out = {"id", "owner_id", "day", "text", "keep_key", "origin", "provenance", "mac"}
    assert columns - ENTRY_COLUMNS.keys() == left_out
