"""Officers work in their district or state: what they see, choose and save, and what they do not.

The cast: Belwa (sub-centre) and Harinagar (PHC) lie in Gaya, Ganga (hospital) in Patna, both in
Bihar; Lakeside lies in Kerala.
"""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.area import Area
from accounts.models import (
    District,
    Doctor,
    Enrolment,
    Facility,
    Patient,
    Post,
    Speciality,
    State,
    User,
)
from accounts.seeding import OFFICERS, OFFICERS_MAY, seed
from consult.models import Consultation
from queues.models import Clinic, ClinicDay, Duty, HubLink
from tests.factories import (
    PASSWORD,
    a_clinic,
    a_doctor,
    a_patient,
    a_phone,
    a_speciality,
    a_state,
    as_staff,
    on_duty,
    refused_to,
    waiting,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def land() -> SimpleNamespace:
    """Places, a clinic, a doctor on duty, a health worker and a link in each of them."""
    bihar, kerala = a_state(10), a_state(32)
    here = SimpleNamespace(bihar=bihar, kerala=kerala)
    here.gaya = District.objects.create(code=196, name="Gaya", state=bihar)
    here.patna = District.objects.create(code=212, name="Patna", state=bihar)
    here.kochi = District.objects.create(code=555, name="Ernakulam", state=kerala)
    here.belwa = a_facility("Belwa", "sub_centre", here.gaya)
    here.harinagar = a_facility("Harinagar", "phc", here.gaya)
    here.ganga = a_facility("Ganga", "district_hospital", here.patna)
    here.lakeside = a_facility("Lakeside", "medical_college", here.kochi)
    here.clinics = {
        place.name: a_clinic(
            name=f"{place.name} clinic", facility=place, state=place.state, district=place.district
        )
        for place in (here.harinagar, here.ganga, here.lakeside)
    }
    here.opd = a_clinic(name="Bihar OPD", state=bihar)
    here.doctors = {
        name: on_duty(clinic, a_doctor(facility=clinic.facility))
        for name, clinic in here.clinics.items()
    }
    here.posts = {
        place.name: Post.objects.create(user=a_person(), facility=place, role="health_worker")
        for place in (here.belwa, here.ganga, here.lakeside)
    }
    here.links = {
        "Belwa": HubLink.objects.create(spoke=here.belwa, clinic=here.clinics["Harinagar"]),
        "Ganga": HubLink.objects.create(spoke=here.ganga, clinic=here.clinics["Harinagar"]),
        "Lakeside": HubLink.objects.create(spoke=here.lakeside, clinic=here.clinics["Lakeside"]),
    }
    return here


def a_facility(name: str, kind: str, district: District) -> Facility:
    return Facility.objects.create(
        name=name, kind=kind, district=district, state=district.state, address="Main Road"
    )


def a_person(**fields) -> User:
    return User.objects.create(**{"phone": a_phone(), "name": "Sunita", "password": "!"} | fields)


def an_officer(facility: Facility, role: str = "nodal_officer") -> User:
    """With a second factor and the rights of the seeded group."""
    user = a_doctor().user
    Doctor.objects.filter(user=user).delete()
    User.objects.filter(pk=user.pk).update(is_staff=True, name="Alok Ranjan")
    Post.objects.create(user=user, facility=facility, role=role)
    user.groups.add(Group.objects.get(name=OFFICERS))
    return User.objects.get(pk=user.pk)


@pytest.fixture
def of_gaya(land) -> User:
    return an_officer(land.harinagar)


@pytest.fixture
def of_bihar(land) -> User:
    return an_officer(land.ganga, "state_officer")


@pytest.fixture
def gaya(of_gaya):
    return as_staff(of_gaya)


@pytest.fixture
def bihar(of_bihar):
    return as_staff(of_bihar)


def page(row, kind: str = "change") -> str:
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_{kind}"
    return reverse(name, args=[row.pk] if kind in ("change", "delete", "history") else [])


def shown(client, model) -> set:
    """The rows of a list."""
    answer = client.get(page(model, "changelist"))
    assert answer.status_code == 200
    return set(answer.context["cl"].queryset)


def errors(answer) -> dict:
    assert answer.status_code == 200
    return answer.context["adminform"].form.errors


# --- the area -----------------------------------------------------------------------------------
def test_an_area_is_the_district_or_the_state_of_an_open_post(land, of_gaya, of_bihar):
    assert Area.of(of_gaya) == Area(frozenset(), frozenset({196}), frozenset({10}))
    assert Area.of(of_bihar) == Area(frozenset({10}), frozenset(), frozenset({10}))
    assert Area.of(a_person(is_superuser=True)).everywhere
    assert not Area.of(land.posts["Belwa"].user)


def test_an_ended_post_takes_the_area_away(land, of_gaya, gaya):
    assert shown(gaya, Facility) == {land.belwa, land.harinagar}
    Post.objects.filter(user=of_gaya).update(ended_at=timezone.now())
    assert shown(gaya, Facility) == set()
    assert gaya.get(page(land.belwa)).status_code == 404


def test_an_officer_of_a_facility_without_a_district_has_no_area(land):
    nowhere = Facility.objects.create(name="Nowhere", kind="phc", state=land.bihar)
    assert not Area.of(an_officer(nowhere))


# --- seeing -------------------------------------------------------------------------------------
def rows_of(land, model, name: str):
    return {
        Facility: lambda: Facility.objects.get(name=name),
        Clinic: lambda: Clinic.objects.get(name=f"{name} clinic"),
        HubLink: lambda: land.links["Belwa" if name == "Harinagar" else name],
        Post: lambda: land.posts["Belwa" if name == "Harinagar" else name],
        Doctor: lambda: land.doctors[name],
        Duty: lambda: Duty.objects.get(doctor=land.doctors[name]),
        User: lambda: land.doctors[name].user,
        District: lambda: Facility.objects.get(name=name).district,
    }[model]()


MODELS = [Facility, Clinic, HubLink, Post, Doctor, Duty, User, District]


@pytest.mark.parametrize("model", MODELS)
def test_an_officer_sees_the_rows_of_the_area_and_no_others(land, gaya, bihar, model):
    near, far, abroad = (rows_of(land, model, name) for name in ("Harinagar", "Ganga", "Lakeside"))
    for client, sees, not_sees in ((gaya, {near}, {far, abroad}), (bihar, {near, far}, {abroad})):
        listed = shown(client, model)
        assert sees <= listed
        assert not not_sees & listed
        for row in sees:
            assert client.get(page(row)).status_code == 200


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("kind", ["change", "history", "delete"])
def test_a_row_outside_is_404_and_written_down(land, of_gaya, gaya, model, kind):
    row = rows_of(land, model, "Ganga")
    assert gaya.get(page(row, kind)).status_code == 404
    assert gaya.post(page(row, kind), {"post": "yes"}).status_code in ({404, 405})
    assert refused_to(of_gaya)[0] == f"{row._meta.model_name}:{getattr(row, 'uid', row.pk)}"


def test_a_row_that_is_not_there_is_404_and_nobody_is_accused(of_gaya, gaya):
    for key in ("999999", "x"):
        address = reverse("admin:accounts_facility_change", args=[key])
        assert gaya.get(address).status_code == 404
    assert refused_to(of_gaya) == []


def test_a_superuser_sees_everything(land):
    boss = an_officer(land.belwa)
    User.objects.filter(pk=boss.pk).update(is_superuser=True)
    client = as_staff(boss)
    for model in MODELS:
        assert shown(client, model) == set(model.objects.all())
        assert client.get(page(rows_of(land, model, "Lakeside"))).status_code == 200


# --- links --------------------------------------------------------------------------------------
def offered(client, model: str, field: str, app: str = "queue") -> set:
    answer = client.get(
        reverse("admin:autocomplete"),
        {"app_label": app, "model_name": model, "field_name": field, "term": ""},
    )
    return {one["text"] for one in answer.json()["results"]}


def test_a_link_offers_spokes_of_the_area_and_hubs_of_the_state(gaya, bihar):
    assert offered(gaya, "hublink", "spoke") == {"Belwa", "Harinagar"}
    assert offered(bihar, "hublink", "spoke") == {"Belwa", "Harinagar", "Ganga"}
    hubs = {"Harinagar clinic", "Ganga clinic", "Bihar OPD"}
    assert offered(gaya, "hublink", "clinic") == offered(bihar, "hublink", "clinic") == hubs


def link(spoke: Facility, clinic: Clinic) -> dict:
    return {"spoke": spoke.pk, "clinic": clinic.pk, "priority": 1, "valid_from": "2026-11-01"}


def test_a_link_is_made_changed_and_taken_away(land, gaya):
    add = reverse("admin:queue_hublink_add")
    assert gaya.post(add, link(land.belwa, land.clinics["Ganga"])).status_code == 302
    made = HubLink.objects.get(spoke=land.belwa, clinic=land.clinics["Ganga"])
    data = link(land.belwa, land.clinics["Ganga"]) | {"priority": 2, "valid_until": "2026-12-01"}
    assert gaya.post(page(made), data).status_code == 302
    made.refresh_from_db()
    assert (made.priority, str(made.valid_until)) == (2, "2026-12-01")
    assert gaya.post(page(made, "delete"), {"post": "yes"}).status_code == 302
    assert not HubLink.objects.filter(pk=made.pk).exists()


def test_no_link_is_posted_for_a_spoke_or_to_a_hub_outside(land, gaya):
    add = reverse("admin:queue_hublink_add")
    before = HubLink.objects.count()
    for spoke, hub, wrong in (
        (land.ganga, "Ganga", "spoke"),
        (land.lakeside, "Ganga", "spoke"),
        (land.belwa, "Lakeside", "clinic"),
    ):
        assert errors(gaya.post(add, link(spoke, land.clinics[hub]))).keys() == {wrong}
    moved = gaya.post(page(land.links["Belwa"]), link(land.ganga, land.clinics["Harinagar"]))
    assert errors(moved).keys() == {"spoke"}
    chosen = {
        "action": "delete_selected",
        "_selected_action": [land.links["Ganga"].pk],
        "post": "yes",
    }
    gaya.post(page(HubLink, "changelist"), chosen)
    assert HubLink.objects.count() == before


def a_clinics_form(clinic: Clinic, *spokes: Facility, **fields) -> dict:
    data = {
        "name": clinic.name, "names": "{}", "speciality": clinic.speciality_id, "is_active": "on",
        "state": clinic.state_id, "district": clinic.district_id or "",
        "facility": clinic.facility_id or "", "serves": "all", "min_age": 0, "max_age": 130,
        "daily_limit": 10, "waiting_limit": 5, "call_window": 120, "usual_minutes": 7,
        "near_ahead": 3, "hours-TOTAL_FORMS": 0, "hours-INITIAL_FORMS": 0,
        "hub_links-TOTAL_FORMS": len(spokes), "hub_links-INITIAL_FORMS": 0,
    }  # fmt: skip
    for row, spoke in enumerate(spokes):
        data |= {
            f"hub_links-{row}-clinic": clinic.pk, f"hub_links-{row}-spoke": spoke.pk,
            f"hub_links-{row}-priority": 1, f"hub_links-{row}-valid_from": "2026-11-01",
        }  # fmt: skip
    return data | fields


def test_a_clinics_page_shows_and_takes_spokes_of_the_area(land, gaya):
    clinic = land.clinics["Harinagar"]
    links = gaya.get(page(clinic)).context["inline_admin_formsets"][1].formset
    assert [form.instance for form in links.initial_forms] == [land.links["Belwa"]]
    assert gaya.post(page(clinic), a_clinics_form(clinic, land.harinagar)).status_code == 302
    refused = gaya.post(page(clinic), a_clinics_form(clinic, land.lakeside))
    assert refused.status_code == 200
    assert refused.context["inline_admin_formsets"][1].formset.errors[0].keys() == {"spoke"}
    assert set(clinic.hub_links.values_list("spoke__name", flat=True)) == {
        "Belwa", "Ganga", "Harinagar",
    }  # fmt: skip


# --- clinics and facilities ---------------------------------------------------------------------
def test_a_clinic_is_opened_in_the_area_only(land, gaya, bihar):
    add = reverse("admin:queue_clinic_add")
    form = a_clinics_form(land.clinics["Harinagar"], name="Harinagar eyes")
    assert gaya.post(add, form).status_code == 302
    for wrong, value in (("facility", land.ganga.pk), ("district", 212), ("state", 32)):
        answer = gaya.post(add, form | {"name": "Elsewhere", wrong: value})
        assert wrong in errors(answer)
    assert errors(gaya.post(add, form | {"district": "", "facility": ""})).keys() == {"district"}
    of_state = form | {"name": "Bihar eyes", "district": "", "facility": ""}
    assert bihar.post(add, of_state).status_code == 302
    assert not Clinic.objects.filter(name="Elsewhere").exists()


def test_a_clinics_hours_are_changed_by_its_officer(land, gaya):
    clinic = land.clinics["Harinagar"]
    clinic.hours.all().delete()
    hours = {
        "hours-TOTAL_FORMS": 1, "hours-0-clinic": clinic.pk, "hours-0-weekday": 2,
        "hours-0-opens": "09:00", "hours-0-closes": "12:00",
    }  # fmt: skip
    assert gaya.post(page(clinic), a_clinics_form(clinic, **hours)).status_code == 302
    assert str(clinic.hours.get()) == "Wednesday 09:00-12:00"
    assert gaya.post(page(land.opd), a_clinics_form(land.opd)).status_code == 404


def test_a_state_outpatient_clinic_is_its_state_officers(land, gaya, bihar):
    assert land.opd not in shown(gaya, Clinic)
    assert land.opd in shown(bihar, Clinic)


def a_facilitys_form(**fields) -> dict:
    return {
        "name": "Tekari", "names": "{}", "kind": "phc", "hfr_id": "", "state": 10, "district": 196,
        "address": "", "phone": "",
    } | fields  # fmt: skip


def test_a_facility_is_opened_in_the_area_only(land, gaya, bihar):
    add = reverse("admin:accounts_facility_add")
    assert gaya.post(add, a_facilitys_form()).status_code == 302
    for fields, wrong in (
        ({"district": ""}, "district"),
        ({"district": 212}, "district"),
        ({"state": 32}, "state"),
    ):
        assert wrong in errors(gaya.post(add, a_facilitys_form(**fields)))
    moved = gaya.post(page(land.belwa), a_facilitys_form(name="Belwa", district=212))
    assert errors(moved).keys() == {"district"}
    assert bihar.post(add, a_facilitys_form(name="Danapur", district="")).status_code == 302
    assert Facility.objects.filter(name__in=["Tekari", "Danapur"]).count() == 2


def test_a_district_belongs_to_its_state(land):
    boss = an_officer(land.belwa)
    User.objects.filter(pk=boss.pk).update(is_superuser=True)
    client, add = as_staff(boss), reverse("admin:accounts_facility_add")
    assert errors(client.post(add, a_facilitys_form(state=32))).keys() == {"district"}
    form = a_clinics_form(land.clinics["Harinagar"], name="X", state=32, district="")
    assert errors(client.post(reverse("admin:queue_clinic_add"), form)).keys() == {"facility"}


def test_what_comes_past_the_form_is_not_saved(land):
    """Of two posts, a state and a district elsewhere: one form offers both places at once."""
    both = an_officer(land.ganga, "state_officer")
    Post.objects.create(user=both, facility=land.lakeside, role="nodal_officer")
    client, add = as_staff(both), reverse("admin:accounts_facility_add")
    assert client.post(add, a_facilitys_form(state=32, district="")).status_code == 403
    assert not Facility.objects.filter(name="Tekari").exists()
    assert client.post(add, a_facilitys_form(state=32, district=555)).status_code == 302


# --- posts, doctors, accounts -------------------------------------------------------------------
def a_posts_form(person: User, facility: Facility, **fields) -> dict:
    return {
        "user": person.phone, "role": "health_worker", "facility": facility.pk,
        "started_at_0": "2026-11-01", "started_at_1": "09:00",
        "ended_at_0": "", "ended_at_1": "",
    } | fields  # fmt: skip


def test_a_post_is_given_and_ended(land, gaya):
    person = a_person()
    add = reverse("admin:accounts_post_add")
    typed = {"user": f"0{person.phone[3:8]} {person.phone[8:]}"}
    assert gaya.post(add, a_posts_form(person, land.belwa, **typed)).status_code == 302
    post = Post.objects.at_centres().get(user=person)
    ended = a_posts_form(person, land.belwa, ended_at_0="2026-11-20", ended_at_1="09:00")
    assert gaya.post(page(post), ended | {"user": a_person().phone}).status_code == 302
    assert not Post.objects.at_centres().filter(user=person).exists()
    assert Post.objects.get(pk=post.pk).user == person


@pytest.mark.parametrize("role", ["nodal_officer", "state_officer"])
def test_an_officers_post_is_neither_given_nor_taken_nor_seen(land, of_gaya, gaya, role):
    add = reverse("admin:accounts_post_add")
    assert errors(gaya.post(add, a_posts_form(a_person(), land.belwa, role=role))).keys() == {
        "role"
    }
    post = land.posts["Belwa"]
    assert errors(gaya.post(page(post), a_posts_form(post.user, land.belwa, role=role))).keys() == {
        "role"
    }
    assert gaya.get(page(Post.objects.get(user=of_gaya))).status_code == 404
    assert shown(gaya, Post) == {post}


def test_a_post_outside_to_nobody_or_to_oneself_is_refused(land, of_gaya, gaya):
    add = reverse("admin:accounts_post_add")
    before = Post.objects.count()
    person = a_person()
    for fields, wrong in (
        (a_posts_form(person, land.ganga), "facility"),
        (a_posts_form(person, land.belwa, user="98765 00000"), "user"),
        (a_posts_form(person, land.belwa, user="12"), "user"),
        (a_posts_form(person, land.belwa, user=""), "user"),
        (a_posts_form(of_gaya, land.belwa), "user"),
    ):
        assert errors(gaya.post(add, fields)).keys() == {wrong}
    assert Post.objects.count() == before


def a_doctors_page(person: User, facility: Facility | None, **fields) -> dict:
    return {
        "user": person.phone, "speciality": a_speciality().pk, "qualification": "MBBS",
        "facility": facility.pk if facility else "", "registration_number": "BR-7",
        "council": "Bihar Council", "contact": "0631 000000",
    } | fields  # fmt: skip


def test_a_doctor_is_entered_at_a_facility_of_the_area_only(land, of_gaya, gaya):
    add, person = reverse("admin:accounts_doctor_add"), a_person()
    for facility, who, wrong in (
        (None, person, "facility"), (land.ganga, person, "facility"), (land.belwa, of_gaya, "user"),
    ):  # fmt: skip
        assert errors(gaya.post(add, a_doctors_page(who, facility))).keys() == {wrong}
    assert gaya.post(add, a_doctors_page(person, land.harinagar)).status_code == 302
    doctor = Doctor.objects.get(user=person)
    moved = gaya.post(page(doctor), a_doctors_page(person, land.ganga))
    assert errors(moved).keys() == {"facility"}
    chosen = {"action": "verify", "_selected_action": [doctor.pk, land.doctors["Ganga"].pk]}
    Doctor.objects.update(verified_at=None, verified_by=None)
    gaya.post(page(Doctor, "changelist"), chosen)
    assert list(Doctor.objects.exclude(verified_at=None)) == [doctor]


def test_nobody_verifies_their_own_registration(land, of_gaya, gaya):
    own = a_doctor(facility=land.harinagar, verified=False)
    Doctor.objects.filter(pk=own.pk).update(user=of_gaya)
    gaya.post(page(own, "changelist"), {"action": "verify", "_selected_action": [own.pk]})
    own.refresh_from_db()
    assert own.verified_at is None


def test_a_new_account_has_no_powers_and_leads_to_its_post(land, gaya):
    data = {
        "phone": "098765 43210", "name": "Meena", "language": "hi", "is_staff": "on",
        "is_superuser": "on", "groups": Group.objects.get(name=OFFICERS).pk,
        "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD,
    }  # fmt: skip
    answer = gaya.post(reverse("admin:accounts_user_add"), data)
    meena = User.objects.get(phone="+919876543210")
    assert (meena.is_staff, meena.is_superuser, meena.groups.count()) == (False, False, 0)
    form = gaya.get(answer.url).content.decode()
    assert f'value="{meena.phone}"' in form
    assert gaya.get(page(meena)).status_code == 404  # until it has a post
    gaya.post(answer.url, a_posts_form(meena, land.belwa))
    assert gaya.get(page(meena)).status_code == 200


def test_accounts_are_looked_at_without_their_secrets(land, gaya):
    worker = land.posts["Belwa"].user
    worker.set_password(PASSWORD)
    worker.save()
    answer = gaya.get(page(worker))
    *_how, salt, hashed = worker.password.split("$")
    for secret in (worker.password, salt, hashed):
        assert secret not in answer.content.decode()
    assert gaya.post(page(worker), {"phone": a_phone()}).status_code == 403
    password = reverse("admin:auth_user_password_change", args=[worker.pk])
    assert gaya.post(password, {"password1": "x", "password2": "x"}).status_code == 403


# --- states and specialities --------------------------------------------------------------------
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
