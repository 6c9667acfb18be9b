"""What the two validators do not look at: HL7's invariants, its vital signs, who may be referred to."""

from copy import deepcopy
from typing import Any

import pytest

from consult.fhir.documents import OP_CONSULT, WELLNESS, document, kinds_of
from tests.fhir import records
from tests.fhir.guide import vital_sign_problems, wrong_targets
from tests.fhir.invariants import broken

pytestmark = pytest.mark.django_db


def changed(bundle: dict[str, Any], kind: str, **fields: Any) -> dict[str, Any]:
    """The bundle with other fields in its first resource of this kind; None takes one away."""
    other = deepcopy(bundle)
    found = next(e["resource"] for e in other["entry"] if e["resource"]["resourceType"] == kind)
    for name, value in fields.items():
        found.pop(name, None)
        if value is not None:
            found[name] = value
    return other


@pytest.mark.parametrize("make", records.ALL, ids=lambda make: make.__name__)
def test_every_invariant_holds_and_every_reference_is_allowed(make):
    record = records.a_record(make())
    for kind in kinds_of(record):
        bundle = document(record, kind)
        assert broken(bundle) == []
        assert wrong_targets(bundle) == []


@pytest.mark.parametrize("make", [records.full, records.half_a_pressure])
def test_vital_signs_are_those_of_hl7(make):
    assert vital_sign_problems(document(records.a_record(make()), WELLNESS)) == []


def test_what_breaks_an_invariant_is_seen():
    """Else the tests above would prove nothing."""
    bundle = document(records.a_record(records.full()), OP_CONSULT)
    empty = '<div xmlns="http://www.w3.org/1999/xhtml"><p> </p></div>'
    script = '<div xmlns="http://www.w3.org/1999/xhtml"><script>1</script></div>'
    day = {"value": 3, "code": "d"}
    for wrong, rule in [
        (changed(bundle, "Appointment", end=None), "app-2"),
        (changed(bundle, "Patient", text=None), "dom-6"),
        (changed(bundle, "Patient", telecom=[{"value": "12"}]), "cpt-2"),
        (changed(bundle, "Patient", text={"status": "generated", "div": empty}), "txt-2"),
        (changed(bundle, "Patient", text={"status": "generated", "div": script}), "txt-1"),
        (changed(bundle, "MedicationRequest", dispenseRequest={"quantity": day}), "qty-3"),
        (changed(bundle, "DocumentReference", content=[{"attachment": {"data": "AA=="}}]), "att-1"),
        (
            changed(bundle, "Encounter", period={"start": "2026-02-02", "end": "2026-01-01"}),
            "per-1",
        ),
        ({**bundle, "identifier": None}, "bdl-9"),
    ]:
        assert any(f": {rule} " in one for one in broken(wrong)), rule


def test_a_reference_to_the_wrong_kind_is_seen():
    bundle = document(records.a_record(records.full()), OP_CONSULT)
    patient = bundle["entry"][1]["fullUrl"]
    wrong = changed(bundle, "Encounter", serviceProvider={"reference": patient})
    assert len(wrong_targets(wrong)) == 1
    composition = deepcopy(bundle)
    composition["entry"][0]["resource"]["section"][0]["entry"] = [{"reference": patient}]
    assert len(wrong_targets(composition)) == 1


def test_a_pulse_in_another_unit_is_seen():
    wellness = deepcopy(document(records.a_record(records.full()), WELLNESS))
    for entry in wellness["entry"]:
        entry["resource"].get("valueQuantity", {}).update(code="1/s")
    assert len(vital_sign_problems(wellness)) >= 3
