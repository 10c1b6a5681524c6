import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import llamora.fields.ids
import llamora.fields.sealed


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0012_format_2"),
    ]

    operations = [
        migrations.AddField(
            model_name="signin",
            name="draft_key",
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name="vault",
            name="folded_drafts",
            field=llamora.fields.sealed.SealedJSONField(
                bound={}, label="accounts.vault.folded_drafts", null=True
            ),
        ),
        migrations.CreateModel(
            name="BrowserKey",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=llamora.fields.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("sign_in_id", models.UUIDField()),
                ("epoch", models.PositiveIntegerField()),
                (
                    "secret",
                    llamora.fields.sealed.SealedBytesField(
                        bound={
                            "epoch": "accounts.browser_key.epoch",
                            "sign_in_id": "accounts.browser_key.sign_in",
                        },
                        label="accounts.browser_key.secret",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="browser_keys",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
    ]
