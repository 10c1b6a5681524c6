import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import llamora.fields.ids
import llamora.fields.sealed


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_people_and_keys")]

    operations = [
        migrations.AddField(
            model_name="vault",
            name="ways_in",
            field=llamora.fields.sealed.SealedJSONField(bound={}, label="accounts.vault.ways_in", null=True),
        ),
        migrations.CreateModel(
            name="FormerKey",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=llamora.fields.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("epoch", models.PositiveIntegerField()),
                (
                    "data_key",
                    llamora.fields.sealed.SealedBytesField(
                        bound={"epoch": "accounts.former_key.epoch"}, label="accounts.former_key.data_key"
                    ),
                ),
                ("begun_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "owner",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="former_key",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"abstract": False, "base_manager_name": "objects"},
        ),
    ]
