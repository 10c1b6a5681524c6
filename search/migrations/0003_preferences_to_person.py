"""Copies the preferences of search to the person.

The table is dropped: rows that no model knows would keep their person from being deleted, and an older
program needs these migrations taken back anyway. Backwards, the table is made and filled again.
"""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def copy_to_person(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    del editor
    people = apps.get_model("accounts", "Person").objects
    for row in apps.get_model("search", "SearchPreference").objects.all():
        people.filter(id=row.owner_id).update(
            saves_recent_searches=row.keeps_recent, reads_related_entries=row.recalls_for_answers
        )


def copy_from_person(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Make a row for whoever has chosen something; without one, the defaults apply."""
    del editor
    people = apps.get_model("accounts", "Person").objects
    rows = apps.get_model("search", "SearchPreference").objects
    for person in people.exclude(saves_recent_searches=True, reads_related_entries=True):
        rows.create(
            owner_id=person.id,
            keeps_recent=person.saves_recent_searches,
            recalls_for_answers=person.reads_related_entries,
        )


class Migration(migrations.Migration):
    dependencies = [
        ("search", "0002_recalls_for_answers"),
        ("accounts", "0009_preferences_of_every_app"),
    ]

    operations = [
        migrations.RunPython(copy_to_person, copy_from_person),
        migrations.DeleteModel("SearchPreference"),
    ]
