from decimal import Decimal

from consult.models import Consultation


def weight_of(consultation: Consultation) -> Decimal | None:
    """Body weight in kg as measured for this consultation; None until somebody measures it."""
    return None
