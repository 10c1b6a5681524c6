"""Earlier versions of entries, entries that were moved, their local time, and their place in the year."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Cast

import llamora.fields.ids
import llamora.fields.sealed


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("diary", "0001_entries_drafts_replies"),
    ]

    operations = [
        migrations.CreateModel(
            name="Version",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=llamora.fields.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("revision", models.PositiveIntegerField()),
                (
                    "text",
                    llamora.fields.sealed.SealedTextField(
                        bound={"entry_id": "diary.version.entry", "revision": "diary.version.revision"},
                        label="diary.version.text",
                    ),
                ),
                ("written_at", models.DateTimeField()),
                ("replaced_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "entry",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="diary.entry",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("-revision",),
                "indexes": [models.Index(fields=["owner", "replaced_at"], name="version_by_age")],
                "constraints": [
                    models.UniqueConstraint(fields=("entry", "revision"), name="version_once_per_revision")
                ],
            },
        ),
        migrations.AddField(
            model_name="draft", name="based_on", field=models.PositiveIntegerField(null=True, blank=True)
        ),
        migrations.AddField(
            model_name="entry", name="first_day", field=models.DateField(null=True, blank=True)
        ),
        migrations.AddField(
            model_name="entry", name="utc_offset", field=models.IntegerField(null=True, blank=True)
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(
                models.F("owner"),
                models.Func(
                    Cast("day", models.CharField()),
                    output_field=models.CharField(),
                    template="SUBSTR(%(expressions)s, 6)",
                ),
                models.F("day"),
                models.F("created_at"),
                models.F("id"),
                condition=models.Q(("deleted_at", None)),
                name="entry_by_place_in_year",
            ),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(
                condition=models.Q(("first_day__isnull", False)),
                fields=["owner", "first_day"],
                name="entry_moved",
            ),
        ),
    ]
