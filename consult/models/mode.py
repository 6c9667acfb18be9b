"""What kind of consultation it was, by what flowed and never by a drop-down.

The Telemedicine Practice Guidelines make rules depend on it: a medicine of list A needs, at a first
consultation, that doctor and patient saw each other.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

# Ours: the guidelines give no figure. Long enough to see a face, hear a name and an answer.
VIDEO_FROM_SECONDS = 30
SOUND_FROM_SECONDS = 30


class Mode(models.TextChoices):
    """The three modes of the guidelines (TPG 2020, 1.4.2)."""

    TEXT = "text", _("Text")
    AUDIO = "audio", _("Audio")
    VIDEO = "video", _("Video")


def mode_of(*, video_seconds: int, sound_seconds: int) -> Mode:
    """The best mode that lasted; both figures are seconds in which it flowed both ways."""
    if video_seconds >= VIDEO_FROM_SECONDS:
        return Mode.VIDEO
    return Mode.AUDIO if sound_seconds >= SOUND_FROM_SECONDS else Mode.TEXT


def may_make_another(*, kept: tuple[int, int], now: tuple[int, int]) -> bool:
    """Whether seconds of video and of sound that grew since they were `kept` may lead to another mode."""
    enough = (VIDEO_FROM_SECONDS, SOUND_FROM_SECONDS)
    return any(least > had < got for had, got, least in zip(kept, now, enough, strict=True))
