"""Every kind of consultation as documents of the national guide, seen by three validators."""

from base64 import b64decode
from copy import deepcopy

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from accounts.models import Patient
from consult.fhir.documents import OP_CONSULT, PRESCRIPTION, WELLNESS, document, kinds_of
from consult.models import Consultation, Note
from tests.fhir import records
from tests.fhir.guide import document_problems, problems
from tests.fhir.profiles import errors

pytestmark = pytest.mark.django_db


def sections_of(bundle: dict) -> list[str]:
    return [section["title"] for section in bundle["entry"][0]["resource"]["section"]]


@pytest.mark.parametrize("make", records.ALL, ids=lambda make: make.__name__)
def test_its_documents_hold_against_the_guide(make):
    record = records.a_record(make())
    kinds = kinds_of(record)
    assert kinds[0] == OP_CONSULT
    for kind in kinds:
        bundle = document(record, kind)
        assert problems(bundle) == []
        assert errors(bundle) == []
        assert document_problems(bundle) == []


def test_what_breaks_the_guide_is_seen():
    """The validators would say so: else the test above proves nothing."""
    bundle = document(records.a_record(records.full()), OP_CONSULT)
    no_version, wrong_code, no_type = deepcopy(bundle), deepcopy(bundle), deepcopy(bundle)
    del no_version["meta"]["versionId"]
    section = wrong_code["entry"][0]["resource"]["section"][0]
    section["code"]["coding"][0]["display"] = "What hurts"
    del no_type["entry"][1]["resource"]["identifier"][0]["type"]
    for broken in (no_version, wrong_code, no_type):
        assert problems(broken) != []


def test_a_full_consultation_has_every_section_in_the_guides_order():
    record = records.a_record(records.full())
    assert kinds_of(record) == [OP_CONSULT, PRESCRIPTION, WELLNESS]
    assert sections_of(document(record, OP_CONSULT)) == [
        "Chief complaints", "Physical examination", "Allergies", "Medical history", "Family history",
        "Investigation advice", "Medications", "Follow-up", "Documents", "Diagnosis",
        "Advice",
    ]  # fmt: skip
    wellness = document(record, WELLNESS)
    assert sections_of(wellness) == ["Vital Signs", "Body Measurement", "General Assessment"]


def test_sections_without_anything_are_left_out():
    bundle = document(records.a_record(records.minimal()), OP_CONSULT)
    assert sections_of(bundle) == ["Chief complaints"]


def test_the_prescription_carries_its_pdf():
    record = records.a_record(records.ten_medicines())
    bundle = document(record, PRESCRIPTION)
    (section,) = bundle["entry"][0]["resource"]["section"]
    assert [entry["type"] for entry in section["entry"]] == ["MedicationRequest"] * 10 + ["Binary"]
    (binary,) = (
        e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Binary"
    )
    assert binary["contentType"] == "application/pdf"


def test_photos_and_reports_travel_along_and_too_large_ones_are_named(monkeypatch):
    record = records.a_record(records.with_files())
    bundle = document(record, OP_CONSULT)
    files = [
        entry["resource"]["content"][0]["attachment"]
        for entry in bundle["entry"]
        if entry["resource"]["resourceType"] == "DocumentReference"
    ]
    assert [(one["contentType"], one["title"]) for one in files] == [
        ("image/jpeg", "फोड़ा left leg.jpg"), ("application/pdf", "Blood count.pdf"),
    ]  # fmt: skip
    for kept, one in zip(record.attachments, files, strict=True):
        with kept.file.open() as stored:
            assert b64decode(one["data"]) == stored.read()
    assert "Come back at once if: Fever, or it spreads" in str(bundle)
    monkeypatch.setattr("consult.fhir.files.MOST", record.attachments[0].size)
    smaller = document(record, OP_CONSULT)
    assert len(smaller["entry"]) == len(bundle["entry"]) - 1
    assert "Blood count.pdf: not in this document" in str(smaller)


def test_a_pdf_that_is_not_there_yet_is_made_for_the_document():
    record = records.a_record(records.many_medicines(3))
    assert not record.prescription.pdf
    made = document(record, PRESCRIPTION)
    assert document(record, PRESCRIPTION) == made
    assert problems(made) == []


def test_only_what_is_completed_is_a_document():
    room = records.a_room()
    assert kinds_of(records.a_record(room)) == []


def test_no_code_is_invented():
    """Words stay words; the one code that a doctor chose is there, and SNOMED is the guide's own."""
    full = records.full()
    by_kind = resources_of(full)
    coded = [c["code"]["coding"][0]["code"] for c in by_kind["Condition"] if "coding" in c["code"]]
    assert coded == ["J03.9"]
    said = [(one["code"]["text"], "clinicalStatus" in one) for one in by_kind["Condition"]]
    assert said[1:] == [("Asthma since childhood", False), ("Acute tonsillitis", True)]
    assert all(
        "coding" not in one["medicationCodeableConcept"] for one in by_kind["MedicationRequest"]
    )
    assert all("coding" not in one["code"] for one in by_kind["AllergyIntolerance"])
    Note.objects.filter(consultation=full).update(icd10="", icd10_title="")
    assert all("coding" not in one["code"] for one in resources_of(full)["Condition"])


def resources_of(consultation: Consultation) -> dict[str, list[dict]]:
    """What its OPConsultRecord holds, by kind."""
    by_kind: dict[str, list[dict]] = {}
    for entry in document(records.a_record(consultation), OP_CONSULT)["entry"]:
        by_kind.setdefault(entry["resource"]["resourceType"], []).append(entry["resource"])
    return by_kind


def test_an_abha_number_is_official_only_after_the_gateway_said_so():
    full = records.full()
    for verified_at, use in [(timezone.now(), "official"), (None, "secondary")]:
        Patient.objects.filter(pk=full.patient_id).update(abha_verified_at=verified_at)
        assert ids_in(full) == [
            ("MR", full.patient.number, None),
            ("HIN", "91-1000-0000-0008", use),
            ("ABHA", "asha@abdm", use),
        ]
    assert [code for code, *_rest in ids_in(records.with_odd_letters())] == ["MR"]


def ids_in(consultation: Consultation) -> list[tuple[str, str, str | None]]:
    """Of the patient: which, its value, its use."""
    (patient,) = resources_of(consultation)["Patient"]
    return [
        (one["type"]["coding"][0]["code"], one["value"], one.get("use"))
        for one in patient["identifier"]
    ]


def test_the_same_rows_give_the_same_document_in_any_language():
    made = records.hub_with_referral()
    first = [document(records.a_record(made), kind) for kind in kinds_of(records.a_record(made))]
    with translation.override("hi"):
        record = records.a_record(Consultation.objects.get(pk=made.pk))
        assert [document(record, kind) for kind in kinds_of(record)] == first


def test_a_document_of_ten_medicines_costs_four_queries():
    made = records.ten_medicines()
    with CaptureQueriesContext(connection) as queries:
        record = records.a_record(made)
        document(record, OP_CONSULT)
    assert len(queries) == 4
