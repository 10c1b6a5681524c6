"""Remember who has dismissed the line that says that there is no model."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the column `hides_model_notice`."""

    dependencies = [("accounts", "0016_access_tokens")]

    operations = [
        migrations.AddField(
            model_name="person", name="hides_model_notice", field=models.BooleanField(default=False)
        )
    ]
