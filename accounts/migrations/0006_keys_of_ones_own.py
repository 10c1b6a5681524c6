from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_words_of_dates")]

    operations = [
        migrations.AddField(model_name="person", name="single_keys", field=models.BooleanField(default=True)),
        migrations.AddField(
            model_name="person", name="enter_keeps", field=models.BooleanField(default=False)
        ),
    ]
