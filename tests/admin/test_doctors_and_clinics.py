"""The admin: registrations, duties, clinics with their hours and spokes."""

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from queues.models import Duty
from tests.admin.acting import page, refused_fields, sign_in
from tests.admin.rows import make_clinic, make_doctor, make_duty, make_facility, make_state

pytestmark = pytest.mark.django_db


def test_a_registration_is_verified_by_action(boss_client, boss):
    doctor = make_doctor()
    chosen = {"action": "verify", "_selected_action": [doctor.pk]}
    assert boss_client.post(page(doctor, "changelist"), chosen).status_code == 302
    doctor.refresh_from_db()
    assert (doctor.is_verified, doctor.verified_by) == (True, boss)
    assert AuditEvent.objects.filter(action="doctor.verify", by=boss).count() == 1


def test_who_may_edit_doctors_may_not_for_that_verify_them(client, officer):
    sign_in(client, officer("accounts.view_doctor", "accounts.change_doctor"))
    doctor = make_doctor()
    client.post(page(doctor, "changelist"), {"action": "verify", "_selected_action": [doctor.pk]})
    doctor.refresh_from_db()
    assert not doctor.is_verified


def test_a_changed_registration_is_no_longer_verified(boss_client, boss):
    doctor = make_doctor(verified_at=timezone.now(), verified_by=boss)
    data = {
        "user": doctor.user_id, "speciality": doctor.speciality_id, "qualification": "MBBS",
        "facility": doctor.facility_id, "registration_number": doctor.registration_number,
        "council": doctor.council, "contact": "0484 111111",
    }  # fmt: skip
    boss_client.post(page(doctor), data)
    doctor.refresh_from_db()
    assert (doctor.contact, doctor.is_verified) == ("0484 111111", True)
    boss_client.post(page(doctor), data | {"registration_number": "another"})
    doctor.refresh_from_db()
    assert (doctor.is_verified, doctor.verified_by) == (False, None)
    assert AuditEvent.objects.filter(action="doctor.unverify", by=boss).exists()


def test_a_forgotten_duty_is_ended_in_all_clinics(boss_client):
    duty = make_duty()
    other = Duty.objects.create(doctor=duty.doctor, clinic=make_clinic())
    stays = make_duty()
    chosen = {"action": "end", "_selected_action": [duty.pk]}
    assert boss_client.post(page(duty, "changelist"), chosen).status_code == 302
    assert set(Duty.objects.on()) == {stays}
    other.refresh_from_db()
    assert other.ended_at is not None
    assert AuditEvent.objects.get(action="duty.end").target == f"doctor:{duty.doctor_id}"


def test_looking_at_duties_does_not_allow_ending_them(client, officer):
    sign_in(client, officer("queue.view_duty"))
    duty = make_duty()
    client.post(page(duty, "changelist"), {"action": "end", "_selected_action": [duty.pk]})
    assert Duty.objects.on().filter(pk=duty.pk).exists()


def test_a_clinic_is_saved_with_its_hours_and_its_spokes(boss_client):
    clinic, spoke = make_clinic(), make_facility()
    opened = clinic.hours.get()
    data = {
        "name": "General", "names": '{"hi": "सामान्य"}', "speciality": clinic.speciality_id,
        "is_active": "on", "takes_opd": "on", "state": 32, "serves": "all", "min_age": 0,
        "max_age": 130, "daily_limit": 10, "waiting_limit": 5, "call_window": 120,
        "usual_minutes": 7, "near_ahead": 3,
        "hours-TOTAL_FORMS": 2, "hours-INITIAL_FORMS": 1,
        "hours-0-id": opened.pk, "hours-0-clinic": clinic.pk, "hours-0-weekday": 0,
        "hours-0-opens": "09:00", "hours-0-closes": "12:00",
        "hours-1-clinic": clinic.pk, "hours-1-weekday": 1,
        "hours-1-opens": "00:00", "hours-1-closes": "00:00",
        "hub_links-TOTAL_FORMS": 1, "hub_links-INITIAL_FORMS": 0,
        "hub_links-0-clinic": clinic.pk, "hub_links-0-spoke": spoke.pk,
        "hub_links-0-priority": 1, "hub_links-0-valid_from": "2026-01-01",
    }  # fmt: skip
    response = boss_client.post(page(clinic), data)
    assert response.status_code == 302
    clinic.refresh_from_db()
    assert (clinic.names, clinic.daily_limit) == ({"hi": "सामान्य"}, 10)
    assert clinic.hours.count() == 2
    assert clinic.hub_links.get().spoke == spoke


@pytest.mark.parametrize("names", ['["x"]', '"केरल"', '{"hi": ""}', '{"hi": 5}', "{"])
def test_names_in_other_languages_are_words_by_language(boss_client, names):
    state = make_state()
    response = boss_client.post(page(state), {"name": "Kerala", "names": names})
    assert refused_fields(response).keys() == {"names"}


def test_names_in_other_languages_may_be_left_out(boss_client):
    state = make_state()
    assert boss_client.post(page(state), {"name": "Kerala", "names": ""}).status_code == 302
    state.refresh_from_db()
    assert state.names == {}
