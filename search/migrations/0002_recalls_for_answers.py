"""Whether earlier entries near in meaning are read for an answer."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("search", "0001_vectors_and_recent_searches")]

    operations = [
        migrations.AddField(
            model_name="searchpreference",
            name="recalls_for_answers",
            field=models.BooleanField(default=True),
        ),
    ]
