"""Copies whether openings are made to the person.

The table is dropped: rows that no model knows would keep their person from being deleted, and an older
program needs these migrations taken back anyway. Backwards, the table is made and filled again.
"""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def copy_to_person(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    del editor
    people = apps.get_model("accounts", "Person").objects
    for row in apps.get_model("diary", "Preferences").objects.all():
        people.filter(id=row.owner_id).update(makes_openings=row.makes_openings)


def copy_from_person(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Make a row for whoever has chosen something; without one, the defaults apply."""
    del editor
    people = apps.get_model("accounts", "Person").objects
    rows = apps.get_model("diary", "Preferences").objects
    for person in people.filter(makes_openings=False):
        rows.create(owner_id=person.id, makes_openings=person.makes_openings)


class Migration(migrations.Migration):
    dependencies = [
        ("diary", "0004_custom_reply_kind"),
        ("accounts", "0009_preferences_of_every_app"),
    ]

    operations = [
        migrations.RunPython(copy_to_person, copy_from_person),
        migrations.DeleteModel("Preferences"),
    ]
