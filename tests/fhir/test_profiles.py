"""That the validator of the tests sees what is wrong: else its silence would prove nothing."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from consult.fhir.documents import OP_CONSULT, PRESCRIPTION, WELLNESS, document
from tests.fhir import records
from tests.fhir.guide import document_problems
from tests.fhir.profiles import errors

pytestmark = pytest.mark.django_db
Bundle = dict[str, Any]
LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
EMPTY = '<div xmlns="http://www.w3.org/1999/xhtml"><p> </p></div>'
SCRIPT = '<div xmlns="http://www.w3.org/1999/xhtml"><script>1</script></div>'


def of(bundle: Bundle, kind: str) -> dict[str, Any]:
    """The first resource of this kind; the bundle is one."""
    resources = [bundle, *(entry["resource"] for entry in bundle["entry"])]
    return next(one for one in resources if one["resourceType"] == kind)


def changed(kind: str, **fields: Any) -> Callable[[Bundle], None]:
    """Other fields in the first resource of this kind; None takes one away."""

    def change(bundle: Bundle) -> None:
        for name, value in fields.items():
            of(bundle, kind).pop(name, None)
            if value is not None:
                of(bundle, kind)[name] = value

    return change


def coded(system: str, code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}]}


# What is done to the report of a consultation with everything, and what must be said of it.
WRONGS = [
    (changed("Appointment", end=None), ": app-2 "),
    (changed("Patient", text=None), ": dom-6 "),
    (changed("Patient", telecom=[{"value": "12"}]), ": cpt-2 "),
    (changed("Patient", text={"status": "generated", "div": EMPTY}), ": txt-2 "),
    (changed("Patient", text={"status": "generated", "div": SCRIPT}), ": txt-1 "),
    (changed("MedicationRequest", dispenseRequest={"quantity": {"value": 3, "code": "d"}}), ": qty-3 "),
    (changed("DocumentReference", content=[{"attachment": {"data": "AA=="}}]), ": att-1 "),
    (changed("Encounter", period={"start": "2026-02-02", "end": "2026-01-01"}), ": per-1 "),
    (changed("Bundle", identifier=None), ": bdl-9 "),
    (changed("Patient", nickname="Ash"), "['nickname'] is not known"),
    (changed("Patient", identifier=None), "0 of at least 1 (Patient.identifier)"),
    (changed("Patient", birthDate="2 April 1991"), "is no date"),
    (changed("Patient", gender="lady"), "is not of http://hl7.org/fhir/ValueSet/administrative-gender"),
    (changed("Patient", identifier=[{"type": {}, "system": "mr", "value": "1"}]), "no absolute address"),
    (changed("Practitioner", id="a" * 65), "is no id"),
    (changed("Encounter", status="over"), "is not of http://hl7.org/fhir/ValueSet/encounter-status"),
    (changed("Appointment", created="2026-11-24T10:00:00"), "is no dateTime"),
    (changed("Composition", type=coded(SNOMED, "371530004", "Letter")), "is not what Composition.type"),
    (changed("Condition", code=coded("http://www.whocc.no/atc", "J01", "Antibacterials")), "fits no slice"),
    (changed("AllergyIntolerance", code=coded(SNOMED, "1", "Dust")), "1 is not of http://snomed.info"),
    (changed("Observation", code=coded(LOINC, "8867-4", "Pulse")), "is not how http://loinc.org calls"),
    (changed("Observation", valueQuantity={"value": 3, "unit": "x", "system": "http://unitsofmeasure.org",
                                           "code": "furlongs"}), "furlongs is not of"),
    (changed("Observation", valueBoolean=True, valueQuantity=None), "is of no type that"),
]  # fmt: skip


def test_what_breaks_the_definitions_is_seen():
    bundle = document(records.a_record(records.full()), OP_CONSULT)
    assert errors(bundle) == []
    for spoil, words in WRONGS:
        wrong = deepcopy(bundle)
        spoil(wrong)
        assert any(words in one for one in errors(wrong)), words


def test_a_reference_to_the_wrong_kind_is_seen():
    bundle = document(records.a_record(records.full()), OP_CONSULT)
    patient = {"reference": bundle["entry"][1]["fullUrl"]}
    wrong = deepcopy(bundle)
    of(wrong, "Encounter")["serviceProvider"] = patient
    assert any("is none of" in one for one in errors(wrong))
    wrong = deepcopy(bundle)
    of(wrong, "Composition")["section"][0]["entry"] = [patient]
    assert any("is none of" in one for one in errors(wrong))


def test_vital_signs_are_held_to_hl7s_own_profiles():
    wellness = document(records.a_record(records.half_a_pressure()), WELLNESS)
    assert errors(wellness) == []
    for entry in wellness["entry"]:
        entry["resource"].get("valueQuantity", {}).update(code="t")
        entry["resource"].get("component", [{}]).pop()
    assert {one.partition(" as ")[2].split(".")[0] for one in errors(wellness)} >= {
        "bp",
        "bodyweight",
    }


def test_sections_and_their_entries_are_held_to_the_slices():
    record = records.a_record(records.full())
    report, prescription = document(record, OP_CONSULT), document(record, PRESCRIPTION)
    sections = of(report, "Composition")["section"]
    sections.insert(0, sections.pop())  # of no slice, and not at the end
    sections.append(sections[1])
    found = errors(report)
    assert any("what is of no slice stands at the end" in one for one in found)
    assert any("2 of at most 1 (Composition.section:ChiefComplaints)" in one for one in found)
    of(prescription, "Composition")["section"][0]["entry"][0]["type"] = "Patient"
    assert any("fits no slice" in one for one in errors(prescription))


def test_what_makes_a_bundle_no_document_is_seen():
    bundle = document(records.a_record(records.minimal()), OP_CONSULT)
    assert document_problems(bundle) == []
    lonely, twice, upper, backwards = (deepcopy(bundle) for _ in range(4))
    of(lonely, "Encounter").pop("participant")
    of(lonely, "Composition").update(author=[], attester=[])
    twice["entry"].append(twice["entry"][1])
    upper["entry"][1]["fullUrl"] = upper["entry"][1]["fullUrl"].upper()
    backwards["entry"].reverse()
    for wrong in (lonely, twice, upper, backwards):
        assert document_problems(wrong) != []
