"""Plain labels for the administrator, the theme and the text size; nothing in the database changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Alters labels only."""

    dependencies = [("accounts", "0010_persistent_sign_ins")]

    operations = [
        migrations.AlterField(
            model_name="person",
            name="is_staff",
            field=models.BooleanField(default=False, verbose_name="administrator"),
        ),
        migrations.AlterField(
            model_name="person",
            name="text_size",
            field=models.CharField(
                choices=[("usual", "Normal"), ("large", "Large"), ("larger", "Larger")],
                default="usual",
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="person",
            name="theme",
            field=models.CharField(
                choices=[("system", "Same as device"), ("light", "Light"), ("dark", "Dark")],
                default="system",
                max_length=8,
            ),
        ),
    ]
