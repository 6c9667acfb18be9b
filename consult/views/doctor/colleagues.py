"""What a room shows of others than its doctor: the health centre, specialists, letters."""

from collections.abc import Iterable
from typing import Any

from django.core.cache import cache
from django.db.models import BigAutoField, DateField, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import Facility
from consult.forms import InstructionForm, OpinionForm, ReferralForm, TransferForm, untouched
from consult.forms.consultation import ClinicField
from consult.forms.untouched import Choices
from consult.live.tips import instructions_version, opinions_version
from consult.models import Consultation, Opinion
from consult.of_consultation import INSTRUCTIONS, letters_of
from consult.room_holds import RoomHolds
from esanjeevani.sql.composed import Composed
from queues.models import Clinic, HubLink

PLACES_REMEMBERED = 60  # seconds; the form asks anew whether a chosen one is there


def panels(
    consultation: Consultation, holds: RoomHolds, reachable: Iterable[Clinic]
) -> dict[str, Any]:
    """For the treating doctor's room; a form with mistakes takes the place of its own."""
    clinics, own = clinic_choices(reachable), consultation.pk
    instructions = INSTRUCTIONS.all(consultation=own) if holds.instructions else []
    opinions = OPINIONS.all(consultation=own) if holds.opinions else []
    return {
        "panels_version": f"{instructions_version(instructions)}.{opinions_version(opinions)}",
        "instructions": instructions,
        "instruction_form": InstructionForm(prefix="instruction"),
        "opinions": opinions,
        "may_ask": bool(clinics),
        "opinion_form": untouched(OpinionForm, "opinion", clinic=clinics),
        "transfer_form": untouched(TransferForm, "transfer", clinic=clinics),
        "referral_form": untouched(
            ReferralForm, "referral", facility=_places_to_refer_to(consultation)
        ),
        "letters": letters_of(consultation) if holds.letters else [],
    }


def clinic_choices(clinics: Iterable[Clinic]) -> Choices:
    """As ClinicField offers them."""
    return tuple((clinic.uid, ClinicField.name_of(clinic)) for clinic in clinics)


def _places_to_refer_to(consultation: Consultation) -> Choices:
    """Remembered for a while: hundreds in a state, and the same for all its patients."""
    state = consultation.patient.state_id
    known: Choices | None = cache.get(f"places-{state}")
    if known is None:
        known = tuple((place.pk, str(place)) for place in PLACES.all(state=state))
        cache.set(f"places-{state}", known, PLACES_REMEMBERED)
    return known


def reachable_clinics(consultation: Consultation) -> list[Clinic]:
    """Clinics that this patient's doctor can ask or hand over to.

    Those linked to the health centre, those linked to the doctor's own facility (a PHC is hub and
    spoke at once), and for a patient at home the outpatient clinics of the state.
    """
    return REACHABLE.all(**around(consultation))


def around(consultation: Consultation) -> dict[str, Any]:
    """What reachable() asks of one consultation."""
    doctor = consultation.doctor
    return {
        "spoke": consultation.facility_id,
        "own": doctor.facility_id if doctor else None,
        "state": None if consultation.facility_id else consultation.clinic.state_id,
        "but": consultation.clinic_id,
        "day": timezone.localdate(),
    }


def reachable(spoke: Any, own: Any, state: Any, but: Any, day: Any) -> "QuerySet[Clinic]":
    """Each with the word whether it `is_linked` to the health centre itself, the `spoke`."""
    links = HubLink.objects.in_force(day)
    linked = links.filter(Q(spoke=spoke) | Q(spoke=own)).values("clinic")
    there = Q(pk__in=linked) | Q(takes_opd=True, state=state)
    clinics = Clinic.objects.filter(there, is_active=True).exclude(pk=but)
    return (
        clinics.annotate(is_linked=Exists(links.filter(spoke=spoke, clinic=OuterRef("pk"))))
        .select_related("speciality")
        .order_by("speciality__name", "name")
    )


def _places(state: Any) -> "QuerySet[Facility]":
    return Facility.objects.filter(state=state).exclude(kind=Facility.Kind.SUB_CENTRE)


def _opinions(consultation: Any) -> "QuerySet[Opinion]":
    rows = Opinion.objects.filter(consultation=consultation)
    return rows.select_related("clinic", "specialist__user")


REACHABLE = Composed(
    reachable,
    spoke=BigAutoField(),
    own=BigAutoField(),
    state=BigAutoField(),
    but=BigAutoField(),
    day=DateField(),
)
PLACES = Composed(_places, state=BigAutoField())
OPINIONS = Composed(_opinions, consultation=BigAutoField())


def opinion_form(consultation: Consultation, data: Any = None) -> OpinionForm:
    form = OpinionForm(data, prefix="opinion")
    form.fields["clinic"].queryset = reachable(**around(consultation))  # type: ignore[attr-defined]
    return form


def transfer_form(consultation: Consultation, data: Any = None) -> TransferForm:
    form = TransferForm(data, prefix="transfer")
    form.fields["clinic"].queryset = reachable(**around(consultation))  # type: ignore[attr-defined]
    return form


def referral_form(consultation: Consultation, data: Any = None) -> ReferralForm:
    """Facilities of the patient's state that are more than a health centre."""
    form = ReferralForm(data, prefix="referral")
    places = _places(consultation.patient.state_id)
    form.fields["facility"].queryset = places  # type: ignore[attr-defined]
    return form
