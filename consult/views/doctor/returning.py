"""The form by which a doctor returns a case: to a health centre, or to a patient at home."""

from collections.abc import Iterable
from typing import Any

from django.utils.safestring import SafeString

from consult.forms import CentreReturnForm, ReturnForm, untouched
from consult.models import Consultation
from consult.views.doctor.colleagues import around, clinic_choices, reachable


def return_form(consultation: Consultation, data: Any = None) -> ReturnForm:
    """To a health centre with a clinic to send it to instead; to a patient at home without."""
    if consultation.facility_id is None:
        return ReturnForm(data, prefix="return")
    form = CentreReturnForm(data, prefix="return")
    clinics: Any = reachable(**around(consultation))  # annotated: unknown to django-stubs
    form.fields["clinic"].queryset = clinics.filter(is_linked=True)  # type: ignore[attr-defined]
    return form


def untouched_return_form(consultation: Consultation, clinics: Iterable[Any]) -> SafeString:
    """As return_form() is shown before anybody typed in it; `clinics` are those in reach."""
    if consultation.facility_id is None:
        return untouched(ReturnForm, "return")
    linked = [clinic for clinic in clinics if clinic.is_linked]
    return untouched(CentreReturnForm, "return", clinic=clinic_choices(linked))
