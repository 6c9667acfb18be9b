"""What a prescription says, frozen at issue: plain data, no language chosen yet.

The fields are those of Annexure 2 of the Telemedicine Practice Guidelines 2020.
"""

from typing import Any

from accounts.models import Doctor, Patient
from accounts.phone import spaced
from consult.models import (
    Consultation,
    Note,
    Observation,
    Prescription,
    PrescriptionLine,
    Referral,
)
from consult.of_consultation import OBSERVATIONS
from consult.readings import as_taken
from consult.rules import Checked
from consult.rules.dose import quantity_of, shown, times_of_day, unit_of


def document_of(
    prescription: Prescription,
    lines: list[PrescriptionLine],
    measured: list[Observation],
    consultation: Consultation,
    note: Note,
    doctor: Doctor,
    checked: Checked,
) -> dict[str, Any]:
    """Raises KeyError when the rules do not allow one of the lines."""
    clinic = consultation.clinic
    return {
        "version": prescription.version,
        "code": prescription.spaced_code,
        "language": consultation.patient.language,
        "clinic": {"en": clinic.name, **clinic.names},
        "mode": str(checked.history.mode),
        "consult_type": checked.consult_type,
        "visit": _visit(checked),
        "doctor": _doctor(doctor),
        "patient": _patient(consultation.patient),
        "complaint": consultation.complaint,
        "since": consultation.since,
        "allergies": consultation.allergies,
        "medicines": consultation.medicines,
        "pregnant": consultation.is_pregnant,
        "lmp": consultation.lmp.isoformat() if consultation.lmp else "",
        "history": consultation.history,
        "examination": consultation.examination,
        "vitals": _vitals(measured),
        "findings": note.findings,
        "diagnosis": note.diagnosis,
        "provisional": note.is_provisional,
        "tests": note.tests,
        "advice": note.advice,
        "red_flags": note.red_flags,
        "follow_up_on": note.follow_up_on.isoformat() if note.follow_up_on else "",
        "lines": [_line(line, checked) for line in lines],
    }


def _line(line: PrescriptionLine, checked: Checked) -> dict[str, Any]:
    """One medicine, and the rule by which it was allowed on that day."""
    allowed = checked.allowed[line.position]
    times = times_of_day(line.dose, line.frequency)
    return {
        "generic": allowed.generic,
        "as_written": "" if line.generic == allowed.generic else line.generic,
        "form": line.form,
        "strength": line.strength,
        "dose": line.dose,
        "times": [shown(part) for part in times] if times else [],
        "unit": unit_of(line.dose),
        "frequency": line.frequency,
        "days": line.days,
        "quantity": line.quantity or quantity_of(line.form, line.dose, line.frequency, line.days),
        "instructions": line.instructions,
        "rule": allowed.rule.as_kept(),
    }


def _visit(checked: Checked) -> dict[str, str]:
    """The visit in person that makes this a follow-up."""
    visit = checked.history.visit
    if visit is None:
        return {}
    return {
        "condition": visit.condition,
        "seen_on": visit.seen_on.isoformat(),
        "place": visit.place,
    }


def _vitals(measured: list[Observation]) -> dict[str, str]:
    """As measured last in the consultation."""
    return {row.kind: row.shown for row in as_taken(measured)}


def _doctor(doctor: Doctor) -> dict[str, str]:
    facility = doctor.facility
    return {
        "name": doctor.user.name,
        "qualification": doctor.qualification,
        "registration_number": doctor.registration_number,
        "council": doctor.council,
        "contact": spaced(doctor.contact),
        "address": ", ".join(filter(None, [facility.name, facility.address])) if facility else "",
    }


def _patient(patient: Patient) -> dict[str, Any]:
    district = patient.district.name if patient.district else ""
    places = [patient.address, district, patient.state.name]
    return {
        "name": patient.name,
        "number": patient.spaced_number,
        "age": patient.age,
        "sex": patient.sex,
        "address": ", ".join(filter(None, places)),
        "phone": spaced(patient.account.phone),
        "guardian": ", ".join(filter(None, [patient.guardian_name, patient.guardian_relation])),
    }


def letter_of(referral: Referral, consultation: Consultation, doctor: Doctor) -> dict[str, Any]:
    """What a letter of referral says, frozen when it is written."""
    note = Note.objects.filter(consultation=consultation).first()
    speciality = referral.speciality
    return {
        "language": consultation.patient.language,
        "doctor": _doctor(doctor),
        "patient": _patient(consultation.patient),
        "where": {"en": referral.facility.name, **referral.facility.names}
        if referral.facility
        else {"en": referral.place},
        "where_address": referral.facility.address if referral.facility else "",
        "speciality": {"en": speciality.name, **speciality.names} if speciality else {"en": ""},
        "urgency": referral.urgency,
        "reason": referral.reason,
        "complaint": consultation.complaint,
        "since": consultation.since,
        "history": consultation.history,
        "allergies": consultation.allergies,
        "medicines": consultation.medicines,
        "pregnant": consultation.is_pregnant,
        "examination": consultation.examination,
        "vitals": _vitals(OBSERVATIONS.all(consultation=consultation.pk)),
        "findings": note.findings if note else "",
        "diagnosis": note.diagnosis if note else "",
        "centre": consultation.facility.name if consultation.facility else "",
    }
