"""The letter of referral: what another hospital's doctor and the family each read on it."""

from decimal import Decimal

import pytest

from consult import actions
from consult.models import Observation
from consult.pdf.letter import render_letter
from consult.vitals import Vital
from tests.consult.test_pdf import text_of
from tests.factories import a_clinic, a_doctor, a_patient, in_the_room, on_duty

pytestmark = pytest.mark.django_db


def a_letter(vitals: dict[str, str], **patient: str) -> str:
    """Its words, all pages on one line."""
    clinic = a_clinic()
    doctor = on_duty(clinic, a_doctor())
    consultation = in_the_room(clinic, doctor, a_patient(**patient))
    for kind, value in vitals.items():
        Observation.objects.create(
            consultation=consultation,
            patient=consultation.patient,
            kind=kind,
            value=Decimal(value),
            loinc=Vital.of(kind).loinc,
            unit=Vital.of(kind).unit,
            taken_by=doctor.user,
        )
    referral = actions.refer_in_person(
        consultation=consultation,
        doctor=doctor,
        urgency="urgent",
        reason="Fits with fever",
        place="Sadar Hospital",
    )
    return text_of(render_letter(referral))


def test_it_says_where_how_soon_and_why_in_english_and_the_patients_language():
    words = a_letter({}, language="hi")
    for said in ("Sadar Hospital", "Fits with fever", "Within a day ·"):
        assert said in words
    assert "Within a day ·" not in a_letter({}, language="en")


def test_it_gives_the_blood_pressure_as_one():
    words = a_letter({"systolic": "118", "diastolic": "76", "pulse": "88"}, language="hi")
    assert "Blood pressure 118/76 mmHg" in words
    assert words.count("118/76 mmHg") == 2  # in each language
    assert "upper" not in words


def test_it_gives_a_single_number_of_a_blood_pressure_by_its_name():
    assert "Blood pressure, upper 118 mmHg" in a_letter({"systolic": "118"})
