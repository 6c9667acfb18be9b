"""What the doctor ordered: MedicationRequest, ServiceRequest, Appointment."""

from datetime import date, datetime, time
from typing import Any

from django.utils import timezone

from consult.fhir import codes
from consult.fhir.findings import about
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
from consult.fhir.people import practitioner_id
from consult.fhir.records import Record
from consult.models import Note, Prescription, PrescriptionLine, Referral

Frequency = PrescriptionLine.Frequency
# FHIR's timing of each frequency: (times, in how many, days or weeks).
REPEATS: dict[str, tuple[int, int, str]] = {
    Frequency.ONCE: (1, 1, "d"),
    Frequency.TWICE: (2, 1, "d"),
    Frequency.THRICE: (3, 1, "d"),
    Frequency.FOUR: (4, 1, "d"),
    Frequency.NIGHT: (1, 1, "d"),
    Frequency.WEEKLY: (1, 1, "wk"),
}
PRIORITIES = {
    Referral.Urgency.EMERGENCY: "stat",
    Referral.Urgency.URGENT: "urgent",
    Referral.Urgency.ROUTINE: "routine",
}


def ordered_by(record: Record, links: Links) -> dict[str, str]:
    doctor = record.doctor
    return reference(links, "Practitioner", practitioner_id(doctor), clean(doctor.user.name))


def medication_id(prescription: Prescription, position: int) -> str:
    return f"{prescription.uid}-{position}"


def medication_requests(record: Record, links: Links) -> list[Resource]:
    """One for each medicine of the prescription in force."""
    issued = record.prescription
    if issued is None:
        return []
    shared = {
        **about(record.consultation, links),
        "authoredOn": when(issued.issued_at),
        "requester": ordered_by(record, links),
    }
    return [
        _medication_request(issued, position, line, shared)
        for position, line in enumerate(record.lines, 1)
    ]


def _medication_request(
    issued: Prescription, position: int, line: dict[str, Any], shared: dict[str, Any]
) -> Resource:
    name, how = _medicine(line), _directions(line)
    return resource(
        "MedicationRequest",
        medication_id(issued, position),
        text=narrative([f"{name}: {how}"]),
        identifier=[{"system": our_system("prescription"), "value": f"{issued.number}/{position}"}],
        status="active" if issued.state == Prescription.State.ISSUED else "stopped",
        intent="order",
        medicationCodeableConcept=concept(name),
        **shared,
        groupIdentifier={"system": our_system("prescription"), "value": issued.number},
        dosageInstruction=[
            filled(
                {
                    "sequence": 1,
                    "text": how,
                    "patientInstruction": clean(line.get("instructions", "")),
                    "timing": _timing(line),
                    "asNeededBoolean": line["frequency"] == Frequency.NEEDED,
                }
            )
        ],
        dispenseRequest=filled(
            {"quantity": _quantity(line), "expectedSupplyDuration": _days(line)}
        ),
    )


def _medicine(line: dict[str, Any]) -> str:
    form = str(PrescriptionLine.Form(line["form"]).label)
    return clean(f"{line['generic']} {line['strength']} ({form})")


def _directions(line: dict[str, Any]) -> str:
    often = str(Frequency(line["frequency"]).label)
    said = [line["dose"], often, f"{line['days']} days", line.get("instructions", "")]
    return clean(", ".join(part for part in said if part))


def _days(line: dict[str, Any]) -> dict[str, Any]:
    return {"value": line["days"], "unit": "days", "system": codes.UCUM, "code": "d"}


def _quantity(line: dict[str, Any]) -> dict[str, Any] | None:
    """How many in all, where they are counted."""
    if not line.get("quantity"):
        return None
    return {"value": line["quantity"], "unit": str(PrescriptionLine.Form(line["form"]).label)}


def _timing(line: dict[str, Any]) -> dict[str, Any] | None:
    repeat = REPEATS.get(line["frequency"])
    if repeat is None:  # once now, or when needed: the words say it
        return None
    times, period, unit = repeat
    rhythm = {
        "boundsDuration": _days(line),
        "frequency": times,
        "period": period,
        "periodUnit": unit,
    }
    if line["frequency"] == Frequency.NIGHT:
        rhythm["when"] = ["HS"]
    return {"repeat": rhythm}


def medicines_taken(record: Record, links: Links) -> Resource:
    row = record.consultation
    whose = about(row, links)
    return resource(
        "MedicationStatement",
        f"{row.uid}-taken",
        text=narrative([row.medicines]),
        status="active",
        medicationCodeableConcept=concept(clean(row.medicines)),
        subject=whose["subject"],
        context=whose["encounter"],
        dateAsserted=when(row.requested_at or row.created_at),
    )


def tests_ordered(record: Record, note: Note, links: Links) -> Resource:
    return resource(
        "ServiceRequest",
        f"{record.consultation.uid}-tests",
        text=narrative([note.tests]),
        status="active",
        intent="order",
        code=concept(clean(note.tests)),
        **about(record.consultation, links),
        authoredOn=when(record.consultation.ended_at),
        requester=ordered_by(record, links),
    )


def referral(record: Record, letter: Referral, links: Links) -> Resource:
    towards = letter.speciality.name if letter.speciality else "to be seen in person"
    place = letter.facility.name if letter.facility else letter.place
    return resource(
        "ServiceRequest",
        str(letter.uid),
        text=narrative([f"{towards}, {place}", letter.reason]),
        identifier=[{"system": our_system("referral"), "value": letter.number}],
        status="active",
        intent="order",
        priority=PRIORITIES[Referral.Urgency(letter.urgency)],
        code=concept(clean(f"Referral: {towards}, {place}")),
        **about(record.consultation, links),
        authoredOn=when(letter.issued_at),
        requester=ordered_by(record, links),
        reasonCode=[concept(clean(letter.reason))],
    )


def follow_up(record: Record, day: date, links: Links) -> Resource:
    """Some time on that day; nobody has agreed to an hour."""
    row = record.consultation
    return resource(
        "Appointment",
        f"{row.uid}-follow-up",
        text=narrative([f"Follow-up on {day.isoformat()}"]),
        status="proposed",
        description="Follow-up",
        start=when(_at(day, time(0, 0))),
        end=when(_at(day, time(23, 59, 59))),
        created=when(row.ended_at),
        participant=[
            {"actor": about(row, links)["subject"], "status": "needs-action"},
            {"actor": ordered_by(record, links), "status": "needs-action"},
        ],
    )


def _at(day: date, hour: time) -> datetime:
    return timezone.make_aware(datetime.combine(day, hour))
