"""Tests that migrations need no key and leave envelopes unchanged."""

from typing import Any

import pytest
from django.db.migrations.loader import MigrationLoader

from llamora.fields import SealedValue
from tests.fields.stored import read_stored_bytes, write
from tests.people import Resident


@pytest.fixture
def get_historical_entry_model() -> Any:
    """Return the historical model of entries, as migrations use it."""
    return MigrationLoader(None).project_state().apps.get_model("diary", "Entry")


def test_a_migration_changes_other_columns_of_a_sealed_row(
    owner: Resident, get_historical_entry_model: Any
) -> None:
    entry = write(owner)
    before = read_stored_bytes(entry)

    row = get_historical_entry_model.objects.get(id=entry.id)
    row.revision = 5
    row.save()
    get_historical_entry_model.objects.update(revision=6)
    row.refresh_from_db(fields=["revision"])

    assert row.revision == 6
    assert read_stored_bytes(entry) == before


def test_a_migration_sees_envelopes_only(owner: Resident, get_historical_entry_model: Any) -> None:
    entry = write(owner)

    (value,) = get_historical_entry_model.objects.values_list("text", flat=True)

    assert value == SealedValue(read_stored_bytes(entry))


def test_a_field_survives_being_written_into_a_migration() -> None:
    from diary.models import Entry

    for name in ("text", "source"):
        field = Entry._meta.get_field(name)
        _, path, args, kwargs = field.deconstruct()
        again = type(field)(*args, **kwargs)
        assert path.startswith("llamora.fields")
        assert (again.label, again.bound, again.null) == (field.label, field.bound, field.null)
