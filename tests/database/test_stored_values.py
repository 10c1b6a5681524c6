"""Tests that columns of each type can read any stored value."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamora.database.sqlite import reading
from llamora.database.sqlite.reading import DAMAGED_DAY, DAMAGED_MOMENT, build_reader, to_id

STORED = st.one_of(
    st.binary(max_size=40),
    st.binary(max_size=40).map(reading.decode_text),
    st.text(max_size=40).filter(lambda text: text.isprintable()),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
)
TYPES: dict[str, type] = {
    "DateTimeField": datetime,
    "DateField": date,
    "UUIDField": UUID,
    "CharField": str,
    "TextField": str,
    "BinaryField": bytes,
    "BooleanField": bool,
}


def read(kind: str, stored: object, *, has_value: bool = False) -> Any:
    reader = build_reader(kind, is_column=True, has_value=has_value)
    assert reader is not None
    return reader(stored, None, None)


@pytest.mark.parametrize("kind", TYPES)
@given(stored=STORED)
def test_whatever_is_stored_is_read_as_the_type_of_its_column(kind: str, stored: object) -> None:
    found = read(kind, stored)

    assert isinstance(found, TYPES[kind])
    str(found).encode()
    if isinstance(found, datetime):
        assert found.tzinfo is UTC
        found.astimezone(timezone(timedelta(hours=0)))


@pytest.mark.parametrize("kind", [*TYPES, *reading.RANGES])
def test_nothing_stays_nothing_where_it_may_be_stored(kind: str) -> None:
    assert read(kind, None) is None


@pytest.mark.parametrize("kind", [*TYPES, *reading.RANGES])
def test_nothing_is_read_as_a_value_where_there_must_be_one(kind: str) -> None:
    assert isinstance(read(kind, None, has_value=True), TYPES.get(kind, int))


def test_the_result_of_a_function_may_be_larger_than_a_column() -> None:
    assert build_reader("IntegerField", is_column=False, has_value=False) is None


@pytest.mark.parametrize(
    ("kind", "stored", "found"),
    [
        ("DateTimeField", "2026-03-05 10:20:30.000400", datetime(2026, 3, 5, 10, 20, 30, 400, tzinfo=UTC)),
        ("DateTimeField", "2026-03-05 10:20:30+02:00", datetime(2026, 3, 5, 8, 20, 30, tzinfo=UTC)),
        ("DateTimeField", "0001-01-01 00:00:00+14:00", DAMAGED_MOMENT),
        ("DateTimeField", "no moment", DAMAGED_MOMENT),
        ("DateTimeField", 0, DAMAGED_MOMENT),
        ("DateField", "2026-03-05", date(2026, 3, 5)),
        ("DateField", b"2026-03-05", date(2026, 3, 5)),
        ("DateField", "2026-02-30", DAMAGED_DAY),
        ("CharField", "Grüße 🌙", "Grüße 🌙"),
        ("CharField", reading.decode_text(b"a\xff"), "a\N{REPLACEMENT CHARACTER}"),
        ("CharField", 7, "7"),
        ("BinaryField", reading.decode_text(b"\x02\x00\xff\xfe"), b"\x02\x00\xff\xfe"),
        ("BinaryField", b"\x00\xff", b"\x00\xff"),
        ("BooleanField", 1, True),
        ("BooleanField", "1", False),
        ("BooleanField", 2, False),
    ],
)
def test_a_value_of_the_type_is_read_and_any_other_replaced(kind: str, stored: object, found: object) -> None:
    assert read(kind, stored) == found


@pytest.mark.parametrize(("stored", "found"), [(7, 7), (-1, 0), (2**31, 0), ("7", 0), (1.5, 0), (b"7", 0)])
def test_a_number_is_read_only_within_its_range(stored: object, found: int) -> None:
    assert read("PositiveIntegerField", stored) == found


def test_an_id_is_read_only_as_we_write_it() -> None:
    """In any other spelling the row would be read and not found, so that it could not be saved."""
    made = UUID("0192f3a4-b5c6-7d7e-8f90-123456789abc")

    assert to_id(made.hex) == made
    others: list[object] = [str(made), made.hex.upper(), made.bytes, made.hex.encode(), 7, "id"]
    assert made not in map(to_id, others)
    assert len(set(map(to_id, others))) == len(others)
    assert to_id(7) == to_id(7)
