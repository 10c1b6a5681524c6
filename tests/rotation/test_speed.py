"""Tests of the speed of a rotation, in small and large diaries."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.rotation.sealed_tables import list_sealed_tables
from llamora.crypto import newest_header
from tests.people import Resident
from tests.rotation.benchmark import measure_rotation, measure_sealing

# Of the time that a rotation takes, to that of opening and sealing alone; two were seen.
MOST = 3
# Text, vector, and the code of the plaintext columns.
ENVELOPES = 3


@pytest.mark.slow
@pytest.mark.usefixtures("transactional_db")
def test_fifty_thousand_entries_with_their_vectors_are_rotated_at_the_promised_rate() -> None:
    before, small, large, after = (
        measure_sealing(),
        measure_rotation(5_000),
        measure_rotation(50_000),
        measure_sealing(),
    )

    print(f"\n{large.rate:,.0f} values a second, {large.rate_of_a_core:,.0f} a second of a core")
    assert large.envelopes == 50_000 * ENVELOPES
    assert large.rate_of_a_core * MOST > min(before, after)
    assert large.rate_of_a_core > small.rate_of_a_core * 0.8
    assert large.first_step < 0.5


@pytest.mark.slow
def test_the_bench_says_how_quickly_a_key_is_rotated() -> None:
    said = StringIO()

    call_command("bench", only=["rotation"], entries=500, stdout=said)

    first, second = said.getvalue().splitlines()
    assert "500 entries and their vectors" in first
    assert "rows/s" in first
    assert "best peer: 8900" in first
    assert "ms" in second


def test_each_batch_is_found_by_number_and_sorts_nothing(owner: Resident) -> None:
    for table in list_sealed_tables():
        statement = table._build_select(newest_header(2))
        values = [0, owner.id.hex, *[newest_header(2)] * len(table.fields), 500]

        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", values)
            plan = [row[-1] for row in cursor.fetchall()]

        assert len(plan) == 1
        assert "USING INTEGER PRIMARY KEY (rowid>?)" in plan[0]
