"""What a doctor is warned of, and that only a reason gets past it."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from consult import actions
from consult.actions import IssueRefused, Line
from consult.models import Consultation, Drug, DrugRule, Observation
from consult.rules.check import check
from tests.factories import (
    PARACETAMOL,
    a_clinic,
    a_doctors_form,
    a_patient,
    as_staff,
    in_the_room,
    on_duty,
    the_formulary,
)

pytestmark = pytest.mark.django_db
AMOXICILLIN = Line("Amoxicillin", "capsule", "500 mg", "1-1-1", "tds", 5)
AMPICILLIN = Line("Ampicillin", "capsule", "500 mg", "1-0-1", "bd", 5)
IBUPROFEN = Line("Ibuprofen", "tablet", "400 mg", "1-0-1", "bd", 3)
WARFARIN = Line("Warfarin", "tablet", "2 mg", "0-0-1", "hs", 30)
SYRUP = Line("Paracetamol", "syrup", "120 mg/5 ml", "5 ml", "tds", 3)


@pytest.fixture
def consultation() -> Consultation:
    the_formulary()
    DrugRule.objects.all().delete()
    # Every generic may be written here: only warnings are looked at.
    DrugRule.objects.bulk_create(
        DrugRule(drug=drug, list="O", use="first", effective_from="2020-01-01", source="here")
        for drug in Drug.objects.all()
    )
    clinic = a_clinic()
    return in_the_room(clinic, on_duty(clinic))


def warned(consultation: Consultation, *lines: Line, **case: object) -> list[str]:
    Consultation.objects.filter(pk=consultation.pk).update(**case)
    by = consultation.doctor.user
    actions.save_note(consultation=consultation, by=by, diagnosis="Fever")
    actions.save_lines(consultation=consultation, lines=list(lines), by=by)
    draft = consultation.prescriptions.get(state="draft")
    consultation.refresh_from_db()
    checked = check(consultation, list(draft.lines.all()), diagnosis="Fever")
    return [one.words for one in checked.warnings]


def test_nothing_is_said_where_there_is_nothing_to_say(consultation):
    assert warned(consultation, PARACETAMOL, allergies="none", medicines="Vitamin D") == []


@pytest.mark.parametrize(
    "told", ["Penicillin", "allergic to penicillins!", "amoxycillin", "PENICILLIN rash"]
)
def test_a_recorded_allergy_by_class_or_other_name(consultation, told):
    assert warned(consultation, AMOXICILLIN, allergies=told) == [
        f"Allergy told: {told}. Amoxicillin (penicillin) may be it."
    ]


def test_an_allergy_in_another_script_is_not_passed_over_in_silence(consultation):
    (words,) = warned(consultation, AMOXICILLIN, allergies="पेनिसिलिन")
    assert words.endswith("पेनिसिलिन. Compare yourself.")
    assert warned(consultation, AMOXICILLIN, allergies="कोई नहीं") == []


def test_the_same_generic_or_class_twice(consultation):
    assert warned(consultation, AMOXICILLIN, AMOXICILLIN) == ["Amoxicillin is written twice."]
    assert warned(consultation, AMOXICILLIN, AMPICILLIN) == [
        "Amoxicillin and Ampicillin are of the same class: penicillin."
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (PARACETAMOL, []),
        (
            Line("Paracetamol", "tablet", "650 mg", "2-2-2-2", "qid", 3),
            ["Paracetamol: 5200 mg a day is outside the usual 500-4000 mg a day."],
        ),
        (
            Line("Paracetamol", "tablet", "1 g", "2", "tds", 3),
            ["Paracetamol: 6000 mg a day is outside the usual 500-4000 mg a day."],
        ),
        (Line("Paracetamol", "tablet", "500 mg", "half", "tds", 3), []),
    ],
)
def test_a_dose_outside_the_usual_for_an_adult(consultation, line, words):
    assert warned(consultation, line) == words


def test_a_childs_dose_goes_by_weight(consultation):
    clinic = consultation.clinic
    child = in_the_room(clinic, on_duty(clinic), a_patient(age=3))
    assert warned(child, SYRUP) == [
        "Paracetamol goes by body weight (30-60 mg/kg a day), which was not measured."
    ]
    weigh(child, 14, timezone.now() - timedelta(days=40))  # it has grown since
    assert "not measured" in warned(child, SYRUP)[0]
    weigh(child, 14, timezone.now())
    assert warned(child, SYRUP) == [
        "Paracetamol: 360 mg a day is outside the usual 30-60 mg/kg a day."
    ]
    weigh(child, 10, timezone.now())
    assert warned(child, SYRUP) == []


def weigh(consultation: Consultation, kg: float, when) -> None:
    Observation.objects.create(
        consultation=consultation, patient=consultation.patient, kind="weight", value=kg,
        loinc="29463-7", unit="kg", taken_at=when, taken_by=consultation.doctor.user,
    )  # fmt: skip


def test_pregnancy(consultation):
    assert warned(consultation, IBUPROFEN, is_pregnant=True) == [
        "Ibuprofen is not to be used in pregnancy."
    ]
    assert warned(consultation, IBUPROFEN, is_pregnant=False) == []


def test_pairs_that_the_committee_entered_also_with_what_is_taken_already(consultation):
    assert warned(consultation, IBUPROFEN, WARFARIN) == ["Ibuprofen with Warfarin: bleeding."]
    assert warned(consultation, IBUPROFEN, medicines="warfarin 2 mg at night") == [
        "Ibuprofen with Warfarin: bleeding."
    ]


# --- past it only with a reason -----------------------------------------------------------------
def press_issue(consultation: Consultation, *lines: Line, **fields: str):
    client = as_staff(consultation.doctor.user)
    save = reverse("consult:save", args=[consultation.uid])
    return client.post(save, a_doctors_form(*lines, issue="1", **fields))


def test_the_page_asks_for_a_reason_and_keeps_it_with_the_prescription(consultation):
    page = press_issue(consultation, AMOXICILLIN, AMPICILLIN)
    shown = page.content.decode()
    assert page.status_code == 409
    assert "Help to look, not a decision" in shown
    low, high = sorted(Drug.objects.filter(drug_class="penicillin").values_list("pk", flat=True))
    field = f"reason-class:{low}-{high}"
    assert f'name="{field}"' in shown
    assert press_issue(consultation, AMOXICILLIN, AMPICILLIN, **{field: "  "}).status_code == 409
    done = press_issue(consultation, AMOXICILLIN, AMPICILLIN, **{field: "Switch on day 3"})
    assert done.status_code == 302
    (kept,) = consultation.prescriptions.get().document["warnings"]
    assert kept["reason"] == "Switch on day 3"
    assert "same class" in kept["words"]


def test_a_reason_for_one_dose_is_none_for_another(consultation):
    line = Line("Paracetamol", "tablet", "650 mg", "2-2-2-2", "qid", 3)
    pk = Drug.objects.get(generic="Paracetamol").pk
    field = f"reason-dose:{pk}:5200"
    higher = Line("Paracetamol", "tablet", "650 mg", "3-3-3-3", "qid", 3)
    assert press_issue(consultation, higher, **{field: "Overdose wanted?"}).status_code == 409
    assert press_issue(consultation, line, **{field: "Overdose wanted?"}).status_code == 302


def test_a_warning_never_writes_a_line_and_never_hides_a_refusal(consultation):
    DrugRule.objects.filter(drug__generic="Warfarin").delete()
    warned(consultation, IBUPROFEN, WARFARIN)
    with pytest.raises(IssueRefused) as error:
        actions.issue_prescription(consultation=consultation, doctor=consultation.doctor)
    assert [one.code for one in error.value.refusals] == ["unknown"]
    assert [line.generic for line in actions.draft_lines(consultation)] == ["Ibuprofen", "Warfarin"]
