"""Traces, the entries that bear them, what was proposed, and what can be undone."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import llamora.fields.ids
import llamora.fields.sealed


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0005_words_of_dates"),
        ("diary", "0003_openings_recaps_and_kinds"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Choices",
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
                ("makes_proposals", models.BooleanField(default=True)),
            ],
            options={
                "verbose_name_plural": "choices",
            },
        ),
        migrations.CreateModel(
            name="Proposal",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=llamora.fields.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "body",
                    llamora.fields.sealed.SealedJSONField(
                        bound={"entry_id": "traces.proposal.entry"}, label="traces.proposal.body"
                    ),
                ),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "entry",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="diary.entry"
                    ),
                ),
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
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="Trace",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=llamora.fields.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", llamora.fields.sealed.SealedTextField(bound={}, label="traces.trace.name")),
                ("name_index", models.BinaryField(max_length=32)),
                (
                    "summary",
                    llamora.fields.sealed.SealedJSONField(bound={}, label="traces.trace.summary", null=True),
                ),
                ("is_read_always", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("deleted_at", models.DateTimeField(null=True)),
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
                "ordering": ("created_at", "id"),
            },
        ),
        migrations.CreateModel(
            name="KeptTrace",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="diary.entry"
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "trace",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="kept",
                        to="traces.trace",
                    ),
                ),
            ],
            options={
                "verbose_name": "kept trace",
                "verbose_name_plural": "kept traces",
                "ordering": ("created_at", "id"),
            },
        ),
        migrations.CreateModel(
            name="Change",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=llamora.fields.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("rename", "Rename"), ("merge", "Merge"), ("delete", "Delete")], max_length=8
                    ),
                ),
                (
                    "body",
                    llamora.fields.sealed.SealedJSONField(
                        bound={"kind": "traces.change.kind", "trace_id": "traces.change.trace"},
                        label="traces.change.body",
                    ),
                ),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "into",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="traces.trace",
                    ),
                ),
                (
                    "trace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="traces.trace"
                    ),
                ),
            ],
            options={
                "ordering": ("made_at", "id"),
            },
        ),
        migrations.AddIndex(
            model_name="trace",
            index=models.Index(fields=["owner", "deleted_at"], name="trace_of_owner"),
        ),
        migrations.AddConstraint(
            model_name="trace",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None)),
                fields=("owner", "name_index"),
                name="trace_once_by_name",
            ),
        ),
        migrations.AddConstraint(
            model_name="kepttrace",
            constraint=models.UniqueConstraint(fields=("trace", "entry"), name="trace_once_on_entry"),
        ),
    ]
