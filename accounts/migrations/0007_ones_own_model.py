from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_keys_of_ones_own")]

    operations = [
        migrations.AddField(
            model_name="person",
            name="model",
            field=models.CharField(blank=True, default="", max_length=200),
        ),
    ]
