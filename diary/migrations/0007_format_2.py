from django.db import migrations, models

import llamora.fields.sealed


class Migration(migrations.Migration):
    dependencies = [
        ("diary", "0006_reply_kind_labels"),
    ]

    operations = [
        migrations.AddField(
            model_name="entry",
            name="mac",
            field=llamora.fields.sealed.MacField(
                bound={"created_at": "diary.entry.created_at", "deleted_at": "diary.entry.deleted_at"},
                label="diary.entry.mac",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="entry",
            name="origin",
            field=models.CharField(
                choices=[("own", "Written here"), ("imported", "Imported")],
                default="own",
                editable=False,
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="draft",
            name="text",
            field=llamora.fields.sealed.SealedTextField(
                bound={
                    "based_on": "diary.draft.based_on",
                    "day": "diary.draft.day",
                    "entry_id": "diary.draft.entry",
                    "revision": "diary.draft.revision",
                },
                bound_in_format_1={"day": "diary.draft.day"},
                label="diary.draft.text",
            ),
        ),
        migrations.AlterField(
            model_name="entry",
            name="text",
            field=llamora.fields.sealed.SealedTextField(
                bound={
                    "day": "diary.entry.day",
                    "origin": "diary.entry.origin",
                    "revision": "diary.entry.revision",
                    "utc_offset": "diary.entry.utc_offset",
                },
                bound_in_format_1={"day": "diary.entry.day"},
                label="diary.entry.text",
            ),
        ),
    ]
