"""What patients of the demonstration's health centre have been treated for in the weeks before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.utils import timezone

from accounts.models import Doctor, Facility, Patient, User
from consult.consent import CONSENT_VERSION
from consult.models import Consent, Consultation, FollowUp, Note, Observation
from consult.readiness import completeness
from consult.vitals import Vital
from queues.models import Clinic, ClinicDay, Duty, HubLink, Token

MORNING = time(10, 15)
WAITED, ANSWERED_IN, TALKED = timedelta(minutes=6), timedelta(minutes=1), timedelta(minutes=7)
TOLD = (4, 10)  # minutes of waiting


@dataclass(frozen=True)
class DemoVisit:
    """One past consultation; the follow-up is due so many days from today (before it: overdue)."""

    days_ago: int
    complaint: str
    since: str
    vitals: dict[str, str]
    diagnosis: str
    advice: str
    follow_up_in: int | None = None
    outcome: str = ""  # of the follow-up, once the next visit has closed it


VISITS = {
    "Shanti Devi": [
        DemoVisit(
            42, "Headache at the back of the head and dizziness when getting up", "weeks",
            {"systolic": "168", "diastolic": "102", "pulse": "88", "weight": "61.5",
             "temperature": "36.7", "spo2": "97", "respiration": "17", "glucose": "142"},
            "High blood pressure", "Less salt. A walk every day. Measure again in two weeks.",
            -28, "same",
        ),
        DemoVisit(
            28, "Blood pressure control, headache less often", "weeks",
            {"systolic": "158", "diastolic": "96", "pulse": "84", "weight": "61.2",
             "temperature": "36.6", "spo2": "98", "glucose": "136"},
            "High blood pressure", "Go on as before. Measure again in two weeks.",
            -14, "better",
        ),
        DemoVisit(
            14, "Blood pressure control, no headache now", "weeks",
            {"systolic": "148", "diastolic": "90", "pulse": "80", "weight": "60.6",
             "temperature": "36.8", "spo2": "98", "glucose": "128"},
            "High blood pressure", "Go on as before. Come again in two weeks.",
            0,
        ),
    ],
    "Ramdhari Manjhi": [
        DemoVisit(
            9, "Cough with yellow phlegm, fever in the evening", "week",
            {"temperature": "38.3", "pulse": "96", "respiration": "20", "spo2": "95",
             "systolic": "124", "diastolic": "80", "weight": "54.0"},
            "Acute bronchitis", "Drink much. If the cough stays a week: sputum test.",
            -2,
        ),
    ],
}  # fmt: skip


@dataclass(frozen=True)
class _Room:
    """Who takes part in a visit, and where."""

    patient: Patient
    facility: Facility
    worker: User
    clinic: Clinic
    doctor: Doctor


def write_visits(
    visits: Sequence[DemoVisit], *, patient: Patient, facility: Facility, worker: User
) -> None:
    """As completed consultations of the health centre's first hub clinic, each with its place in line."""
    if not visits:
        return
    links = HubLink.objects.filter(spoke=facility, clinic__speciality__is_general=True)
    clinic = links.select_related("clinic").order_by("priority", "pk")[0].clinic
    duties = Duty.objects.filter(clinic=clinic).select_related("doctor__user").order_by("pk")
    room = _Room(patient, facility, worker, clinic, duties[0].doctor)
    task = None
    for visit in visits:
        row = _consultation(visit, room, task)
        _findings(row, visit, room)
        task = _follow_up(row, visit, room)


def _asked_at(visit: DemoVisit) -> datetime:
    return _morning_of(timezone.localdate() - timedelta(days=visit.days_ago))


def _morning_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, MORNING))


def _began_at(visit: DemoVisit) -> datetime:
    return _asked_at(visit) + WAITED + ANSWERED_IN


def _token(visit: DemoVisit, room: _Room) -> Token:
    asked_at = _asked_at(visit)
    day = timezone.localdate(asked_at)
    return Token.objects.create(
        clinic=room.clinic,
        day=day,
        number=ClinicDay.next_number(room.clinic, day),
        patient=room.patient,
        state=Token.State.DONE,
        issued_at=asked_at,
        doctor=room.doctor,
        called_at=asked_at + WAITED,
        answered_at=_began_at(visit),
        ended_at=_began_at(visit) + TALKED,
        brought_by=room.worker,
        expected_low=TOLD[0],
        expected_high=TOLD[1],
    )


def _consultation(visit: DemoVisit, room: _Room, task: FollowUp | None) -> Consultation:
    asked_at = _asked_at(visit)
    row = Consultation.objects.create(
        patient=room.patient,
        clinic=room.clinic,
        token=_token(visit, room),
        doctor=room.doctor,
        requested_by=room.worker,
        facility=room.facility,
        follow_up_of=task,
        complaint=visit.complaint,
        since=visit.since,
        attested_at=asked_at,
        attested_by=room.worker,
        state=Consultation.State.COMPLETED,
        created_at=asked_at,
        requested_at=asked_at,
        started_at=_began_at(visit),
        ended_at=_began_at(visit) + TALKED,
    )
    Consent.objects.create(
        consultation=row,
        version=CONSENT_VERSION,
        language=room.patient.language,
        how=Consent.How.SPOKEN,
        given_at=asked_at,
        given_by=room.worker,
    )
    return row


def _findings(row: Consultation, visit: DemoVisit, room: _Room) -> None:
    Observation.objects.bulk_create(
        Observation(
            consultation=row,
            patient=room.patient,
            kind=kind,
            value=Decimal(value),
            loinc=Vital.of(kind).loinc,
            unit=Vital.of(kind).unit,
            taken_at=_asked_at(visit),
            taken_by=room.worker,
        )
        for kind, value in visit.vitals.items()
    )
    Consultation.objects.filter(pk=row.pk).update(completeness=completeness(row))
    Note.objects.create(
        consultation=row,
        diagnosis=visit.diagnosis,
        advice=visit.advice,
        follow_up_on=_due(visit),
        written_by=room.doctor.user,
        written_at=_began_at(visit) + TALKED,
    )


def _due(visit: DemoVisit) -> date | None:
    if visit.follow_up_in is None:
        return None
    return timezone.localdate() + timedelta(days=visit.follow_up_in)


def _follow_up(row: Consultation, visit: DemoVisit, room: _Room) -> FollowUp | None:
    due_on = _due(visit)
    if due_on is None:
        return None
    return FollowUp.objects.create(
        consultation=row,
        patient=room.patient,
        facility=room.facility,
        due_on=due_on,
        created_at=_began_at(visit) + TALKED,
        outcome=visit.outcome,
        closed_at=_morning_of(due_on) if visit.outcome else None,
        closed_by=room.worker if visit.outcome else None,
    )
