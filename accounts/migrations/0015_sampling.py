"""The sampling parameters of a person."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds a column."""

    dependencies = [("accounts", "0014_sealed_preferences")]

    operations = [
        migrations.AddField(
            model_name="person",
            name="sampling",
            field=models.JSONField(blank=True, default=dict),
        ),
    ]
