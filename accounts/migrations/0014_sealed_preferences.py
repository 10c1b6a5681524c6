from django.db import migrations

import llamora.fields.sealed


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0013_browser_keys"),
    ]

    operations = [
        migrations.AddField(
            model_name="vault",
            name="preferences",
            field=llamora.fields.sealed.SealedJSONField(
                bound={}, label="accounts.vault.preferences", null=True
            ),
        ),
    ]
