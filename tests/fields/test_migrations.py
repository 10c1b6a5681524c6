"""Migrations never need a key: they meet rows as they are, and leave envelopes as they were."""

from typing import Any

import pytest
from django.db.migrations.loader import MigrationLoader

from llamora.fields import SealedValue
from tests.fields.stored import stored, write
from tests.people import Resident


@pytest.fixture
def past_entry() -> Any:
    """The model as migrations know it."""
    return MigrationLoader(None).project_state().apps.get_model("diary", "Entry")


def test_a_migration_changes_other_columns_of_a_sealed_row(owner: Resident, past_entry: Any) -> None:
    entry = write(owner)
    before = stored(entry)

    row = past_entry.objects.get(id=entry.id)
    row.revision = 5
    row.save()
    past_entry.objects.update(revision=6)
    row.refresh_from_db(fields=["revision"])

    assert row.revision == 6
    assert stored(entry) == before


def test_a_migration_sees_envelopes_only(owner: Resident, past_entry: Any) -> None:
    entry = write(owner)

    (value,) = past_entry.objects.values_list("text", flat=True)

    assert value == SealedValue(stored(entry))


def test_a_field_survives_being_written_into_a_migration() -> None:
    from diary.models import Entry

    for name in ("text", "source"):
        field = Entry._meta.get_field(name)
        _, path, args, kwargs = field.deconstruct()
        again = type(field)(*args, **kwargs)
        assert path.startswith("llamora.fields")
        assert (again.label, again.bound, again.null) == (field.label, field.bound, field.null)
