from django.db import migrations

import llamora.fields.sealed


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_rotation")]

    operations = [
        migrations.AddField(
            model_name="vault",
            name="former_pair",
            field=llamora.fields.sealed.SealedBytesField(
                bound={}, label="accounts.vault.former_pair", null=True
            ),
        ),
    ]
