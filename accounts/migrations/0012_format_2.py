import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import llamora.fields.sealed


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_words_of_preferences"),
    ]

    operations = [
        migrations.AddField(
            model_name="vault",
            name="state",
            field=llamora.fields.sealed.SealedJSONField(bound={}, label="accounts.vault.state", null=True),
        ),
        migrations.AlterField(
            model_name="formerkey",
            name="owner",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="former_keys",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="formerkey",
            constraint=models.UniqueConstraint(fields=("owner", "epoch"), name="one_former_key_per_epoch"),
        ),
    ]
