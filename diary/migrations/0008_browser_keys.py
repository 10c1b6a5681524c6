from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("diary", "0007_format_2"),
    ]

    operations = [
        migrations.AddField(
            model_name="latedraft",
            name="follows",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="latedraft",
            name="mac",
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name="latedraft",
            name="revision",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="latedraft",
            name="sign_in_id",
            field=models.UUIDField(null=True),
        ),
    ]
