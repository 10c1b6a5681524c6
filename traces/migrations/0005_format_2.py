from django.db import migrations

import llamora.fields.sealed


class Migration(migrations.Migration):
    dependencies = [
        ("traces", "0004_preferences_to_person"),
    ]

    operations = [
        migrations.AddField(
            model_name="entrytrace",
            name="mac",
            field=llamora.fields.sealed.MacField(
                bound={"entry_id": "traces.entry_trace.entry", "trace_id": "traces.entry_trace.trace"},
                label="traces.entry_trace.mac",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="trace",
            name="mac",
            field=llamora.fields.sealed.MacField(
                bound={"created_at": "traces.trace.created_at", "deleted_at": "traces.trace.deleted_at"},
                label="traces.trace.mac",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="change",
            name="body",
            field=llamora.fields.sealed.SealedJSONField(
                bound={
                    "into_id": "traces.change.into",
                    "kind": "traces.change.kind",
                    "trace_id": "traces.change.trace",
                },
                bound_in_format_1={"kind": "traces.change.kind", "trace_id": "traces.change.trace"},
                label="traces.change.body",
            ),
        ),
        migrations.AlterField(
            model_name="trace",
            name="name",
            field=llamora.fields.sealed.SealedTextField(
                bound={
                    "is_read_always": "traces.trace.is_read_always",
                    "name_index": "traces.trace.name_index",
                },
                bound_in_format_1={},
                label="traces.trace.name",
            ),
        ),
    ]
