"""The form by which a doctor returns a case: to a health centre, or to a patient at home."""

from typing import Any

from django.db.models import BigAutoField, DateField, QuerySet
from django.utils import timezone
from django.utils.safestring import SafeString

from consult.forms import CentreReturnForm, ReturnForm, untouched
from consult.models import Consultation
from consult.views.colleagues import clinic_choices
from esanjeevani.composed import Composed
from queues.models import Clinic, HubLink


def return_form(consultation: Consultation, data: Any = None) -> ReturnForm:
    """To a health centre with a clinic to send it to instead; to a patient at home without."""
    if consultation.facility_id is None:
        return ReturnForm(data, prefix="return")
    form = CentreReturnForm(data, prefix="return")
    form.fields["clinic"].queryset = _clinics_instead(  # type: ignore[attr-defined]
        **_of_centre(consultation)
    )
    return form


def _of_centre(consultation: Consultation) -> dict[str, Any]:
    day = timezone.localdate()
    return {"facility": consultation.facility_id, "clinic": consultation.clinic_id, "day": day}


def _clinics_instead(facility: Any, clinic: Any, day: Any) -> "QuerySet[Clinic]":
    linked = HubLink.objects.in_force(day).filter(spoke=facility)
    others = Clinic.objects.filter(pk__in=linked.values("clinic")).select_related("speciality")
    return others.exclude(pk=clinic)


CLINICS_INSTEAD = Composed(
    _clinics_instead, facility=BigAutoField(), clinic=BigAutoField(), day=DateField()
)


def untouched_return_form(consultation: Consultation) -> SafeString:
    """As return_form() is shown before anybody typed in it."""
    if consultation.facility_id is None:
        return untouched(ReturnForm, "return")
    others = CLINICS_INSTEAD.all(**_of_centre(consultation))
    return untouched(CentreReturnForm, "return", clinic=clinic_choices(others))
