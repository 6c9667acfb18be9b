"""New rows are the model's own, made without asking each of its fields."""

import pytest
from django.apps import apps
from django.db.models import BigAutoField, FileField
from django.db.models.signals import post_init

from accounts.models import AuditEvent, Doctor, Patient, User
from consult.models import Consultation
from esanjeevani.sql.composed import Composed
from esanjeevani.sql.instances import new
from tests.factories import a_doctor, a_user

OURS = [
    model
    for app in ("accounts", "queue", "consult")
    for model in apps.get_app_config(app).get_models()
]


def held(row):
    """What does not differ from one row to the next."""
    names = [
        field.attname
        for field in row._meta.concrete_fields
        if not (field.has_default() and callable(field.default))
    ]
    return {name: getattr(row, name) for name in names}, row._state.adding, row._state.db


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_a_new_row_has_what_the_model_gives_it(model):
    assert held(new(model)) == held(model())
    files = {field.name for field in model._meta.fields if isinstance(field, FileField)}
    assert vars(new(model)).keys() - files == vars(model()).keys() - files


def test_what_is_made_anew_is_another_for_each_row():
    first, second = new(Patient), new(Patient)
    assert first.uid != second.uid
    assert first.number != second.number
    assert new(Patient, number="1").number == "1"


def test_a_related_row_is_at_hand_and_its_key_in_the_column():
    asha = User(pk=7)
    patient = new(Patient, account=asha, state_id=32)
    assert (patient.account, patient.account_id, patient.state_id) == (asha, 7, 32)
    assert new(Patient, account_id=8).account_id == 8
    assert new(AuditEvent, patient=None).patient is None


def known(row, seen=()):
    """The rows at hand of this one, and at theirs."""
    if row is None or row in seen:
        return row
    return {name: known(one, (*seen, row)) for name, one in row._state.fields_cache.items()}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "write",
    [
        lambda key: User.objects.select_related("doctor__speciality").filter(pk=key),
        lambda key: Doctor.objects.select_related("user", "speciality").filter(user=key),
    ],
    ids=["from the account", "from the doctor"],
)
def test_rows_that_came_together_know_each_other_as_djangos_do(write):
    doctor, nobody = a_doctor(), a_user()
    query = Composed(write, key=BigAutoField())
    for key in doctor.user_id, nobody.pk:
        assert list(map(known, query.all(key=key))) == list(map(known, write(key)))
    assert known(query.first(key=doctor.user_id))


def test_what_is_no_field_is_refused():
    with pytest.raises(TypeError, match="complain"):
        new(Consultation, complain="Fever")


def test_who_listens_to_new_rows_hears_of_them():
    heard = []

    def listen(instance, **_more):
        heard.append(instance)

    post_init.connect(listen, sender=Patient)
    try:
        assert heard == [new(Patient, name="Asha")]
    finally:
        post_init.disconnect(listen, sender=Patient)
