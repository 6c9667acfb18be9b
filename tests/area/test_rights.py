"""What officers may do besides: states, specialities, patients."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.models import Enrolment, Facility, Patient, Post, Speciality, State, User
from accounts.seeding import OFFICERS, OFFICERS_MAY, seed
from consult.models import Consultation
from queues.models import ClinicDay, Duty
from tests.area.officers import an_officer, page, shown
from tests.factories import a_patient, a_speciality, as_staff, waiting

pytestmark = pytest.mark.django_db


def test_a_states_officer_says_whether_a_general_doctor_is_first(land, gaya, bihar):
    data = {"name": "Mine", "names": "{}", "general_first": ""}
    assert bihar.post(page(land.bihar), data).status_code == 302
    land.bihar.refresh_from_db()
    assert (land.bihar.name, land.bihar.general_first) == ("Bihar", False)
    assert gaya.get(page(land.bihar)).status_code == 200
    assert gaya.post(page(land.bihar), data).status_code == 403
    assert bihar.post(page(land.kerala), data).status_code == 404


def test_specialities_are_looked_at_by_officers_and_changed_by_superusers(land, bihar):
    skin = a_speciality("dermatology")
    data = {"name": "Skin", "names": "{}", "code": "dermatology", "serves": "all", "min_age": 0,
            "max_age": 130}  # fmt: skip
    assert bihar.get(page(skin)).status_code == 200
    assert bihar.post(page(skin), data).status_code == 403
    boss = an_officer(land.belwa)
    User.objects.filter(pk=boss.pk).update(is_superuser=True)
    client = as_staff(boss)
    wrong = client.post(page(skin), data | {"min_age": 5, "max_age": 4})
    assert wrong.status_code == 200
    assert client.post(page(skin), data | {"is_general": "on", "max_age": 90}).status_code == 302
    skin.refresh_from_db()
    assert (skin.is_general, skin.max_age) == (True, 90)


def test_specialities_are_seeded_with_whom_they_serve():
    seed()
    said = Speciality.objects.exclude(is_general=False, serves="all", min_age=0, max_age=130)
    assert set(said.values_list("code", "is_general", "serves", "min_age", "max_age")) == {
        ("general-medicine", True, "all", 0, 130),
        ("paediatrics", False, "all", 0, 17),
        ("gynaecology", False, "female", 10, 130),
    }


def test_specialities_that_were_there_before_get_it_unless_somebody_changed_them():
    seed()
    Speciality.objects.update(is_general=False, serves="all", min_age=0, max_age=130)
    Speciality.objects.filter(code="paediatrics").update(max_age=14)
    migration = import_module("accounts.migrations.0003_whom_specialities_serve")
    migration.say_whom_they_serve(apps, SimpleNamespace(connection=connection))
    assert a_speciality().is_general
    assert (a_speciality("gynaecology").serves, a_speciality("paediatrics").max_age) == (
        "female",
        14,
    )
    assert Speciality.objects.filter(is_general=True).count() == 1


# --- patients and rights ------------------------------------------------------------------------
CLINICAL = [
    "accounts_patient", "accounts_enrolment", "accounts_auditevent", "accounts_message",
    "queue_token", "consult_consultation", "consult_note", "consult_prescription",
    "consult_observation", "consult_attachment", "consult_chatmessage", "otp_totp_totpdevice",
]  # fmt: skip


@pytest.mark.parametrize("model", CLINICAL)
def test_patients_data_and_secrets_are_no_right_of_an_officer(bihar, model):
    assert bihar.get(reverse(f"admin:{model}_changelist")).status_code == 403


def test_with_the_right_to_see_patients_an_officer_sees_those_of_the_area(land, of_gaya, gaya):
    for codename in ("view_patient", "view_enrolment", "view_consultation"):
        of_gaya.user_permissions.add(Permission.objects.get(codename=codename))
    near = a_patient(state=land.bihar, district=land.gaya)
    far = a_patient(state=land.bihar, district=land.patna)
    cases = {name: waiting(clinic, a_patient()) for name, clinic in land.clinics.items()}
    enrolled = [
        Enrolment.objects.create(patient=far, facility=place, enrolled_by=of_gaya)
        for place in (land.belwa, land.ganga)
    ]
    assert shown(gaya, Patient) == {near}
    assert shown(gaya, Enrolment) == {enrolled[0]}
    assert shown(gaya, Consultation) == {cases["Harinagar"]}
    sent = cases["Ganga"]
    Consultation.objects.filter(pk=sent.pk).update(
        facility=land.belwa, requested_by=of_gaya, attested_at=timezone.now(), attested_by=of_gaya
    )
    assert shown(gaya, Consultation) == {cases["Harinagar"], sent}
    assert gaya.get(page(cases["Lakeside"])).status_code == 404


def test_a_forgotten_duty_is_ended_in_the_area_only(land, gaya):
    duties = {name: Duty.objects.get(doctor=doctor) for name, doctor in land.doctors.items()}
    chosen = {"action": "end", "_selected_action": [row.pk for row in duties.values()]}
    gaya.post(page(Duty, "changelist"), chosen)
    assert set(Duty.objects.on()) == {duties["Ganga"], duties["Lakeside"]}


def test_days_of_clinics_are_those_of_the_area(land, gaya):
    today = timezone.localdate()
    near, _far = (
        ClinicDay.objects.create(clinic=land.clinics[name], day=today)
        for name in ("Harinagar", "Ganga")
    )
    assert shown(gaya, ClinicDay) == {near}


def test_the_group_is_made_once_and_keeps_what_an_operator_made_of_it():
    seed()
    group = Group.objects.get(name=OFFICERS)
    given = set(group.permissions.values_list("content_type__app_label", "codename"))
    assert given == {(app, name) for app, names in OFFICERS_MAY.items() for name in names}
    group.permissions.remove(Permission.objects.get(codename="verify_doctor"))
    seed()
    assert not group.permissions.filter(codename="verify_doctor").exists()


def test_a_state_is_listed_once(land, of_gaya, gaya):
    Post.objects.create(user=of_gaya, facility=land.belwa, role="nodal_officer")
    Post.objects.create(user=of_gaya, facility=land.ganga, role="state_officer")
    assert shown(gaya, State) == {land.bihar}
    assert shown(gaya, Facility) == {land.belwa, land.harinagar, land.ganga}
