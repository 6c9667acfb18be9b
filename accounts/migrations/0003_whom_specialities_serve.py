from django.db import migrations

# As they stood in accounts/data/specialities.json on 24 November 2026.
WHOM = {
    "general-medicine": {"is_general": True},
    "paediatrics": {"max_age": 17},
    "gynaecology": {"serves": "female", "min_age": 10},
}
UNTOUCHED = {"is_general": False, "serves": "all", "min_age": 0, "max_age": 130}


def say_whom_they_serve(apps, schema_editor):
    """Specialities that were there before they could say so, and that nobody has changed since."""
    specialities = apps.get_model("accounts", "Speciality").objects.using(schema_editor.connection.alias)
    for code, fields in WHOM.items():
        specialities.filter(code=code, **UNTOUCHED).update(**fields)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_centres'),
    ]

    operations = [
        migrations.RunPython(say_whom_they_serve, migrations.RunPython.noop, elidable=True),
    ]
