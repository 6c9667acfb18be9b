"""What anybody who holds the paper of a prescription may know of it."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from consult.models import Dispensing, Prescription, SigningKey
from consult.signing import is_authentic


class Standing(models.TextChoices):
    """Of a prescription that was found."""

    VALID = "valid", _("Valid")
    SUPERSEDED = "superseded", _("Replaced by a newer one")
    ALTERED = "altered", _("Altered")


class Dispensed(models.TextChoices):
    NO = "no", _("Not given out yet")
    PARTLY = "partly", _("Partly given out")
    YES = "yes", _("Given out")


def find_prescription(typed: str) -> Prescription | None:
    """By the 22 letters of the square code, or by the short code on the paper. No draft is found."""
    issued = Prescription.objects.exclude(state=Prescription.State.DRAFT)
    by_id = issued.filter(check_id=typed).first()
    return by_id or issued.filter(check_code=typed.upper().replace("-", "")).first()


def standing_of(prescription: Prescription) -> Standing:
    """Valid only if the row is, to the last bit, what was signed."""
    if not is_authentic(prescription):
        return Standing.ALTERED
    if prescription.state == Prescription.State.SUPERSEDED:
        return Standing.SUPERSEDED
    return Standing.VALID


def dispensed_state(prescription: Prescription) -> Dispensed:
    """From what health centres noted per medicine."""
    lines = prescription.lines.count()
    noted = Dispensing.objects.filter(line__prescription=prescription)
    given = list(noted.values_list("given", flat=True))
    whole = given.count(Dispensing.Given.GIVEN)
    if whole and whole == lines:
        return Dispensed.YES
    if whole or Dispensing.Given.PARTLY in given:
        return Dispensed.PARTLY
    return Dispensed.NO


def public_keys() -> list[dict[str, Any]]:
    """For those who verify signatures themselves: what was signed is described in the records."""
    return [
        {
            "key_id": key.key_id,
            "algorithm": "Ed25519",
            "public_key": key.public_key,
            "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
        }
        for key in SigningKey.objects.all()
    ]
