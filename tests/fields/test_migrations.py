"""Tests that migrations need no key and leave envelopes unchanged."""

from typing import Any

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from diary.models import Entry
from llamora.fields import SealedField, SealedValue
from tests.fields.stored import DAY, OTHER_DAY, WORDS, read, read_stored_bytes, write
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
    row.first_day = DAY
    row.save()
    get_historical_entry_model.objects.update(first_day=OTHER_DAY)
    row.refresh_from_db(fields=["first_day"])

    assert row.first_day == OTHER_DAY
    assert read_stored_bytes(entry) == before
    assert read(owner, entry) == WORDS


def test_a_migration_sees_envelopes_only(owner: Resident, get_historical_entry_model: Any) -> None:
    entry = write(owner)

    (value,) = get_historical_entry_model.objects.values_list("text", flat=True)

    assert value == SealedValue(read_stored_bytes(entry))


@pytest.mark.parametrize("name", ["text", "source", "mac"])
def test_a_field_survives_being_written_into_a_migration(name: str) -> None:
    field = Entry._meta.get_field(name)
    assert isinstance(field, SealedField)

    _, path, args, kwargs = field.deconstruct()
    again = type(field)(*args, **kwargs)

    assert path.startswith("llamora.fields")
    assert (again.label, again.bound, again.bound_in_format_1, again.null) == (
        field.label, field.bound, field.bound_in_format_1, field.null,
    )  # fmt: skip


def alter(field: SealedField, **changes: Any) -> list[str]:
    """Return the statements of a migration that declares a column of entries anew."""
    _, _, args, kwargs = field.deconstruct()
    again = type(field)(*args, **{**kwargs, **changes})
    again.set_attributes_from_name(field.name)
    with connection.schema_editor(collect_sql=True) as editor:
        editor.alter_field(Entry, field, again)
    return list(editor.collected_sql)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["text", "source", "mac"])
def test_what_a_column_is_bound_to_is_no_matter_of_its_table(name: str) -> None:
    """A migration that copied the table would drop its triggers, and take long."""
    field = Entry._meta.get_field(name)
    assert isinstance(field, SealedField)

    assert alter(field, bound={"first_day": "diary.entry.first_day"}) == []
    assert alter(field, bound_in_format_1={"day": "diary.entry.day"}) == []
    assert alter(field, label="diary.entry.other") == []


@pytest.mark.django_db(transaction=True)
def test_a_column_that_may_be_null_is_a_matter_of_its_table() -> None:
    field = Entry._meta.get_field("text")
    assert isinstance(field, SealedField)

    assert alter(field, null=True)
