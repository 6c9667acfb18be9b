import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.models.base import Public
from consult.models.consultations import Consultation


def random_path(_attachment: "Attachment", _name: str) -> str:
    """Below FILES_DIR; nothing of the uploader's file name is kept on disk."""
    name = uuid.uuid4().hex
    return f"attachments/{name[:2]}/{name}"


class Attachment(Public):
    """One photo or PDF of a consultation, checked and re-encoded before it was stored."""

    class Kind(models.TextChoices):
        JPEG = "image/jpeg", "JPEG"
        PDF = "application/pdf", "PDF"

    PER_CASE = 5
    PER_CONSULTATION = 40  # with those sent in the chat

    consultation = models.ForeignKey(
        Consultation, on_delete=models.PROTECT, related_name="attachments"
    )
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    file = models.FileField(upload_to=random_path)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    size = models.PositiveIntegerField("bytes")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_image(self) -> bool:
        return self.kind == self.Kind.JPEG
