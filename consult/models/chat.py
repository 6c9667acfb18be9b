from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from consult.models.attachments import Attachment
from consult.models.consultations import Consultation


class ChatMessage(models.Model):
    """One message in the room. Its id, made by the writer's page, makes sending twice store once."""

    MAX_TEXT = 2000

    consultation = models.ForeignKey(
        Consultation, on_delete=models.PROTECT, related_name="messages"
    )
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    client_id = models.UUIDField()
    text = models.TextField(max_length=MAX_TEXT, blank=True)
    attachment = models.OneToOneField(
        Attachment, on_delete=models.PROTECT, null=True, blank=True, related_name="message"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["consultation", "client_id"], name="consult_chatmessage_stored_once"
            ),
            models.CheckConstraint(
                condition=~Q(text="") | Q(attachment__isnull=False),
                name="consult_chatmessage_says_something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"
