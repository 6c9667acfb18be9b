"""Officers open clinics and facilities in their area, and change those of it."""

import pytest
from django.urls import reverse

from accounts.models import Facility, Post, User
from queues.models import Clinic
from tests.area.officers import an_officer, errors, page, shown
from tests.area.test_links import a_clinics_form
from tests.factories import as_staff

pytestmark = pytest.mark.django_db


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
