"""What a room shows of others than its doctor: the health centre, specialists, letters."""

from collections.abc import Iterable
from typing import Any

from django.db.models import BigAutoField, DateField, Q, QuerySet
from django.utils import timezone

from accounts.models import Facility
from consult.forms import InstructionForm, OpinionForm, ReferralForm, TransferForm, untouched
from consult.forms.consultation import ClinicField
from consult.forms.untouched import Choices
from consult.models import Consultation, Opinion
from consult.of_consultation import INSTRUCTIONS, letters_of
from consult.readings import readings
from consult.room_holds import RoomHolds
from esanjeevani.composed import Composed
from queues.models import Clinic, HubLink


def panels(consultation: Consultation, holds: RoomHolds) -> dict[str, Any]:
    """For the treating doctor's room; a form with mistakes takes the place of its own."""
    clinics = clinic_choices(reachable_clinics(consultation))
    return {
        "readings": readings(consultation),
        "instructions": INSTRUCTIONS.all(consultation=consultation.pk)
        if holds.instructions
        else [],
        "instruction_form": InstructionForm(prefix="instruction"),
        "opinions": OPINIONS.all(consultation=consultation.pk) if holds.opinions else [],
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
    places = PLACES.all(state=consultation.patient.state_id)
    return tuple((place.pk, str(place)) for place in places)


def reachable_clinics(consultation: Consultation) -> list[Clinic]:
    """Clinics that this patient's doctor can ask or hand over to.

    Those linked to the health centre, those linked to the doctor's own facility (a PHC is hub and
    spoke at once), and for a patient at home the outpatient clinics of the state.
    """
    return REACHABLE.all(**_from(consultation))


def _from(consultation: Consultation) -> dict[str, Any]:
    doctor = consultation.doctor
    return {
        "spoke": consultation.facility_id,
        "own": doctor.facility_id if doctor else None,
        "state": None if consultation.facility_id else consultation.clinic.state_id,
        "but": consultation.clinic_id,
        "day": timezone.localdate(),
    }


def _reachable(spoke: Any, own: Any, state: Any, but: Any, day: Any) -> "QuerySet[Clinic]":
    linked = HubLink.objects.in_force(day).filter(Q(spoke=spoke) | Q(spoke=own))
    there = Q(pk__in=linked.values("clinic")) | Q(takes_opd=True, state=state)
    clinics = Clinic.objects.filter(there, is_active=True).exclude(pk=but)
    return clinics.select_related("speciality").order_by("speciality__name", "name")


def _places(state: Any) -> "QuerySet[Facility]":
    return Facility.objects.filter(state=state).exclude(kind=Facility.Kind.SUB_CENTRE)


def _opinions(consultation: Any) -> "QuerySet[Opinion]":
    rows = Opinion.objects.filter(consultation=consultation)
    return rows.select_related("clinic", "specialist__user")


REACHABLE = Composed(
    _reachable,
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
    form.fields["clinic"].queryset = _reachable(**_from(consultation))  # type: ignore[attr-defined]
    return form


def transfer_form(consultation: Consultation, data: Any = None) -> TransferForm:
    form = TransferForm(data, prefix="transfer")
    form.fields["clinic"].queryset = _reachable(**_from(consultation))  # type: ignore[attr-defined]
    return form


def referral_form(consultation: Consultation, data: Any = None) -> ReferralForm:
    """Facilities of the patient's state that are more than a health centre."""
    form = ReferralForm(data, prefix="referral")
    places = _places(consultation.patient.state_id)
    form.fields["facility"].queryset = places  # type: ignore[attr-defined]
    return form
