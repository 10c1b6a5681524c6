"""Columns for the preferences that diary, traces and search had tables for; their migrations fill them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_browsers_by_their_name")]

    operations = [
        migrations.AddField(model_name="person", name=name, field=models.BooleanField(default=True))
        for name in (
            "makes_openings",
            "reads_related_entries",
            "proposes_traces",
            "saves_recent_searches",
        )
    ]
