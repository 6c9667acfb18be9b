"""What the tables themselves refuse, and small truths about one row."""

from datetime import date, timedelta

import pytest
from django.db.models import ProtectedError
from django.utils import timezone, translation

from accounts.actions import verify_doctor
from accounts.checks import is_luhn, luhn_digit
from accounts.models import AuditEvent, Doctor, Facility, Patient, Post, RateLimit, User
from accounts.models.patients import age_on
from tests.constraints import taken
from tests.factories import a_doctor, a_patient, a_phone, a_state, a_user

pytestmark = pytest.mark.django_db


def test_a_number_has_one_account_and_a_patient_number_one_patient():
    user, patient = a_user(), a_patient()
    assert not taken(User.objects.create, phone=user.phone)
    assert not taken(a_patient, number=patient.number)


def test_a_person_with_records_is_never_deleted():
    patient = a_patient()
    AuditEvent.objects.create(action="patient.read", patient=patient)
    with pytest.raises(ProtectedError):
        patient.delete()
    with pytest.raises(ProtectedError):
        patient.account.delete()


def test_a_verified_doctor_has_somebody_who_verified_and_when():
    doctor, officer = a_doctor(verified=False), a_user()
    rows = Doctor.objects.filter(pk=doctor.pk)
    assert not taken(rows.update, verified_at=timezone.now())
    assert not taken(rows.update, verified_by=officer)
    assert doctor.is_verified is False

    verify_doctor(doctor=doctor, by=officer)

    doctor.refresh_from_db()
    assert (doctor.is_verified, doctor.verified_by) == (True, officer)
    event = AuditEvent.objects.get(action="doctor.verify")
    assert (event.by, event.target) == (officer, f"doctor:{doctor.pk}")
    doctor.user.is_active = False
    assert doctor.is_verified is False


def test_a_registration_belongs_to_one_doctor_of_a_council():
    a_doctor(registration_number="4711")
    assert a_doctor(registration_number="4711", council="Bihar Medical Council").pk
    assert not taken(a_doctor, registration_number="4711")


def test_a_post_is_held_once_at_a_time_and_ends_after_it_began():
    user, facility = a_user(), Facility.objects.create(name="PHC", kind="phc", state=a_state())
    post = {"user": user, "facility": facility, "role": Post.Role.HEALTH_WORKER}
    first = Post.objects.create(**post)
    assert not taken(Post.objects.create, **post)
    before = first.started_at - timedelta(seconds=1)
    assert not taken(Post.objects.filter(pk=first.pk).update, ended_at=before)
    Post.objects.filter(pk=first.pk).update(ended_at=timezone.now())
    assert Post.objects.create(**post).ended_at is None
    assert Post.objects.create(**(post | {"role": Post.Role.NODAL_OFFICER})).pk


def test_a_window_of_a_limit_is_one_row():
    RateLimit.hit("codes to", "asha", limit=1, window=timedelta(hours=1))
    row = RateLimit.objects.get()
    assert not taken(RateLimit.objects.create, key=row.key, window_at=row.window_at)


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        (date(1990, 5, 17), date(2026, 5, 16), 35),
        (date(1990, 5, 17), date(2026, 5, 17), 36),
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
        (date(2026, 5, 17), date(2026, 5, 17), 0),
    ],
)
def test_an_age_is_whole_years_lived(born, day, age):
    assert age_on(born, day) == age


def test_children_infants_and_the_old_are_known_by_their_age():
    ages = [0, 1, 17, 18, 59, 60]
    people = [Patient(birth_date=a_patient(age=age).birth_date) for age in ages]
    assert [(one.is_infant, one.is_minor, one.is_senior) for one in people] == [
        (True, True, False),
        (False, True, False),
        (False, True, False),
        (False, False, False),
        (False, False, False),
        (False, False, True),
    ]


def test_a_check_digit_notices_one_wrong_digit_and_two_that_changed_places():
    assert luhn_digit("7992739871") == "3"  # the example of the standard's annex
    assert is_luhn("79927398713")
    assert not any(is_luhn(f"7992739871{digit}") for digit in "012456789")
    assert not is_luhn("97927398713")
    assert not is_luhn("")
    assert not is_luhn("79927398713x")


def test_a_place_has_a_name_in_the_readers_language():
    kerala = a_state()
    with translation.override("hi"):
        assert str(kerala) == "केरल"
    with translation.override("ta"):
        assert str(kerala) == "Kerala"


def test_a_person_without_a_name_is_shown_by_a_part_of_the_number():
    assert str(User(phone="+919876543210")) == "+91 ··· ··210"
    assert str(User(phone=a_phone(), name="Asha")) == "Asha"
