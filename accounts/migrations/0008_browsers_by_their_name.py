"""What the keeper reads above the list of sign-ins; nothing in the database changes."""

from django.db import migrations


class Migration(migrations.Migration):
    """Calls them signed-in browsers."""

    dependencies = [("accounts", "0007_ones_own_model")]

    operations = [
        migrations.AlterModelOptions(name="signin", options={"verbose_name": "signed-in browser"}),
    ]
