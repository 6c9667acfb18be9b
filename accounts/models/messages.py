from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, models
from django.utils import timezone

from esanjeevani.sql.prepared import ask
from esanjeevani.sql.rows import update

CLAIM_LEASE = timedelta(seconds=60)
MAX_ATTEMPTS = 8
SENT_WITH = ["id", "to", "template_id", "text", "is_secret"]  # in the order of the fields
OF_TEMPLATE = ["id", "header", "dlt_id"]
# One row of due(), by its key, and what a gateway is told of it: for each SMS, so it is composed once.
CLAIM = f"""
UPDATE accounts_message SET state = 'sending', claimed_at = %s, attempts = attempts + 1
WHERE id = %s AND attempts < {MAX_ATTEMPTS}
  AND ((state = 'queued' AND due_at <= %s) OR (state = 'sending' AND claimed_at < %s))
RETURNING id, "to", template_id, text, is_secret,
  (SELECT header FROM accounts_smstemplate WHERE id = template_id),
  (SELECT dlt_id FROM accounts_smstemplate WHERE id = template_id)
"""  # noqa: S608 - a number of ours


class SmsTemplate(models.Model):
    """One registered SMS text in one language. India's operators pass registered texts only (DLT)."""

    key = models.SlugField(max_length=40)
    language = models.CharField(max_length=8, choices=settings.LANGUAGES)
    text = models.CharField(max_length=500, help_text="With slots such as {code}.")
    header = models.CharField("DLT header", max_length=11, blank=True)
    dlt_id = models.CharField("DLT template id", max_length=19, blank=True)

    class Meta:
        verbose_name = "SMS template"
        constraints = [
            models.UniqueConstraint(
                fields=["key", "language"], name="accounts_smstemplate_once_per_language"
            )
        ]

    def __str__(self) -> str:
        return f"{self.key} ({self.language})"


class MessageQuerySet(models.QuerySet["Message"]):
    def due(self, now: Any, stale: Any) -> "MessageQuerySet":
        """Never sent, or claimed before `stale` by somebody who has not come back."""
        return self.filter(attempts__lt=MAX_ATTEMPTS).filter(
            models.Q(state=Message.State.QUEUED, due_at__lte=now)
            | models.Q(state=Message.State.SENDING, claimed_at__lt=stale)
        )

    def lost(self, stale: Any) -> "MessageQuerySet":
        """Claimed for the last time by somebody who has not come back."""
        return self.filter(
            state=Message.State.SENDING, attempts__gte=MAX_ATTEMPTS, claimed_at__lt=stale
        )


class Message(models.Model):
    """One SMS in the outbox, written in the transaction that made it necessary."""

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        SENDING = "sending", "Sending"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"

    to = models.CharField(max_length=16)
    template = models.ForeignKey(SmsTemplate, on_delete=models.PROTECT)
    text = models.CharField(max_length=1000)
    is_secret = models.BooleanField(default=False, help_text="The text is wiped once sent.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=200, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(state__in=["queued", "sending"]),
                name="accounts_message_unsent",
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="sent", sent_at__isnull=False)
                | (~models.Q(state="sent") & models.Q(sent_at=None)),
                name="accounts_message_sent_has_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.template_id} {self.state}"

    @classmethod
    def claimed(cls, key: int) -> "Message | None":
        """The row with this key, taken for sending; None when it is sent, or somebody else holds it."""
        now = timezone.now()
        for row in ask(CLAIM, [now, key, now, now - CLAIM_LEASE]).rows:
            *own, header, dlt_id = row
            message = cls.from_db(DEFAULT_DB_ALIAS, SENT_WITH, own)
            of_template = message.template_id, header, dlt_id
            message.template = SmsTemplate.from_db(DEFAULT_DB_ALIAS, OF_TEMPLATE, of_template)
            return message
        return None

    def mark_sent(self) -> None:
        sent = {"state": self.State.SENT, "sent_at": timezone.now(), "error": ""}
        update(type(self), self.pk, sent | {"text": self._kept_text()})

    def mark_failed(self, error: str) -> None:
        """Back to the queue with a growing pause; given up after MAX_ATTEMPTS."""
        self.refresh_from_db(fields=["attempts"])
        given_up = self.attempts >= MAX_ATTEMPTS
        # Somebody who took it over after the lease may have sent it: that stays.
        type(self).objects.filter(pk=self.pk, state=self.State.SENDING).update(
            state=self.State.FAILED if given_up else self.State.QUEUED,
            due_at=timezone.now() + timedelta(seconds=5 * 2**self.attempts),
            text=self._kept_text() if given_up else self.text,
            error=error[:200],
        )

    def _kept_text(self) -> str:
        """What stays in the table once nothing more is sent."""
        return "" if self.is_secret and not settings.DEMO else self.text
