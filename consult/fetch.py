"""Fetching through the user: the page states who may see, a stranger gets 404 and is written down."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from uuid import UUID

from django.db.models import (
    BigAutoField,
    DateTimeField,
    Exists,
    Model,
    OuterRef,
    QuerySet,
    UUIDField,
)
from django.http import Http404
from django.http.response import HttpResponseBase
from django.utils import timezone

from accounts.fetch import OWN_PATIENT
from accounts.gates import AtCentre, SignedIn, View, found_or_refused
from accounts.models import Patient
from accounts.session_store import Ahead, Asks, SessionStore
from consult.live.centre_tips import is_told_of_others
from consult.models import Consultation, Observation, Prescription, PrescriptionLine
from consult.models.consultations import ConsultationQuerySet
from consult.of_consultation import (
    ATTACHMENTS,
    FOLLOW_UPS,
    INSTRUCTIONS,
    LETTERS,
    MESSAGES,
    OBSERVATIONS,
    OPINIONS,
    PRESCRIPTIONS,
    SENT_FILES,
    drafted_lines,
    knowing,
    with_prescription,
)
from esanjeevani.sql.composed import Composed, together
from queues.assignment import links_of
from queues.models import Clinic


# Asked by every page of a consultation; each is composed once.
def _of_uid(mine: Callable[..., QuerySet[Consultation]]) -> Composed[Consultation]:
    return Composed(
        lambda whose, uid: mine(whose).filter(uid=uid), whose=BigAutoField(), uid=UUIDField()
    )


_PEOPLE = Consultation.objects.with_people
OWN = _of_uid(lambda user: _PEOPLE().of_patient_account(user))
BOOKED = _of_uid(lambda user: _PEOPLE().of_patient_account(user).filter(facility=None))
DOCTORS = _of_uid(
    lambda doctor: knowing(Consultation.objects.of_doctor(doctor), PRESCRIPTIONS).select_related(
        "patient", "clinic", "token", "note", "emergency"
    )
)
DRAFTED = Composed(
    lambda whose, uid: drafted_lines().filter(
        prescription__consultation__uid=uid, prescription__consultation__doctor=whose
    ),
    whose=BigAutoField(), uid=UUIDField(),
)  # fmt: skip
DOCTORS_ROOM = _of_uid(
    lambda doctor: (
        Consultation.objects.select_related(
            "patient__state", "patient__district", "clinic", "token", "facility", "note",
            "emergency", "follow_up_link__visit",
        ).of_doctor(doctor)
    )
)  # fmt: skip


def _centres(facility: Any) -> ConsultationQuerySet:
    return _PEOPLE().of_centre(facility).select_related("patient__account")


CENTRES = _of_uid(_centres)
CENTRES_DRAFT = _of_uid(  # which has no token and no doctor yet
    lambda facility: (
        knowing(Consultation.objects.of_centre(facility), OBSERVATIONS, ATTACHMENTS)
        .select_related("patient__account", "clinic")
        .annotate(is_patient_measured=Exists(Observation.objects.of_patient(OuterRef("patient"))))
    )
)
CENTRES_VISIT = _of_uid(
    lambda facility: knowing(
        with_prescription(_centres(facility).select_related("note")),
        SENT_FILES, MESSAGES, INSTRUCTIONS, LETTERS, OPINIONS, FOLLOW_UPS,
    ).annotate(has_others=is_told_of_others())
)  # fmt: skip
# For what asks less of one: the part of its page that moves, and what only the prescription is for.
CENTRES_PART = _of_uid(
    lambda facility: knowing(with_prescription(_centres(facility)), INSTRUCTIONS, OPINIONS)
)
CENTRES_ISSUED = _of_uid(
    lambda facility: with_prescription(
        Consultation.objects.of_centre(facility).select_related("patient")
    )
)
CENTRES_LINES = Composed(
    lambda whose, uid: PrescriptionLine.objects.filter(
        prescription__state=Prescription.State.ISSUED,
        prescription__consultation__facility=whose,
        prescription__consultation__uid=uid,
    ).select_related("dispensing"),
    whose=BigAutoField(), uid=UUIDField(),
)  # fmt: skip
VISIBLE = Composed(
    lambda whose, uid, at: _PEOPLE().visible_to(whose, at).filter(uid=uid),
    whose=BigAutoField(), uid=UUIDField(), at=DateTimeField(),
)  # fmt: skip
VISIBLE_AT_HOME = Composed(
    lambda whose, uid, at: (
        _PEOPLE().visible_to(whose, at).of_patient_account(whose).filter(uid=uid)
    ),
    whose=BigAutoField(), uid=UUIDField(), at=DateTimeField(),
)  # fmt: skip


def _knowing_cases(patients: "QuerySet[Patient]") -> Any:
    """Each with the word whether there was ever a case."""
    return patients.annotate(has_cases=Exists(Consultation.objects.filter(patient=OuterRef("pk"))))


KNOWN = Composed(
    lambda facility, uid: _knowing_cases(
        Patient.objects.known_at(facility)
        .filter(uid=uid)
        .select_related("account", "state", "district")
    ),
    facility=BigAutoField(),
    uid=UUIDField(),
)
ANYBODY = Composed(lambda uid: _knowing_cases(Patient.objects.filter(uid=uid)), uid=UUIDField())
OPD = Composed(
    lambda clinic: Clinic.objects.filter(is_active=True, takes_opd=True, uid=clinic),
    clinic=UUIDField(),
)


def with_session(*asks: Composed[Any] | Asks, only: str = "") -> Callable[[View], View]:
    """What a page asks of its person, its consultation above all, is asked for together with its session;
    put it before the gate. With `only` by requests of that method.
    """

    def decorated(view: View) -> View:
        @wraps(view)
        def asking(request: Any, **named: Any) -> HttpResponseBase:
            if only in ("", request.method):
                request.session.ahead = tuple(_of(ask, **named) for ask in asks)
            return view(request, **named)

        return asking

    return decorated


def _of(ask: Composed[Any] | Asks, consultation: UUID | None = None, **_named: Any) -> Asks:
    return Ahead(ask.asked, {"uid": consultation}) if isinstance(ask, Composed) else ask


def _session(request: SignedIn) -> SessionStore:
    return cast(SessionStore, request.session)


def _fetch(
    query: Composed[Consultation], whose: Model, request: SignedIn, uid: UUID
) -> Consultation:
    found = next(iter(_found_of(whose, request, query, uid)), None)
    return found_or_refused(found, Consultation.objects.all(), request, uid=uid)


def _found_of(whose: Model, request: SignedIn, query: Composed[Any], uid: UUID) -> list[Any]:
    return cast(list[Any], _session(request).found_of(whose.pk, _of(query, uid)))


def found_of_centre(request: AtCentre, *asks: Asks) -> list[Any]:
    """What a page asks of its health centre, which came with its session where it says so."""
    return [_session(request).found_of(request.facility.pk, ask) for ask in asks]


def found_of_doctor(request: SignedIn, *asks: Asks) -> list[Any]:
    """What a page asks of its doctor, which came with its session where it says so."""
    return [_session(request).found_of(request.user.doctor.pk, ask) for ask in asks]


def linked_to_centre(request: AtCentre) -> list[Clinic]:
    """The clinics that this health centre may ask today, as found_of_centre()."""
    (clinics,) = found_of_centre(request, links_of)
    return cast(list[Clinic], clinics)


def own_consultation(request: SignedIn, uid: UUID) -> Consultation:
    """Of a patient of this account."""
    found = _fetch(OWN, request.user, request, uid)
    found.patient.account = request.user
    return found


def doctors_consultation(
    request: SignedIn, uid: UUID, query: Composed[Consultation] = DOCTORS
) -> Consultation:
    """Called or seen by this doctor. For the room's page DOCTORS_ROOM reads what that shows."""
    found = _fetch(query, request.user.doctor, request, uid)
    found.doctor = request.user.doctor
    return found


