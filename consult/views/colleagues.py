"""What a room shows of others than its doctor: the health centre, specialists, letters."""

from typing import Any

from django.db.models import Q, QuerySet

from accounts.models import Facility
from consult.forms import InstructionForm, OpinionForm, ReferralForm, TransferForm
from consult.models import Consultation
from consult.parts import letters_of
from consult.readings import readings
from queues.models import Clinic, HubLink


def panels(consultation: Consultation, **forms: Any) -> dict[str, Any]:
    """For the treating doctor's room; a form with mistakes comes in `forms`."""
    return {
        "readings": readings(consultation),
        "instructions": consultation.instructions.select_related("done_by"),
        "instruction_form": InstructionForm(prefix="instruction"),
        "opinions": consultation.opinions.select_related("clinic", "specialist__user"),
        "opinion_form": opinion_form(consultation),
        "transfer_form": transfer_form(consultation),
        "referral_form": referral_form(consultation),
        "letters": letters_of(consultation),
        **forms,
    }


def reachable_clinics(consultation: Consultation) -> "QuerySet[Clinic]":
    """Clinics that this patient's doctor can ask or hand over to.

    Those linked to the health centre, those linked to the doctor's own facility (a PHC is hub and
    spoke at once), and for a patient at home the outpatient clinics of the state.
    """
    doctor = consultation.doctor
    spokes = [consultation.facility_id, doctor.facility_id if doctor else None]
    linked = HubLink.objects.in_force().filter(spoke__in=[pk for pk in spokes if pk])
    reachable = Q(pk__in=linked.values("clinic"))
    if consultation.facility_id is None:
        reachable |= Q(takes_opd=True, state=consultation.clinic.state_id)
    clinics = Clinic.objects.filter(reachable, is_active=True).exclude(pk=consultation.clinic_id)
    return clinics.select_related("speciality").order_by("speciality__name", "name")


def opinion_form(consultation: Consultation, data: Any = None) -> OpinionForm:
    form = OpinionForm(data, prefix="opinion")
    form.fields["clinic"].queryset = reachable_clinics(consultation)  # type: ignore[attr-defined]
    return form


def transfer_form(consultation: Consultation, data: Any = None) -> TransferForm:
    form = TransferForm(data, prefix="transfer")
    form.fields["clinic"].queryset = reachable_clinics(consultation)  # type: ignore[attr-defined]
    return form


def referral_form(consultation: Consultation, data: Any = None) -> ReferralForm:
    """Facilities of the patient's state that are more than a health centre."""
    form = ReferralForm(data, prefix="referral")
    places = Facility.objects.filter(state=consultation.patient.state_id)
    form.fields["facility"].queryset = places.exclude(  # type: ignore[attr-defined]
        kind=Facility.Kind.SUB_CENTRE
    )
    return form
