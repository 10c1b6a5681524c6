import os

from django.db import migrations

from accounts.keys.token_slots import MARK_KIND as TOKEN
from accounts.sessions.sign_in_marks import find_sign_in_mark
from llamora.database.credential_register import build_mark, get_register_folder, register_mark


def register_rows(apps, schema_editor):  # noqa: ARG001 - Django's signature
    """Register the rows of a household that had no register yet.

    Each start makes the folder, so nobody who writes to the database can have this done once more.
    """
    if os.path.isdir(get_register_folder()):
        return
    for row in apps.get_model("accounts", "SignIn").objects.all():
        if mark := find_sign_in_mark(row):
            register_mark(mark)
    tokens = apps.get_model("accounts", "AccessToken").objects.filter(is_expired=False)
    for row in tokens.exclude(confirmation=None).only("id", "owner_id", "confirmation"):
        if isinstance(row.confirmation, bytes):
            register_mark(build_mark(TOKEN, owner=row.owner_id, row_id=row.id, values=[row.confirmation]))


class Migration(migrations.Migration):
    dependencies = [("accounts", "0019_model_hosts")]

    operations = [migrations.RunPython(register_rows, migrations.RunPython.noop)]
