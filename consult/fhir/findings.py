"""What was wrong and what was found: Encounter, Condition, AllergyIntolerance, Observation."""

from decimal import Decimal
from typing import Any

from accounts.models import Facility
from consult.fhir import codes
from consult.fhir.parts import (
    Links,
    Resource,
    clean,
    concept,
    filled,
    narrative,
    our_system,
    reference,
    resource,
    when,
)
from consult.fhir.people import organization_id, patient_id, practitioner_id
from consult.fhir.records import Record, newest
from consult.models import Consultation, Note, Observation
from consult.vitals import BLOOD_PRESSURE_PANEL, BODY_MASS_INDEX, PRESSURE, Vital

BODY = {"weight", "height"}
DIAGNOSIS = "diagnosis"  # ends the id of its Condition


def encounter_id(consultation: Consultation) -> str:
    return str(consultation.uid)


def about(consultation: Consultation, links: Links) -> dict[str, Any]:
    """Whom and which encounter a resource belongs to."""
    return {
        "subject": reference(
            links, "Patient", patient_id(consultation.patient), clean(consultation.patient.name)
        ),
        "encounter": reference(links, "Encounter", encounter_id(consultation)),
    }


def place_of(consultation: Consultation) -> Facility | None:
    """Where the doctor sits, else where the patient was brought."""
    doctor = consultation.doctor
    return (doctor.facility if doctor else None) or consultation.facility


def encounter(record: Record, links: Links) -> Resource:
    row = record.consultation
    place = place_of(row)
    return resource(
        "Encounter",
        encounter_id(row),
        text=narrative([f"Teleconsultation, {row.clinic.name}"]),
        identifier=[{"system": our_system("consultation"), "value": str(row.uid)}],
        status=_status(row),
        **{"class": codes.VIRTUAL},  # type: ignore[arg-type]
        serviceType=concept(clean(row.clinic.speciality.name)),
        subject=about(row, links)["subject"],
        participant=[{"individual": reference(links, "Practitioner", practitioner_id(row.doctor))}]
        if row.doctor
        else None,
        period=filled({"start": when(row.started_at), "end": when(row.ended_at)}),
        reasonCode=[concept(clean(row.complaint))] if clean(row.complaint) else None,
        diagnosis=[{"condition": reference(links, "Condition", f"{row.uid}-{DIAGNOSIS}")}]
        if diagnosed(record)
        else None,
        serviceProvider=reference(links, "Organization", organization_id(place), clean(place.name))
        if place
        else None,
    )


def _status(row: Consultation) -> str:
    return {
        Consultation.State.COMPLETED: "finished",
        Consultation.State.IN_PROGRESS: "in-progress",
        Consultation.State.REQUESTED: "arrived",
        Consultation.State.DRAFT: "planned",
    }.get(Consultation.State(row.state), "cancelled")


def condition(
    row: Consultation, links: Links, key: str, text: str, *, is_active: bool = True, **more: Any
) -> Resource:
    """In the words that were written: no code is invented, nor that what once was still is."""
    return resource(
        "Condition",
        f"{row.uid}-{key}",
        text=narrative([text]),
        clinicalStatus=concept(code=codes.ACTIVE) if is_active else None,
        code=concept(clean(text)),
        **about(row, links),
        recordedDate=when(row.requested_at or row.created_at),
        **more,
    )


def complaint(row: Consultation, links: Links) -> list[Resource]:
    if not clean(row.complaint):
        return []
    since = f" ({Consultation.Since(row.since).label})" if row.since else ""
    return [condition(row, links, "complaint", f"{row.complaint}{since}")]


def history(row: Consultation, links: Links) -> list[Resource]:
    if not clean(row.history):
        return []
    return [condition(row, links, "history", row.history, is_active=False)]


def diagnosed(record: Record) -> Note | None:
    """What the doctor found, once the consultation is completed: until then it is a draft."""
    note, is_over = record.note, record.consultation.state == Consultation.State.COMPLETED
    return note if note and clean(note.diagnosis) and is_over else None


def diagnosis(record: Record, links: Links) -> list[Resource]:
    row, note = record.consultation, diagnosed(record)
    if note is None:
        return []
    certainty = codes.PROVISIONAL if note.is_provisional else codes.CONFIRMED
    found = condition(
        row, links, DIAGNOSIS, note.diagnosis, verificationStatus=concept(code=certainty)
    )
    if note.icd10 and note.icd10_title:
        code = codes.coding(codes.ICD_10, note.icd10, note.icd10_title)
        found["code"] = {"coding": [code], "text": clean(note.diagnosis)}
    return [found]


def conditions(record: Record, links: Links) -> list[Resource]:
    row = record.consultation
    return [*complaint(row, links), *history(row, links), *diagnosis(record, links)]


def allergy(row: Consultation, links: Links) -> Resource:
    whose = about(row, links)
    return resource(
        "AllergyIntolerance",
        f"{row.uid}-allergies",
        text=narrative([row.allergies]),
        clinicalStatus=concept(code=codes.ALLERGY_ACTIVE),
        verificationStatus=concept(code=codes.ALLERGY_UNCONFIRMED),
        code=concept(clean(row.allergies)),
        patient=whose["subject"],
        encounter=whose["encounter"],
        recordedDate=when(row.requested_at or row.created_at),
    )


