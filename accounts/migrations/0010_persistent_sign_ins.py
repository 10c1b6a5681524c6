"""Name the column for what it says: the browser stays signed in when it is closed."""

from django.db import migrations


class Migration(migrations.Migration):
    """Renames `kept` to `is_persistent`."""

    dependencies = [("accounts", "0009_preferences_of_every_app")]

    operations = [migrations.RenameField("signin", "kept", "is_persistent")]
