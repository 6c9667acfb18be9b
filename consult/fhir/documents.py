"""The documents of the national guide, each a Bundle: OPConsultRecord, PrescriptionRecord, WellnessRecord.

Plain functions over rows. The same rows give the same bytes; a section that has nothing is left out.
"""

from html import unescape
from typing import Any

from django.utils import translation

from consult.fhir import codes, files, findings, orders, people
from consult.fhir.parts import (
    Resource,
    clean,
    concept,
    filled,
    inside,
    narrative,
    our_system,
    reference,
    resource,
    when,
)
from consult.fhir.records import Record
from consult.models import Consultation, Note

OP_CONSULT = "OPConsultRecord"
PRESCRIPTION = "PrescriptionRecord"
WELLNESS = "WellnessRecord"
# The sections of a WellnessRecord in the guide's order, by the profile of what stands in each.
WELLNESS_SECTIONS = {
    "ObservationVitalSigns": "Vital Signs",
    "ObservationBodyMeasurement": "Body Measurement",
    "ObservationGeneralAssessment": "General Assessment",
}
Section = dict[str, Any]


def bundle_id(kind: str, consultation: Consultation) -> str:
    return f"{kind}-{consultation.uid}"


def kinds_of(record: Record) -> list[str]:
    """Which documents there are of a consultation."""
    if record.consultation.state != Consultation.State.COMPLETED:
        return []
    kinds = [OP_CONSULT]
    if record.prescription:
        kinds.append(PRESCRIPTION)
    if record.observations:
        kinds.append(WELLNESS)
    return kinds


def document(record: Record, kind: str) -> Resource:
    """One of kinds_of(record), as a document Bundle, in English whatever language is active."""
    build = {OP_CONSULT: _op_consult, PRESCRIPTION: _prescription, WELLNESS: _wellness}[kind]
    with translation.override("en"):
        return build(record)


def _op_consult(record: Record) -> Resource:
    row, note = record.consultation, record.note
    parts = _Sections()
    parts.add(codes.CHIEF_COMPLAINTS, "Chief complaints", findings.complaint(row, inside))
    parts.add(codes.PHYSICAL_EXAMINATION, "Physical examination", _examined(record))
    if clean(row.allergies):
        parts.add(codes.ALLERGIES, "Allergies", [findings.allergy(row, inside)])
    parts.add(codes.MEDICAL_HISTORY, "Medical history", findings.history(row, inside))
    if clean(row.family_history):
        parts.add(codes.FAMILY_HISTORY, "Family history", [findings.family_history(row, inside)])
    if note and clean(note.tests):
        tests = orders.tests_ordered(record, note, inside)
        parts.add(codes.INVESTIGATIONS, "Investigation advice", [tests])
    medicines = orders.medication_requests(record, inside)
    if clean(row.medicines):
        medicines.append(orders.medicines_taken(record, inside))
    parts.add(codes.MEDICATIONS, "Medications", medicines)
    if note and note.follow_up_on:
        day = orders.follow_up(record, note.follow_up_on, inside)
        parts.add(codes.FOLLOW_UP, "Follow-up", [day])
    letters = [orders.referral(record, letter, inside) for letter in record.referrals]
    parts.add(codes.REFERRAL, "Referral", letters)
    documents = files.documents(record)
    missing = files.left_out(record, documents)
    told = [*_told(documents), *missing] if missing else None
    parts.add(codes.OP_CONSULT, "Documents", documents, told)
    _add_conclusion(parts, record)
    return _bundle(record, OP_CONSULT, concept(code=codes.OP_CONSULT), parts)


def _examined(record: Record) -> list[Resource]:
    """What the health worker saw, what was measured, what the doctor found."""
    row, note = record.consultation, record.note
    examined = findings.vital_signs(record, inside)
    if clean(row.examination):
        examined.append(
            findings.examination(row, inside, "examination", "Examination", row.examination)
        )
    if note and clean(note.findings):
        examined.append(findings.examination(row, inside, "findings", "Findings", note.findings))
    return examined


def _add_conclusion(parts: "_Sections", record: Record) -> None:
    """The guide has no section for the diagnosis and the advice; it is open at the end."""
    note = record.note
    parts.add(None, "Diagnosis", findings.diagnosis(record, inside))
    if note and (said := [words for words in (note.advice, _come_back(note)) if clean(words)]):
        parts.add(None, "Advice", [], said)


def _come_back(note: Note) -> str:
    return f"Come back at once if: {note.red_flags}" if clean(note.red_flags) else ""


