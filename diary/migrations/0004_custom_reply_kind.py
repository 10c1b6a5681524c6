"""A person's own reply styles get a plainer class name; their table stays as it is."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("diary", "0003_openings_recaps_and_kinds")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel("OwnKind", "CustomReplyKind"),
                migrations.AlterModelTable("CustomReplyKind", "diary_ownkind"),
            ]
        )
    ]