def written_consultation(request: SignedIn, uid: UUID) -> Consultation:
    """As doctors_consultation(), with the lines of the draft."""
    found = doctors_consultation(request, uid)
    vars(found)["drafted"] = _found_of(request.user.doctor, request, DRAFTED, uid)
    return found


def booked_consultation(request: SignedIn, uid: UUID) -> Consultation:
    """Of a patient of this account, and asked for by themselves: not by a health centre."""
    found = _fetch(BOOKED, request.user, request, uid)
    found.patient.account = request.user
    return found


def centres_consultation(
    request: AtCentre, uid: UUID, query: Composed[Consultation] = CENTRES
) -> Consultation:
    """Of this health centre."""
    found = _fetch(query, request.facility, request, uid)
    found.facility = request.facility
    return found


def centres_draft(request: AtCentre, uid: UUID) -> Consultation:
    """As the pages of a case that is not sent yet show it."""
    return centres_consultation(request, uid, CENTRES_DRAFT)


def centres_visit(
    request: AtCentre, uid: UUID, query: Composed[Consultation] = CENTRES_VISIT
) -> Consultation:
    """As the page of a case that was sent shows it, or a part of it: with note and prescription."""
    found = centres_consultation(request, uid, query)
    vars(found).setdefault("in_force", None)
    return found


def lines_of_centre(request: AtCentre, of: Prescription, uid: UUID) -> list[PrescriptionLine]:
    """Of the prescription in force, with what was given of each."""
    found = _found_of(request.facility, request, CENTRES_LINES, uid)
    return [line for line in found if line.prescription_id == of.pk]


def known_patient(request: AtCentre, uid: UUID) -> Patient:
    """Whom this health centre has had before it."""
    found = KNOWN.first(facility=request.facility.pk, uid=uid)
    return found_or_refused(found, Patient.objects.all(), request, uid=uid)


def visible_consultation(request: SignedIn, uid: UUID) -> Consultation:
    """Of any side. All but the patient's ask for the second factor too."""
    visible = VISIBLE if request.user.is_verified() else VISIBLE_AT_HOME
    found = visible.first(whose=request.user.pk, uid=uid, at=timezone.now())
    return found_or_refused(found, Consultation.objects.all(), request, uid=uid)


def patient_and_clinic(request: SignedIn, patient: UUID, clinic: UUID) -> tuple[Patient, Clinic]:
    """One of the people of this account, and a clinic that patients at home may choose."""
    own = OWN_PATIENT.asked(account=request.user.pk, patient=patient)
    people, clinics = together(own, OPD.asked(clinic=clinic))
    found = people[0] if people else None
    person = found_or_refused(found, Patient.objects.all(), request, uid=patient)
    if not clinics:
        raise Http404
    return person, clinics[0]
