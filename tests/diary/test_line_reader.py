"""Tests of reading JSON lines: valid lines, rejected lines with a reason, and no text in messages."""

import io
import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.transfer.line_reader import (
    ImportLine,
    RejectedLine,
    RejectionReason,
    UnsupportedEncoding,
    read_lines,
)

UNTIL = date(2026, 11, 20)
GOOD = b'{"date": "2026-11-19", "text": "fine"}'


def read_bytes(data: bytes, *, limit: int = 100) -> list[ImportLine | RejectedLine]:
    return list(read_lines(io.BytesIO(data), until=UNTIL, limit=limit))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", RejectionReason.NOT_JSON),
        (b"[" * 50_000, RejectionReason.NOT_JSON),
        (b'{"date": "2026-11-19", "text": NaNN}', RejectionReason.NOT_JSON),
        (b"9" * 5000, RejectionReason.NOT_JSON),
        (b"\xff\xfe\xfd", RejectionReason.NOT_UTF8),
        ('{"date": "2026-11-19", "text": "café"}'.encode("latin-1"), RejectionReason.NOT_UTF8),
        (b"[1]", RejectionReason.NOT_OBJECT),
        (b"42", RejectionReason.NOT_OBJECT),
        (b'{"date": 20261119, "text": "x"}', RejectionReason.NOT_OBJECT),
        (b'{"date": "2026-11-19", "text": ["x"]}', RejectionReason.NOT_OBJECT),
        (b'{"text": "x"}', RejectionReason.NO_DATE),
        (b'{"date": "2026-11-19"}', RejectionReason.NO_TEXT),
        (b'{"date": "2026-11-19", "text": null}', RejectionReason.NO_TEXT),
        (b'{"date": "2026-02-29", "text": "x"}', RejectionReason.BAD_DATE),
        (b'{"date": "0000-01-01", "text": "x"}', RejectionReason.BAD_DATE),
        (b'{"date": "20261119", "text": "x"}', RejectionReason.BAD_DATE),
        ('{"date": "٢٠٢٦-٠١-٠١", "text": "x"}'.encode(), RejectionReason.BAD_DATE),
        (b'{"date": "2026-11-21", "text": "x"}', RejectionReason.FUTURE),
        (b'{"date": "2026-11-19", "text": " \\n"}', RejectionReason.EMPTY),
        (b'{"date": "2026-11-19", "text": "%s"}' % (b"x" * 101), RejectionReason.LONG_TEXT),
        (b'{"date": "2026-11-19", "text": "a\\u0000b"}', RejectionReason.NOT_TEXT),
        (b'{"date": "2026-11-19", "text": "a\\ud800b"}', RejectionReason.NOT_TEXT),
        (b'{"date": "2026-11-19", "text": "%s"}' % (b"x" * 200_000), RejectionReason.LONG_LINE),
    ],
)
def test_a_bad_line_is_named_and_the_rest_is_read(line: bytes, reason: RejectionReason) -> None:
    found = read_bytes(GOOD + b"\n" + line + b"\n" + GOOD)

    assert found == [
        ImportLine(1, date(2026, 11, 19), "fine"),
        RejectedLine(2, reason),
        ImportLine(3, date(2026, 11, 19), "fine"),
    ]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_marks_line_ends_and_empty_lines_do_not_matter(end: bytes) -> None:
    found = read_bytes(b"\xef\xbb\xbf" + GOOD + end + end + b"  " + end + GOOD + end)

    assert [line.number for line in found] == [1, 4]
    assert all(isinstance(line, ImportLine) for line in found)


class CountingFile(io.BytesIO):
    """A file that records the sizes of its reads."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.asked: list[int] = []

    def readline(self, size: int | None = -1, /) -> bytes:
        self.asked.append(-1 if size is None else size)
        return super().readline(size)


def test_a_huge_line_is_passed_over_without_being_held() -> None:
    file = CountingFile(GOOD + b"\n" + b"x" * 30_000_000 + b"\n" + GOOD)

    found = list(read_lines(file, until=UNTIL, limit=100))

    assert [type(line) for line in found] == [ImportLine, RejectedLine, ImportLine]
    assert min(file.asked) > 0
    assert max(file.asked) <= 1024 * 1024


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_in_utf_16_is_refused_as_a_whole_or_line_by_line(encoding: str) -> None:
    data = GOOD.decode().encode(encoding)

    if encoding == "utf-16":
        with pytest.raises(UnsupportedEncoding):
            read_bytes(data)
    else:
        assert not any(isinstance(line, ImportLine) for line in read_bytes(data))


def test_what_is_reported_never_shows_the_text() -> None:
    (line,) = read_bytes(GOOD)

    assert "fine" not in repr(line)


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\r")))
def test_any_text_comes_through_exactly(text: str) -> None:
    data = json.dumps({"date": "2026-11-19", "text": text}).encode()

    found = read_bytes(data, limit=10_000)

    if text.strip():
        assert found == [ImportLine(1, date(2026, 11, 19), text)]
    else:
        assert found == [RejectedLine(1, RejectionReason.EMPTY)]


@given(st.binary(max_size=400))
def test_no_file_makes_it_stumble(data: bytes) -> None:
    try:
        read_bytes(data)
    except UnsupportedEncoding:
        assert data.startswith((b"\xff\xfe", b"\xfe\xff"))
