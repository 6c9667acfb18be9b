from datetime import timedelta
from decimal import Decimal

from django.db.models import BigAutoField, DateTimeField
from django.utils import timezone

from consult.models import Consultation, Observation
from esanjeevani.sql.composed import Composed

LASTS = timedelta(days=30)  # a child has grown by then
NEWEST = Composed(
    lambda patient, since: Observation.objects.filter(
        patient=patient, kind="weight", taken_at__gte=since
    ).order_by("-taken_at", "-pk")[:1],
    patient=BigAutoField(),
    since=DateTimeField(),
)


def weight_of(consultation: Consultation) -> Decimal | None:
    """Body weight in kg, as last measured within a month; None where nobody measured it."""
    newest = NEWEST.first(patient=consultation.patient_id, since=timezone.now() - LASTS)
    return newest.value if newest else None
