from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from consult.models import Consultation, Observation

LASTS = timedelta(days=30)  # a child has grown by then


def weight_of(consultation: Consultation) -> Decimal | None:
    """Body weight in kg, as last measured within a month; None where nobody measured it."""
    measured = Observation.objects.filter(
        patient=consultation.patient_id, kind="weight", taken_at__gte=timezone.now() - LASTS
    )
    newest = measured.order_by("-taken_at", "-pk").first()
    return newest.value if newest else None