def family_history(row: Consultation, links: Links) -> Resource:
    return resource(
        "FamilyMemberHistory",
        f"{row.uid}-family",
        text=narrative([row.family_history]),
        status="partial",
        patient=about(row, links)["subject"],
        relationship=concept(code=codes.FAMILY_MEMBER),
        condition=[{"code": concept(clean(row.family_history))}],
    )


def examination(row: Consultation, links: Links, key: str, label: str, text: str) -> Resource:
    """What somebody saw and wrote, as an observation in words."""
    return resource(
        "Observation",
        f"{row.uid}-{key}",
        text=narrative([f"{label}: {text}"]),
        status="final",
        category=[concept(code=codes.EXAM)],
        code=concept(label),
        **about(row, links),
        effectiveDateTime=when(row.started_at or row.requested_at or row.created_at),
        valueString=clean(text),
    )


def vital_signs(record: Record, links: Links) -> list[Resource]:
    """The newest of each kind; both values of a blood pressure in one panel; the BMI they give."""
    found = newest(record.observations)
    signs = [
        vital_sign(record.consultation, row, links)
        for kind, row in found.items()
        if kind not in PRESSURE
    ]
    if pressure := {kind: found[kind] for kind in PRESSURE if kind in found}:
        signs.append(blood_pressure(record.consultation, pressure, links))
    if found.keys() >= BODY and found["height"].value:
        signs.append(_body_mass_index(record.consultation, found, links))
    return signs


def vital_sign(row: Consultation, measured: Observation, links: Links) -> Resource:
    vital = measured.vital
    return _observation(
        row, links, f"v{measured.pk}", measured.loinc, when(measured.taken_at),
        [f"{codes.LOINC_NAMES[measured.loinc]}: {measured.shown} {vital.shown_unit}"],
        valueQuantity=_quantity(measured.value, vital),
    )  # fmt: skip


def _observation(
    row: Consultation, links: Links, key: str, loinc: str, at: str, lines: list[str], **value: Any
) -> Resource:
    profile, category = _group(loinc)
    return resource(
        "Observation",
        f"{row.uid}-{key}",
        profile,
        text=narrative(lines),
        status="final",
        category=[concept(code=category)],
        code=concept(code=codes.coding(codes.LOINC, loinc, codes.LOINC_NAMES[loinc])),
        **about(row, links),
        effectiveDateTime=at,
        **value,
    )


def _group(loinc: str) -> tuple[str, codes.Coding]:
    """The guide's profile of what is measured, and HL7's category."""
    if loinc in {"29463-7", "8302-2", BODY_MASS_INDEX}:
        return "ObservationBodyMeasurement", codes.VITAL_SIGNS
    if loinc == "2339-0":
        return "ObservationGeneralAssessment", codes.LABORATORY
    return "ObservationVitalSigns", codes.VITAL_SIGNS


def _quantity(value: Decimal, vital: Vital) -> dict[str, Any]:
    return _amount(value, vital.shown_unit, vital.unit)


def _amount(value: Decimal, shown: str, ucum: str) -> dict[str, Any]:
    number = int(value) if value == value.to_integral_value() else float(value)
    return {"value": number, "unit": shown, "system": codes.UCUM, "code": ucum}


def blood_pressure(row: Consultation, pressure: dict[str, Observation], links: Links) -> Resource:
    """Of one value alone the other is said to be missing, as the panel asks."""
    components = []
    for kind in PRESSURE:
        vital = Vital.of(kind)
        code = codes.coding(codes.LOINC, vital.loinc, codes.LOINC_NAMES[vital.loinc])
        value = (
            {"valueQuantity": _quantity(pressure[kind].value, vital)}
            if kind in pressure
            else {"dataAbsentReason": concept(code=codes.NOT_MEASURED)}
        )
        components.append({"code": concept(code=code), **value})
    first = next(iter(pressure.values()))
    shown = "/".join(pressure[kind].shown if kind in pressure else "–" for kind in PRESSURE)
    return _observation(
        row, links, f"bp{first.pk}", BLOOD_PRESSURE_PANEL, when(first.taken_at),
        [f"Blood pressure: {shown} mmHg"], component=components,
    )  # fmt: skip


def _body_mass_index(row: Consultation, found: dict[str, Observation], links: Links) -> Resource:
    weight, height = found["weight"], found["height"]
    index = (weight.value / (height.value / 100) ** 2).quantize(Decimal("0.1"))
    return _observation(
        row, links, "bmi", BODY_MASS_INDEX, when(max(weight.taken_at, height.taken_at)),
        [f"Body mass index: {index} kg/m2"],
        valueQuantity=_amount(index, "kg/m2", "kg/m2"),
        derivedFrom=[
            reference(links, "Observation", f"{row.uid}-v{one.pk}") for one in (weight, height)
        ],
    )  # fmt: skip
