"""Writing fast: the search, doses, sets, the last prescription once more."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from consult import actions
from consult.actions import Line
from consult.actions.formulary import apply_rows
from consult.models import Consultation, DrugName, MedicineSet, Prescription
from consult.rules.dose import (
    frequency_of,
    mg_a_day,
    quantity_of,
    shown,
    times_of_day,
    unit_of,
)
from consult.views.doctor import drugs
from tests.factories import (
    PARACETAMOL,
    a_clinic,
    a_doctor,
    a_doctors_form,
    a_user,
    as_patient,
    as_staff,
    in_the_room,
    on_duty,
    prescribed,
    the_formulary,
)


@pytest.fixture
def consultation(db) -> Consultation:
    the_formulary()
    clinic = a_clinic()
    return in_the_room(clinic, on_duty(clinic))


def press(consultation: Consultation, button: str, *lines: Line, value: str = "1", **fields: str):
    client = as_staff(consultation.doctor.user)
    path = reverse("consult:save", args=[consultation.uid])
    return client.post(path, a_doctors_form(*lines, **{button: value}, **fields), follow=True)


def drafted(consultation: Consultation) -> list[str]:
    return [line.generic for line in actions.draft_lines(consultation)]


# --- the dose -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("dose", "frequency", "times", "unit"),
    [
        ("1-0-1", "", "1 0 0 1", ""),
        ("1-1-1", "", "1 1 0 1", ""),
        ("1-1-1-1", "", "1 1 1 1", ""),
        ("½-0-1½", "", "½ 0 0 1½", ""),
        ("1/2 - 0 - 1 1/2", "", "½ 0 0 1½", ""),
        ("१-०-१", "", "1 0 0 1", ""),
        ("1", "tds", "1 1 0 1", ""),
        ("2 tablets", "bd", "2 0 0 2", ""),
        ("5 ml", "qid", "5 5 5 5", "ml"),
        ("2.5 ml", "hs", "0 0 0 2½", "ml"),
        ("1", "sos", None, ""),
        ("a thin layer", "bd", None, ""),
        ("0-0-0", "od", None, None),
    ],
)
def test_when_how_much_is_taken(dose, frequency, times, unit):
    if dose == "0-0-0":
        assert frequency_of(dose) is None
        return
    read = times_of_day(dose, frequency or frequency_of(dose))
    assert (" ".join(map(shown, read)) if read else None) == times
    assert unit_of(dose) == unit


@pytest.mark.parametrize(
    ("dose", "often"),
    [
        ("1-0-0", "od"),
        ("0-0-1", "hs"),
        ("1-0-1", "bd"),
        ("1-1-1", "tds"),
        ("1-1-1-1", "qid"),
        ("1", None),
        ("", None),
        ("1-1", None),
        ("x-0-1", None),
        ("1-0-1-0-1", None),
    ],
)
def test_how_often_a_pattern_is(dose, often):
    assert frequency_of(dose) == often


@pytest.mark.parametrize(
    ("form", "dose", "frequency", "days", "quantity"),
    [
        ("tablet", "1-0-1", "bd", 5, 10),
        ("tablet", "½-0-0", "od", 5, 3),
        ("capsule", "2", "tds", 7, 42),
        ("tablet", "1", "weekly", 10, 2),
        ("tablet", "2", "stat", 1, 2),
        ("tablet", "1", "sos", 5, None),
        ("syrup", "5 ml", "tds", 5, None),
        ("tablet", "5 ml", "tds", 5, None),
        ("cream", "1", "bd", 5, None),
    ],
)
def test_days_and_dose_give_the_quantity(form, dose, frequency, days, quantity):
    assert quantity_of(form, dose, frequency, days) == quantity


@pytest.mark.parametrize(
    ("strength", "dose", "frequency", "mg"),
    [
        ("500 mg", "1-0-1", "bd", "1000"),
        ("1 g", "1", "tds", "3000"),
        ("400 mcg", "1", "od", "0.4"),
        ("120 mg/5 ml", "5 ml", "qid", "480"),
        ("100 mg/ml", "0.5 ml", "tds", "150"),
        ("500 mg", "250 mg", "bd", "500"),
        ("500 mg + 125 mg", "1", "bd", None),
        ("500 mg", "5 ml", "bd", None),
        ("2 %", "1", "bd", None),
        ("500 mg", "1", "sos", None),
    ],
)
def test_how_many_mg_a_day_only_where_it_is_certain(strength, dose, frequency, mg):
    assert mg_a_day(strength, dose, frequency) == (Decimal(mg) if mg else None)


def test_a_pattern_needs_no_frequency_and_days_no_quantity(consultation):
    line = Line("Paracetamol", "tablet", "500 mg", "1-0-1", "", 5)
    press(consultation, "issue", line)
    kept = Prescription.objects.get().document["lines"][0]
    assert (kept["frequency"], kept["quantity"]) == ("bd", 10)
    assert kept["times"] == ["1", "0", "0", "1"]


def test_a_dose_in_words_needs_a_frequency_and_a_typed_quantity_counts(consultation):
    words = Line("Paracetamol", "tablet", "500 mg", "one with pain", "", 5)
    page = press(consultation, "issue", words)
    assert page.status_code == 422
    assert "Say how often, or write the dose like 1-0-1." in page.content.decode()
    press(consultation, "issue", Line("Paracetamol", "tablet", "500 mg", "1-0-1", "", 5, "", 15))
    assert Prescription.objects.get().document["lines"][0]["quantity"] == 15


# --- the search ---------------------------------------------------------------------------------
@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch) -> None:
    """Of the search before; and no minute ends in the middle of a test."""
    drugs.answer_to.cache_clear()
    monkeypatch.setattr(drugs, "KEPT_HERE", float("inf"))


def found(client, typed: str) -> list[dict]:
    answer = client.get(reverse("consult:drugs"), {"q": typed})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "private, max-age=540"
    assert "Cookie" in answer.headers["Vary"]  # whoever signs in after this doctor asks anew
    return answer.json()["rows"]


def test_it_says_whether_a_longer_text_is_found_in_what_was_found(consultation):
    client = as_staff(consultation.doctor.user)
    paracetamol = DrugName.objects.get(name="Paracetamol")
    for other in ("Paracetamol of the bench", "Acetaminophen or paracetamol"):
        assert is_whole(client, "para")
        DrugName.objects.create(drug=paracetamol.drug, name=other, key=other.casefold())
        drugs.answer_to.cache_clear()
        assert not is_whole(client, "para")  # by another name of the same drug
        DrugName.objects.filter(name=other).delete()
        drugs.answer_to.cache_clear()
    assert not is_whole(client, "in")  # more than are shown
    assert is_whole(client, "zzzz")


def is_whole(client, typed: str) -> bool:
    return client.get(reverse("consult:drugs"), {"q": typed}).json()["whole"]


def test_a_few_letters_of_any_name_find_the_generic_its_forms_and_its_list(consultation):
    client = as_staff(consultation.doctor.user)
    rows = found(client, "para")
    assert rows[-1]["generic"] == "White soft paraffin"  # what begins so comes first
    first = rows[0]
    assert list(first.values())[:3] == ["Paracetamol", "Paracetamol", "tablet"]
    assert (first["strength"], first["rule"]) == ("500 mg", "List O")
    assert found(client, "acetamin")[0]["generic"] == "Paracetamol"
    assert found(client, "ORS")[0]["generic"] == "Oral rehydration salts"
    assert found(client, "muPIro")[0]["rule"] == "List A: video, refill"
    assert found(client, "enal")[0]["rule"] == "List A + List B: refill, add-on at follow-up"
    assert found(client, "morph")[0]["rule"] == "prohibited"
    assert found(client, "acid fol")[0]["generic"] == "Folic acid"
    for nothing in ["", "p", "zzzz", "%", "_____", "' OR 1=1"]:
        assert found(client, nothing) == []


def test_an_answer_is_kept_for_all_doctors_for_a_minute_and_read_in_3_queries(
    consultation, monkeypatch
):
    clients = [as_staff(consultation.doctor.user), as_staff(a_doctor().user)]

    def queries(client) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert len(found(client, "test")) == 12
        return sum('"consult_' in query["sql"] for query in captured)

    rule = {"list": "O", "use": "first", "source": "x", "effective_from": "2026-01-01"}
    shape = {"form": "tablet", "strength": "1 mg", "route": "oral"}
    for number in range(30):
        apply_rows([{"generic": f"Testin {number}", **rule, **shape}], change=None)
    assert [queries(client) for client in clients] == [3, 0]
    apply_rows([{"generic": "Test", **rule, **shape}], change=None)
    assert found(clients[0], "test")[0]["generic"] != "Test"
    monkeypatch.setattr(drugs, "KEPT_HERE", 1e-6)
    assert found(clients[0], "test")[0]["generic"] == "Test"
    path = reverse("consult:drugs")
    assert Client().get(path, {"q": "para"}).status_code == 403
    assert as_patient(a_user()).get(path, {"q": "para"}).status_code == 403
    assert as_patient(consultation.doctor.user).get(path, {"q": "para"}).status_code == 403


# --- sets ---------------------------------------------------------------------------------------
ORS = Line("Oral rehydration salts", "sachet", "20.5 g", "one glass", "sos", 3)


def test_a_set_is_kept_used_and_deleted_by_its_doctor(consultation):
    page = press(consultation, "save_set", PARACETAMOL, ORS, set_name=" fever  adult ")
    assert "Kept as “fever adult”." in page.content.decode()
    kept = MedicineSet.objects.get()
    press(consultation, "save", initial=2)
    assert drafted(consultation) == []
    press(consultation, "use_set", PARACETAMOL, value=str(kept.uid))
    assert drafted(consultation) == ["Paracetamol", "Oral rehydration salts"]
    press(consultation, "delete_set", PARACETAMOL, value=str(kept.uid))
    assert not MedicineSet.objects.exists()


def test_a_set_of_the_same_name_is_replaced_and_an_empty_one_is_none(consultation):
    for line in (PARACETAMOL, ORS):
        press(consultation, "save_set", line, set_name="fever")
    assert [line["generic"] for line in MedicineSet.objects.get().lines] == [ORS.generic]
    page = press(consultation, "save_set", PARACETAMOL, set_name=" ")
    assert "Write medicines and a name for the set first." in page.content.decode()


def test_another_doctors_set_is_not_there(consultation):
    theirs = MedicineSet.objects.create(doctor=a_doctor(), name="x", lines=[])
    for button in ("use_set", "delete_set"):
        for value in (str(theirs.uid), "no-id"):
            assert press(consultation, button, PARACETAMOL, value=value).status_code == 404
    assert MedicineSet.objects.filter(pk=theirs.pk).exists()


def test_the_last_prescription_comes_back_as_a_draft_that_the_rules_look_at_anew(consultation):
    page = press(consultation, "repeat_last")
    assert "There is no earlier prescription of this patient here." in page.content.decode()
    prescribed(consultation, PARACETAMOL, ORS)
    actions.complete(consultation=consultation, by=consultation.doctor.user)
    later = in_the_room(consultation.clinic, consultation.doctor, consultation.patient)
    press(later, "repeat_last", PARACETAMOL)
    assert drafted(later) == ["Paracetamol", "Oral rehydration salts"]
    assert later.prescriptions.get().state == "draft"
