"""Issuing against the formulary: each rule on real rows, at the moment of issue."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import AuditEvent, Patient
from consult import actions
from consult.actions import IssueRefused, Line
from consult.actions.formulary import apply_rows
from consult.models import Consultation, Drug, DrugRule, PrescriptionLine
from consult.rules import check
from tests.factories import (
    PARACETAMOL,
    a_clinic,
    a_doctor,
    a_doctors_form,
    a_patient,
    as_staff,
    in_the_room,
    issued_with_reasons,
    on_duty,
    prescribed,
    the_formulary,
)

pytestmark = pytest.mark.django_db
MUPIROCIN = Line("Mupirocin", "cream", "2 %", "thin layer", "bd", 5)
ENALAPRIL = Line("Enalapril", "tablet", "5 mg", "1-0-0", "od", 30)
ATENOLOL = Line("Atenolol", "tablet", "50 mg", "1-0-0", "od", 30)
THIAZIDE = Line("Hydrochlorothiazide", "tablet", "25 mg", "1-0-0", "od", 30)
MORPHINE = Line("Morphine", "tablet", "10 mg", "1-0-1", "bd", 3)


@pytest.fixture
def consultation() -> Consultation:
    the_formulary()
    clinic = a_clinic()
    return in_the_room(clinic, on_duty(clinic))


def write(consultation: Consultation, *lines: Line, diagnosis: str = "Hypertension") -> None:
    by = consultation.doctor.user
    actions.save_note(consultation=consultation, by=by, diagnosis=diagnosis)
    actions.save_lines(consultation=consultation, lines=list(lines), by=by)


def refused(consultation: Consultation) -> list[str]:
    """The codes of what stands in the way."""
    with pytest.raises(IssueRefused) as error:
        actions.issue_prescription(consultation=consultation, doctor=consultation.doctor)
    codes = [refusal.code for refusal in error.value.refusals]
    return codes or [error.value.reason]


def seen_in_person(consultation: Consultation, **fields):
    typed = {
        "condition": "Hypertension",
        "seen_on": timezone.localdate() - timedelta(days=30),
        "place": "PHC Ernakulam",
        "medicines": "Atenolol",
    } | fields
    return actions.record_visit(consultation=consultation, by=consultation.doctor.user, **typed)


# --- the lists ----------------------------------------------------------------------------------
def test_in_writing_list_o_is_issued_and_every_other_list_is_refused_with_its_reason(consultation):
    write(consultation, PARACETAMOL, MUPIROCIN, ENALAPRIL, THIAZIDE, MORPHINE)
    assert refused(consultation) == ["video_only", "refill_only", "add_on_only", "prohibited"]
    write(consultation, PARACETAMOL)
    issued = issued_with_reasons(consultation)
    rule = issued.document["lines"][0]["rule"]
    assert (rule["list"], rule["use"], rule["effective_from"]) == ("O", "first", "2020-03-25")
    assert "Telemedicine Practice Guidelines 2020" in rule["source"]
    assert (issued.document["mode"], issued.document["consult_type"]) == ("text", "first")


@pytest.mark.parametrize(
    ("mode", "codes"), [("text", ["video_only"]), ("audio", ["video_only"]), ("video", [])]
)
def test_a_first_prescription_of_list_a_needs_video_that_flowed(consultation, mode, codes):
    line = PrescriptionLine(
        position=1, generic="Mupirocin", strength="2 %", dose="x", frequency="bd"
    )
    checked = check(consultation, [line], diagnosis="Impetigo", mode=mode)
    assert [refusal.code for refusal in checked.refusals] == codes


def test_after_half_a_minute_of_video_that_flowed_the_same_draft_is_issued(consultation):
    write(consultation, MUPIROCIN)
    for seconds in (0, 29):
        Consultation.objects.filter(pk=consultation.pk).update(video_seconds=seconds)
        assert refused(consultation) == ["video_only"]
    Consultation.objects.filter(pk=consultation.pk).update(video_seconds=30)
    issued = issued_with_reasons(consultation)
    assert issued.document["mode"] == "video"
    assert issued.document["lines"][0]["rule"]["video_only"] is True


def test_the_page_says_which_rule_and_what_to_do_instead(consultation):
    save = reverse("consult:save", args=[consultation.uid])
    client = as_staff(consultation.doctor.user)
    page = client.post(save, a_doctors_form(MUPIROCIN, issue="1"))
    assert page.status_code == 409
    shown = page.content.decode()
    for words in ["needs a video consultation", "Talk by video", "List A, first prescription"]:
        assert words in shown
    assert "Telemedicine Practice Guidelines 2020, list A" in shown
    assert 'value="Mupirocin"' in shown  # nothing is lost
    assert consultation.prescriptions.get().state == "draft"


def test_what_the_rules_say_comes_with_each_save_before_anything_is_pressed(consultation):
    client = as_staff(consultation.doctor.user)
    path = reverse("consult:save", args=[consultation.uid])

    def saved(*lines: Line) -> str:
        form = a_doctors_form(*lines)
        return client.post(path, form, headers={"X-Requested-With": "fetch"}).text

    assert "<strong>" not in saved()
    assert "may never be prescribed" in saved(MORPHINE)
    assert "The rules allow what is written" in saved(PARACETAMOL)
    half = saved(PARACETAMOL, replace(MORPHINE, days=999))
    assert "The rules allow the medicines that are complete" in half


def test_a_medicine_that_nobody_classified_is_refused_until_the_committee_does(consultation):
    write(consultation, Line("Novumab", "injection", "10 mg", "1", "od", 1))
    assert refused(consultation) == ["unknown"]
    apply_rows([rule_row("Novumab", "O", "first")], change=None)
    assert issued_with_reasons(consultation).state == "issued"


# --- continuing ---------------------------------------------------------------------------------
def test_a_medicine_of_an_earlier_prescription_here_may_be_continued_in_writing(consultation):
    Drug.objects.get(generic="Atenolol").rules.update(list="O", use="first")
    earlier = prescribed(consultation, ATENOLOL)
    DrugRule.objects.filter(drug__generic="Atenolol").update(list="A", use="refill")
    actions.complete(consultation=consultation, by=consultation.doctor.user)
    later = in_the_room(consultation.clinic, consultation.doctor, consultation.patient)
    write(later, ATENOLOL)
    assert issued_with_reasons(later).document["lines"][0]["rule"]["use"] == "refill"
    earlier.refresh_from_db()
    other = in_the_room(consultation.clinic, on_duty(consultation.clinic))
    write(other, ATENOLOL)
    assert refused(other) == ["refill_only"]  # another patient's prescription is none


def test_a_correction_does_not_take_its_own_first_version_for_an_earlier_one(consultation):
    Drug.objects.get(generic="Atenolol").rules.update(list="O", use="first")
    prescribed(consultation, ATENOLOL)
    DrugRule.objects.filter(drug__generic="Atenolol").update(list="A", use="refill")
    actions.revise_prescription(consultation=consultation, by=consultation.doctor.user)
    assert refused(consultation) == ["refill_only"]


def test_an_earlier_prescription_on_paper_counts_for_six_months(consultation):
    write(consultation, ENALAPRIL)
    by, today = consultation.doctor.user, timezone.localdate()
    for days, outcome in [(200, ["refill_only"]), (20, None)]:
        actions.record_paper(
            consultation=consultation, by=by, generic="enalapril", written_by="Dr Das",
            written_on=today - timedelta(days=days),
        )  # fmt: skip
        if outcome:
            assert refused(consultation) == outcome
    assert issued_with_reasons(consultation).document["lines"][0]["rule"]["use"] == "refill"
    assert AuditEvent.objects.filter(action="paper.record", by=by).count() == 2


# --- follow-up ----------------------------------------------------------------------------------
def test_list_b_is_added_at_follow_up_of_a_visit_in_person_with_a_medicine_given_there(
    consultation,
):
    write(consultation, THIAZIDE)
    assert refused(consultation) == ["add_on_only"]
    visit = seen_in_person(consultation)
    issued = issued_with_reasons(consultation)
    assert issued.document["lines"][0]["rule"]["list"] == "B"
    assert issued.document["consult_type"] == "follow_up"
    assert issued.document["visit"] == {
        "condition": "Hypertension", "seen_on": visit.seen_on.isoformat(), "place": "PHC Ernakulam",
    }  # fmt: skip
    actions_done = AuditEvent.objects.filter(patient=consultation.patient)
    assert {"visit.record", "visit.link"} <= set(actions_done.values_list("action", flat=True))


@pytest.mark.parametrize(
    "wrong",
    [
        {"condition": "Diabetes"},
        {"medicines": ""},
        {"medicines": "Hydrochlorothiazide"},
        {"seen_on": "too long ago"},
    ],
)
def test_a_visit_for_something_else_or_long_ago_makes_no_follow_up(consultation, wrong):
    if "seen_on" in wrong:
        wrong = {"seen_on": timezone.localdate() - timedelta(days=190)}
    write(consultation, THIAZIDE)
    seen_in_person(consultation, **wrong)
    assert refused(consultation) == ["add_on_only"]


def test_another_doctors_visit_cannot_be_linked(consultation):
    visit = seen_in_person(consultation)
    visit.doctor = a_doctor()
    visit.save()
    write(consultation, THIAZIDE)
    assert refused(consultation) == ["add_on_only"]
    with pytest.raises(actions.history.MoveRefused):
        actions.link_visit(consultation=consultation, visit=visit, by=consultation.doctor.user)


def test_without_a_link_it_is_a_first_consultation_and_a_link_can_be_taken_back(consultation):
    seen_in_person(consultation)
    write(consultation, THIAZIDE)
    actions.unlink_visit(consultation=consultation, by=consultation.doctor.user)
    assert refused(consultation) == ["add_on_only"]


# --- between draft and issue --------------------------------------------------------------------
def rule_row(generic: str, of_list: str, use: str, day=None) -> dict[str, str]:
    return {
        "generic": generic, "list": of_list, "use": use, "source": "committee",
        "effective_from": (day or timezone.localdate()).isoformat(),
    }  # fmt: skip


def test_a_rule_that_changed_since_the_draft_decides_and_the_kept_rule_stays(consultation):
    first = prescribed(consultation, PARACETAMOL)
    actions.revise_prescription(consultation=consultation, by=consultation.doctor.user)
    apply_rows([rule_row("Paracetamol", "X", "")], change=None)
    assert refused(consultation) == ["prohibited"]
    assert first.document["lines"][0]["rule"]["list"] == "O"
    rules = Drug.objects.get(generic="Paracetamol").rules.order_by("effective_from")
    yesterday = timezone.localdate() - timedelta(days=1)
    assert [(rule.list, rule.effective_to) for rule in rules] == [("O", yesterday), ("X", None)]


def test_a_rule_from_tomorrow_on_does_not_count_today(consultation):
    tomorrow = timezone.localdate() + timedelta(days=1)
    apply_rows([rule_row("Paracetamol", "X", "", tomorrow)], change=None)
    write(consultation, PARACETAMOL)
    assert issued_with_reasons(consultation).state == "issued"
    line = PrescriptionLine(
        position=1, generic="Paracetamol", strength="1", dose="1", frequency="od"
    )
    checked = check(consultation, [line], diagnosis="x", day=tomorrow)
    assert [refusal.code for refusal in checked.refusals] == ["prohibited"]


def test_a_renamed_medicine_is_issued_under_its_new_name_and_a_withdrawn_one_not(consultation):
    write(consultation, PARACETAMOL)
    apply_rows([{"generic": "Paracetamol", "new_name": "Acetaminophenum"}], change=None)
    issued = issued_with_reasons(consultation)
    line = issued.document["lines"][0]
    assert (line["generic"], line["as_written"]) == ("Acetaminophenum", "Paracetamol")
    # The other tab still says the old name: the same words, so nothing changes.
    assert (
        actions.save_lines(
            consultation=consultation, lines=[PARACETAMOL], by=consultation.doctor.user
        )
        is None
    )
    today = timezone.localdate().isoformat()
    apply_rows([{"generic": "Folic acid", "withdrawn_on": today}], change=None)
    other = in_the_room(consultation.clinic, on_duty(consultation.clinic))
    write(other, Line("folic  ACID", "tablet", "5 mg", "1", "od", 3))
    assert refused(other) == ["withdrawn"]


def test_a_doctor_whose_verification_ended_meanwhile_is_refused(consultation):
    write(consultation, PARACETAMOL)
    doctor = consultation.doctor
    assert doctor.is_verified
    type(doctor).objects.filter(pk=doctor.pk).update(verified_at=None, verified_by=None)
    assert refused(consultation) == ["not_verified"]  # whatever the object in hand says


# --- the patient --------------------------------------------------------------------------------
def test_a_minor_only_with_the_adult_and_nobody_without_an_age(consultation):
    clinic = consultation.clinic
    child = in_the_room(clinic, on_duty(clinic), a_patient(age=9))
    write(child, PARACETAMOL)
    assert refused(child) == ["minor_alone"]
    Patient.objects.filter(pk=child.patient_id).update(
        guardian_name="Leela", guardian_relation="mother"
    )
    with translation.override("en"):
        assert issued_with_reasons(child).document["patient"]["guardian"] == "Leela, mother"
    Patient.objects.filter(pk=consultation.patient_id).update(
        birth_date=timezone.localdate() + timedelta(days=1)
    )
    write(consultation, PARACETAMOL)
    assert refused(consultation) == ["no_age"]
