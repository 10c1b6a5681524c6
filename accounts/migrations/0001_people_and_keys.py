"""People, their vaults and key slots, and the two rows of a session."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import llamora.fields.ids
import llamora.fields.sealed


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Person",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=llamora.fields.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=64)),
                ("name_key", models.CharField(editable=False, max_length=256, unique=True)),
                ("shown_name", models.CharField(blank=True, default="", max_length=64)),
                ("is_staff", models.BooleanField(default=False, verbose_name="keeper")),
                ("is_active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("time_zone", models.CharField(default="UTC", max_length=64)),
                (
                    "theme",
                    models.CharField(
                        choices=[("system", "As the device"), ("light", "Light"), ("dark", "Dark")],
                        default="system",
                        max_length=8,
                    ),
                ),
                ("week_start", models.PositiveSmallIntegerField(default=0)),
            ],
            options={
                "verbose_name_plural": "people",
            },
        ),
        migrations.CreateModel(
            name="SignIn",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=llamora.fields.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("half_hash", models.BinaryField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("last_active", models.DateTimeField(default=django.utils.timezone.now)),
                ("kept", models.BooleanField(default=False)),
                ("device", models.CharField(blank=True, default="", max_length=80)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sign_ins",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Unlock",
            fields=[
                (
                    "sign_in",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="unlock",
                        serialize=False,
                        to="accounts.signin",
                    ),
                ),
                ("epoch", models.PositiveIntegerField()),
                ("salt", models.BinaryField()),
                ("wrapped_dek", models.BinaryField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("last_active", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name="Vault",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=llamora.fields.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("epoch", models.PositiveIntegerField(default=1)),
                ("public_key", models.BinaryField(max_length=32)),
                (
                    "private_key",
                    llamora.fields.sealed.SealedBytesField(
                        bound={"public_key": "accounts.vault.public_key"}, label="accounts.vault.private_key"
                    ),
                ),
                (
                    "digest_key",
                    llamora.fields.sealed.SealedBytesField(bound={}, label="accounts.vault.digest_key"),
                ),
                (
                    "owner",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="vault",
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
            name="KeySlot",
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
                        choices=[("password", "Password"), ("recovery", "Recovery code")], max_length=16
                    ),
                ),
                ("epoch", models.PositiveIntegerField()),
                ("salt", models.BinaryField()),
                ("memory_kib", models.PositiveIntegerField()),
                ("time", models.PositiveIntegerField()),
                ("lanes", models.PositiveIntegerField()),
                ("public_key", models.BinaryField()),
                ("sealed_private", models.BinaryField()),
                ("sealed_authenticator", models.BinaryField()),
                ("box", models.BinaryField()),
                ("mac", models.BinaryField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="slots",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("kind__in", ["password", "recovery"])),
                        fields=("owner", "kind"),
                        name="one_password_and_one_recovery_slot",
                    )
                ],
            },
        ),
    ]
