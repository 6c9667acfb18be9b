"""Parts of the doctor's room that are kept: they say what their templates say, and nothing of anybody."""

from datetime import timedelta

import pytest
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import timezone

from accounts.models import Doctor, User
from consult import actions
from consult.fetch import DOCTORS_ROOM
from consult.forms import NoteForm, note_fields
from consult.models import Consultation, Note
from consult.people import patients_seat
from consult.views.doctor.parts import room_context
from queues.models import Clinic
from tests.factories import (
    PARACETAMOL,
    a_clinic,
    a_doctor,
    a_health_worker,
    a_hub,
    a_patient,
    a_specialist,
    as_staff,
    before_the_screen,
    centre_of,
    in_the_room,
    on_duty,
    sent,
    the_formulary,
    without_csrf,
)

pytestmark = pytest.mark.django_db
TEMPLATES = {
    "care_part": "_care", "form_part": "_doctors_form", "history_part": "_history_forms",
    "return_part": "_return_form", "panels_part": "_panels", "call_part": "_call",
}  # fmt: skip
TRICKY = "<b>Fever</b> & \"cough\" \ue000csrf\ue001 {{ patient.name }} 'फ्लू'"


def at_home() -> Consultation:
    clinic = a_clinic()
    return in_the_room(clinic, on_duty(clinic))


def at_a_centre() -> Consultation:
    meena, hub, rao = a_centre_with_specialists()
    return before_the_screen(meena, hub, rao)


def in_writing() -> Consultation:
    meena, hub, rao = a_centre_with_specialists()
    return actions.take_written(consultation=sent(meena, hub, written=True), doctor=rao)


def a_centre_with_specialists() -> tuple[User, Clinic, Doctor]:
    meena = a_health_worker()
    a_specialist(a_hub(centre_of(meena), "dermatology"))
    hub = a_hub(centre_of(meena))
    return meena, hub, on_duty(hub)


def page_of(consultation: Consultation) -> str:
    client = as_staff(consultation.doctor.user)
    return without_csrf(client.get(f"/doctor/consultations/{consultation.uid}/"))


@pytest.mark.parametrize("make", [at_home, at_a_centre, in_writing])
@pytest.mark.parametrize("written", [False, True])
def test_a_kept_part_is_what_its_template_renders_of_this_consultation(make, written):
    consultation = make()
    if written:
        write(consultation)
    page_of(consultation)  # of whoever was there first
    other = make()
    if written:
        write(other, diagnosis="Another one")
    found = DOCTORS_ROOM.first(whose=other.doctor.pk, uid=other.uid)
    found.doctor = other.doctor
    context = room_context(RequestFactory().get("/"), found)
    kept = {name: context.pop(name) for name in TEMPLATES}
    context["patients_seat"] = patients_seat(found)
    for name, template in TEMPLATES.items():
        rendered = render_to_string(f"consult/{template}.html", context)
        assert lines_of(kept[name]) == lines_of(rendered), name


def lines_of(html: str) -> list[str]:
    return [line.strip() for line in html.splitlines() if line.strip()]


def write(consultation: Consultation, diagnosis: str = TRICKY) -> None:
    the_formulary()
    by = consultation.doctor.user
    soon = timezone.localdate() + timedelta(days=3)
    words = {"findings": TRICKY, "diagnosis": diagnosis, "follow_up_on": soon}
    actions.save_note(consultation=consultation, by=by, **words)
    actions.save_lines(consultation=consultation, lines=[PARACETAMOL], by=by)


@pytest.mark.parametrize(
    "note",
    [
        None,
        Note(),
        Note(findings=TRICKY, diagnosis=TRICKY, is_provisional=False, advice="One\r\ntwo"),
        Note(follow_up_on=timezone.localdate(), tests="\ue000tests\ue001", red_flags=" "),
    ],
)
def test_the_fields_of_a_note_hold_what_is_noted_as_a_form_of_them_would(note):
    form = NoteForm(instance=note)
    for name, html in note_fields(note).items():
        rendered = form[name].as_field_group()
        assert html.replace(' value=""', "") == rendered, name


def test_nothing_of_one_patient_comes_into_the_page_of_another():
    clinic = a_clinic()
    first = in_the_room(clinic, on_duty(clinic), a_patient(name="Ravi Das"))
    actions.save_note(consultation=first, by=first.doctor.user, findings="Ravi's throat is red")
    mine = page_of(first)
    assert "Ravi&#x27;s throat is red" in mine
    other = page_of(in_the_room(clinic, on_duty(clinic, a_doctor()), a_patient(name="Asha Menon")))
    assert str(first.uid) not in other
    assert "Ravi" not in other
    assert str(first.uid) in mine
