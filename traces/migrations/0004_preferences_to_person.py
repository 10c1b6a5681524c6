"""Copies whether traces are proposed after replies to the person.

The table is dropped: rows that no model knows would keep their person from being deleted, and an older
program needs these migrations taken back anyway. Backwards, the table is made and filled again.
"""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def copy_to_person(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    del editor
    people = apps.get_model("accounts", "Person").objects
    for row in apps.get_model("traces", "TracePreferences").objects.all():
        people.filter(id=row.owner_id).update(proposes_traces=row.makes_proposals)


def copy_from_person(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Make a row for whoever has chosen something; without one, the defaults apply."""
    del editor
    people = apps.get_model("accounts", "Person").objects
    rows = apps.get_model("traces", "TracePreferences").objects
    for person in people.filter(proposes_traces=False):
        rows.create(owner_id=person.id, makes_proposals=person.proposes_traces)


class Migration(migrations.Migration):
    dependencies = [
        ("traces", "0003_plain_model_names"),
        ("accounts", "0009_preferences_of_every_app"),
    ]

    operations = [
        migrations.RunPython(copy_to_person, copy_from_person),
        migrations.DeleteModel("TracePreferences"),
    ]
