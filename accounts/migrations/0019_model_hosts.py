"""The machines to which a person lets their texts be sent."""

from django.db import migrations

import llamora.fields.sealed


class Migration(migrations.Migration):
    """Adds a sealed column."""

    dependencies = [("accounts", "0018_idempotency_keys")]

    operations = [
        migrations.AddField(
            model_name="vault",
            name="model_hosts",
            field=llamora.fields.sealed.SealedJSONField(
                bound={}, label="accounts.vault.model_hosts", null=True
            ),
        ),
    ]
