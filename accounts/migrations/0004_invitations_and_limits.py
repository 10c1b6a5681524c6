import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import llamora.fields.ids


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_former_pair")]

    operations = [
        migrations.AddField(
            model_name="person",
            name="text_size",
            field=models.CharField(
                choices=[("usual", "Usual"), ("large", "Large"), ("larger", "Larger")],
                default="usual",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="person",
            name="idle_minutes",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(model_name="signin", name="ends_at", field=models.DateTimeField(null=True)),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=llamora.fields.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("token_hash", models.BinaryField(max_length=32, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "made_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="invitations",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "used_by",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="came_by",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
    ]