def _prescription(record: Record) -> Resource:
    if record.prescription is None:
        raise ValueError("There is no prescription.")
    parts, pdf = _Sections(), files.pdf(record.prescription)
    medicines = orders.medication_requests(record, inside)
    parts.add(codes.PRESCRIPTION, "Prescription", [*medicines, pdf], says_type=True)
    kind, found = concept(code=codes.PRESCRIPTION), findings.diagnosis(record, inside)
    return _bundle(record, PRESCRIPTION, kind, parts, beside=found)


def _wellness(record: Record) -> Resource:
    parts, signs = _Sections(), findings.vital_signs(record, inside)
    for profile, title in WELLNESS_SECTIONS.items():
        of_it = [one for one in signs if one["meta"]["profile"][0].endswith(f"/{profile}")]
        parts.add(None, title, of_it)
    return _bundle(record, WELLNESS, {"text": "Wellness Record"}, parts)


class _Sections:
    """The sections of a Composition as they are gathered, and the resources they speak of."""

    def __init__(self) -> None:
        self.sections: list[Section] = []
        self.resources: list[Resource] = []

    def add(
        self,
        code: codes.Coding | None,
        title: str,
        entries: list[Resource],
        words: list[str] | None = None,
        *,
        says_type: bool = False,
    ) -> None:
        if not entries and not words:
            return
        self.resources += entries
        self.sections.append(
            filled(
                {
                    "title": title,
                    "code": concept(code=code) if code else {"text": title},
                    "text": narrative(words or _told(entries)),
                    "entry": [_entry(one, says_type) for one in entries],
                }
            )
        )


def _told(entries: list[Resource]) -> list[str]:
    """One line each: the words of the resource's own narrative."""
    return [
        unescape(one["text"]["div"].split("<p>", 1)[1].split("</p>", 1)[0])
        if "text" in one
        else "The prescription as PDF"
        for one in entries
    ]


def _entry(one: Resource, says_type: bool) -> dict[str, str]:
    kind = {"type": one["resourceType"]} if says_type else {}
    return {**reference(inside, one["resourceType"], one["id"]), **kind}


def _bundle(
    record: Record,
    kind: str,
    type_: dict[str, Any],
    parts: _Sections,
    beside: list[Resource] | None = None,
) -> Resource:
    row = record.consultation
    ended = when(row.ended_at)
    place = findings.place_of(row)
    encounter = findings.encounter(record, inside)
    resources = [
        _composition(record, kind, type_, parts.sections),
        people.patient(row.patient),
        people.practitioner(record.doctor),
        *([people.organization(place)] if place else []),
        encounter,
        *parts.resources,
        *(beside or []),
    ]
    _keep_what_is_there(encounter, resources)
    return {
        "resourceType": "Bundle",
        "id": bundle_id(kind, row),
        "meta": {
            "versionId": str(record.prescription.version if record.prescription else 1),
            "lastUpdated": ended,
            "profile": [f"{codes.PROFILES}/DocumentBundle"],
            "security": [codes.VERY_RESTRICTED],
        },
        "identifier": {"system": our_system("document"), "value": bundle_id(kind, row)},
        "type": "document",
        "timestamp": ended,
        "entry": [
            {"fullUrl": inside(one["resourceType"], one["id"]), "resource": one}
            for one in resources
        ],
    }


def _keep_what_is_there(encounter: Resource, resources: list[Resource]) -> None:
    """An encounter names its diagnosis only where the document holds it."""
    if not any(one["id"].endswith("-diagnosis") for one in resources):
        encounter.pop("diagnosis", None)


def _composition(
    record: Record, kind: str, type_: dict[str, Any], sections: list[Section]
) -> Resource:
    row = record.consultation
    place = findings.place_of(row)
    titles = {
        OP_CONSULT: "Consultation report",
        PRESCRIPTION: "Prescription",
        WELLNESS: "Wellness record",
    }
    # A document says something, and the profile asks for a section.
    said = sections or [{"title": "Consultation", "text": narrative(["Nothing was written."])}]
    author = orders.ordered_by(record, inside)
    return resource(
        "Composition",
        f"{row.uid}-{kind}",
        kind,
        text=narrative([f"{titles[kind]}: {row.patient.name}"]),
        identifier={"system": our_system("document"), "value": bundle_id(kind, row)},
        status="final",
        type=type_,
        **findings.about(row, inside),
        date=when(row.ended_at),
        author=[author],
        title=titles[kind],
        attester=[{"mode": "professional", "time": when(row.ended_at), "party": author}],
        custodian=reference(
            inside, "Organization", people.organization_id(place), clean(place.name)
        )
        if place
        else None,
        section=said,
    )
