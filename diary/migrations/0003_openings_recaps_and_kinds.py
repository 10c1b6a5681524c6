"""Openings and recaps, ways of answering, and what was read for a reply."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import llamora.fields.ids
import llamora.fields.sealed


class Migration(migrations.Migration):
    dependencies = [
        ("diary", "0002_versions_and_moved_entries"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Preferences",
            fields=[
                (
                    "owner",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("makes_openings", models.BooleanField(default=True)),
            ],
            options={
                "verbose_name_plural": "preferences",
            },
        ),
        migrations.AddField(
            model_name="reply",
            name="read",
            field=llamora.fields.sealed.SealedJSONField(
                bound={"entry_id": "diary.reply.entry", "kind": "diary.reply.kind"},
                label="diary.reply.read",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="reply",
            name="kind",
            field=models.CharField(
                choices=[
                    ("respond", "Respond"),
                    ("reflect", "Reflect back"),
                    ("question", "Ask me a question"),
                    ("summary", "Plain summary"),
                    ("own", "In a way of one's own"),
                ],
                default="respond",
                max_length=32,
            ),
        ),
        migrations.CreateModel(
            name="OwnKind",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=llamora.fields.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("words", llamora.fields.sealed.SealedJSONField(bound={}, label="diary.own_kind.words")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "way of answering",
                "verbose_name_plural": "ways of answering",
                "ordering": ("created_at", "id"),
            },
        ),
        migrations.CreateModel(
            name="Opening",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=llamora.fields.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("day", models.DateField()),
                (
                    "text",
                    llamora.fields.sealed.SealedTextField(
                        bound={"day": "diary.opening.day"}, label="diary.opening.text"
                    ),
                ),
                (
                    "read",
                    llamora.fields.sealed.SealedJSONField(
                        bound={"day": "diary.opening.day"}, label="diary.opening.read", null=True
                    ),
                ),
                ("is_dismissed", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
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
                "constraints": [models.UniqueConstraint(fields=("owner", "day"), name="opening_per_day")],
            },
        ),
        migrations.CreateModel(
            name="Recap",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=llamora.fields.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("day", models.DateField()),
                (
                    "body",
                    llamora.fields.sealed.SealedJSONField(
                        bound={"day": "diary.recap.day"}, label="diary.recap.body"
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
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
                "constraints": [models.UniqueConstraint(fields=("owner", "day"), name="recap_per_day")],
            },
        ),
    ]
