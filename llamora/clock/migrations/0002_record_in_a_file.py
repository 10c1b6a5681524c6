from django.db import migrations

from llamora.clock.elapsed_time import ElapsedTime
from llamora.clock.record_file import get_record_path, write_record


def write_file(apps, schema_editor):  # noqa: ARG001 - Django's signature
    """Write the record to its file, unless there is one."""
    row = apps.get_model("clock", "ClockRecord").objects.first()
    if row is None or get_record_path().exists():
        return
    try:
        found = ElapsedTime.from_json(row.evidence)
    except (TypeError, ValueError, KeyError, AttributeError):
        return
    write_record(found)


class Migration(migrations.Migration):
    # What is registered first makes the folder of the file.
    dependencies = [("clock", "0001_record"), ("accounts", "0020_registered_rows")]

    operations = [
        migrations.RunPython(write_file, migrations.RunPython.noop),
        migrations.DeleteModel(name="ClockRecord"),
    ]
