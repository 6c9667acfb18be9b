"""Going on duty, pausing, ending it; and the desk's buttons for that."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from queues.actions import (
    NotOnDuty,
    NotVerified,
    call_next,
    end_duty,
    pause_duty,
    resume_duty,
    start_duty,
)
from queues.models import Duty, Token
from tests.constraints import taken
from tests.factories import (
    a_clinic,
    a_doctor,
    a_speciality,
    as_staff,
    called,
    on_duty,
    waiting,
)

pytestmark = pytest.mark.django_db


def test_going_on_duty_twice_is_once():
    clinic, rao = a_clinic(), a_doctor()
    first = start_duty(doctor=rao, clinic=clinic)
    assert start_duty(doctor=rao, clinic=clinic) == first
    assert Duty.objects.count() == 1


def test_a_doctor_who_is_not_verified_is_never_on_duty():
    with pytest.raises(NotVerified):
        start_duty(doctor=a_doctor(verified=False), clinic=a_clinic())
    assert Duty.objects.count() == 0


def test_a_doctor_whose_verification_was_taken_back_calls_nobody():
    clinic = a_clinic()
    rao = on_duty(clinic)
    waiting(clinic)
    rao.verified_at = rao.verified_by = None
    rao.save()
    with pytest.raises(NotOnDuty):
        call_next(clinic=clinic, doctor=rao)


def test_a_pause_holds_in_every_clinic_and_keeps_the_lines():
    morning, evening = a_clinic(), a_clinic()
    rao = on_duty(morning)
    on_duty(evening, rao)
    waiting(morning)
    pause_duty(doctor=rao)
    assert Duty.objects.working().count() == 0
    assert Duty.objects.on().count() == 2
    for clinic in (morning, evening):
        with pytest.raises(NotOnDuty):
            call_next(clinic=clinic, doctor=rao)
    assert Token.objects.waiting().count() == 1
    resume_duty(doctor=rao)
    assert call_next(clinic=morning, doctor=rao).number == 1


def test_who_ends_duty_calls_nobody_and_keeps_the_patient_in_the_room():
    clinic = a_clinic()
    rao = on_duty(clinic)
    waiting(clinic)
    held = called(clinic, rao)
    end_duty(doctor=rao)
    assert Duty.objects.on().count() == 0
    assert Token.objects.held().get(doctor=rao) == held.token
    with pytest.raises(NotOnDuty):
        call_next(clinic=clinic, doctor=rao)
    assert start_duty(doctor=rao, clinic=clinic).ended_at is None
    assert Duty.objects.count() == 2


def test_one_doctors_pause_is_not_anothers():
    clinic = a_clinic()
    rao, das = on_duty(clinic), on_duty(clinic)
    pause_duty(doctor=rao)
    end_duty(doctor=rao)
    assert [duty.doctor for duty in Duty.objects.working()] == [das]


def test_the_database_keeps_one_open_duty_per_doctor_and_clinic():
    here = {"doctor": a_doctor(), "clinic": a_clinic()}
    assert (
        taken(Duty.objects.create, **here, ended_at=timezone.now() + timedelta(seconds=1)) is True
    )
    assert taken(Duty.objects.create, **here) is True
    assert taken(Duty.objects.create, **here) is False
    assert taken(Duty.objects.create, doctor=here["doctor"], clinic=a_clinic()) is True
    assert taken(Duty.objects.create, doctor=a_doctor(), clinic=here["clinic"]) is True


def test_the_database_keeps_no_duty_that_ends_before_it_starts():
    here = {"doctor": a_doctor(), "clinic": a_clinic(), "started_at": timezone.now()}
    assert (
        taken(Duty.objects.create, **here, ended_at=here["started_at"] - timedelta(seconds=1))
        is False
    )
    assert taken(Duty.objects.create, **here, ended_at=here["started_at"]) is True


# --- the buttons --------------------------------------------------------------------------------
def test_the_buttons_start_pause_resume_and_end_duty():
    clinic, rao = a_clinic(), a_doctor()
    desk = as_staff(rao.user)

    def press(button: str, **data: str) -> tuple[int, bool, bool]:
        response = desk.post(reverse(f"queue:{button}"), data)
        assert (response.status_code, response.url) == (302, "/doctor/")
        on = Duty.objects.on().filter(doctor=rao, clinic=clinic)
        return on.count(), on.working().exists(), on.exists()

    assert press("start_duty", clinic=str(clinic.uid)) == (1, True, True)
    assert press("start_duty", clinic=str(clinic.uid)) == (1, True, True)
    assert press("pause_duty") == (1, False, True)
    assert press("resume_duty") == (1, True, True)
    assert press("end_duty") == (0, False, False)
    assert press("end_duty") == (0, False, False)


def test_a_doctor_who_is_not_verified_is_told_so():
    clinic, desk = a_clinic(), as_staff(a_doctor(verified=False).user)
    page = desk.post(reverse("queue:start_duty"), {"clinic": str(clinic.uid)}, follow=True)
    assert "Your registration has not been verified yet." in page.content.decode()
    assert Duty.objects.count() == 0


@pytest.mark.parametrize("clinic", ["", "x", "00000000-0000-0000-0000-000000000000"])
def test_a_clinic_that_is_not_there_is_404(clinic: str):
    desk = as_staff(a_doctor().user)
    assert desk.post(reverse("queue:start_duty"), {"clinic": clinic}).status_code == 404
    assert desk.post(reverse("consult:call_next"), {"clinic": clinic}).status_code == 404


def test_a_doctor_goes_on_duty_in_clinics_of_the_own_speciality_that_are_in_use():
    desk = as_staff(a_doctor().user)
    for clinic in (a_clinic(speciality=a_speciality("dermatology")), a_clinic(is_active=False)):
        response = desk.post(reverse("queue:start_duty"), {"clinic": str(clinic.uid)})
        assert response.status_code == 404
    assert Duty.objects.count() == 0
