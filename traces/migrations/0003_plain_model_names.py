from django.db import migrations


class Migration(migrations.Migration):
    """Classes get the glossary's names; tables and columns keep theirs, so no statement is sent."""

    dependencies = [
        ("traces", "0002_where_kept_traces_are_looked_up"),
    ]

    operations = [
        migrations.AlterModelTable(name="kepttrace", table="traces_kepttrace"),
        migrations.RenameModel(old_name="KeptTrace", new_name="EntryTrace"),
        migrations.AlterModelTable(name="proposal", table="traces_proposal"),
        migrations.RenameModel(old_name="Proposal", new_name="TraceProposal"),
        migrations.AlterModelTable(name="choices", table="traces_choices"),
        migrations.RenameModel(old_name="Choices", new_name="TracePreferences"),
        migrations.AlterModelOptions(
            name="traceproposal",
            options={
                "base_manager_name": "objects",
                "verbose_name": "proposal",
                "verbose_name_plural": "proposals",
            },
        ),
        migrations.AlterModelOptions(
            name="tracepreferences",
            options={"verbose_name": "choices", "verbose_name_plural": "choices"},
        ),
    ]
