"""How doctor and patient met."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from consult.models import Consultation


class Mode(models.TextChoices):
    TEXT = "text", _("In writing")
    AUDIO = "audio", _("By sound")
    VIDEO = "video", _("By video")


def mode_of(consultation: Consultation) -> Mode:
    """The mode that really happened: from the seconds in which video or sound flowed, never chosen.

    Consultations are in writing until calls exist and feed this.
    """
    return Mode.TEXT
