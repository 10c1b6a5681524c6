from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_invitations_and_limits")]

    operations = [
        migrations.AddField(
            model_name="person", name="language", field=models.CharField(default="en-gb", max_length=16)
        ),
        migrations.AddField(
            model_name="person",
            name="clock",
            field=models.PositiveSmallIntegerField(choices=[(24, "14:02"), (12, "2:02 pm")], default=24),
        ),
    ]
