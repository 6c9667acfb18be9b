"""What a health centre is shown of one patient; each query is composed once."""

from typing import Any

from django.db.models import BigAutoField

from consult.models import Consultation, FollowUp
from esanjeevani.sql.composed import Composed

EARLIER_SHOWN = 20
_OF: dict[str, Any] = {"facility": BigAutoField(), "patient": BigAutoField()}

NOT_OVER_HERE = Composed(  # at most one that is written, and one that is open
    lambda facility, patient: (
        Consultation.objects.of_centre(facility)
        .filter(patient=patient, state__in=[Consultation.State.DRAFT, *Consultation.OPEN])
        .select_related("clinic", "token")
    ),
    **_OF,
)
EARLIER = Composed(
    lambda patient: (
        Consultation.objects.filter(patient=patient)
        .exclude(state=Consultation.State.DRAFT)
        .select_related("clinic", "doctor__user", "note", "facility")
        .order_by("-created_at")[:EARLIER_SHOWN]
    ),
    patient=BigAutoField(),
)
FOLLOW_UPS_HERE = Composed(
    lambda facility, patient: (
        FollowUp.objects.of_centre(facility)
        .open()
        .filter(patient=patient)
        .select_related("consultation")
    ),
    **_OF,
)
