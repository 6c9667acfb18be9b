from uuid import UUID

from django.db import transaction

from accounts.actions import record
from accounts.models import User
from consult import broadcast
from consult.models import Attachment, ChatMessage, Consultation
from consult.uploads import CleanFile
from queues.models import MoveRefused


class TooManyFiles(Exception):
    """The consultation holds as many files as it may; `most` says how many."""

    def __init__(self, most: int) -> None:
        super().__init__(str(most))
        self.most = most


@transaction.atomic
def post_message(
    *,
    consultation: Consultation,
    by: User,
    client_id: UUID,
    text: str = "",
    clean: CleanFile | None = None,
) -> ChatMessage:
    """Store one chat message once, however often it is sent.

    The consultation is locked while it is stored, so that ids grow in the order of the commits: a
    page that has seen message 6 can never find a message 5 afterwards. Raises MoveRefused when the
    consultation is not in progress, TooManyFiles.
    """
    locked = Consultation.objects.select_for_update().get(pk=consultation.pk)
    stored = ChatMessage.objects.filter(consultation=locked, client_id=client_id).first()
    if stored:
        return stored
    if locked.state != Consultation.State.IN_PROGRESS:
        raise MoveRefused("The consultation is not in progress.")
    if clean and locked.attachments.count() >= Attachment.PER_CONSULTATION:
        raise TooManyFiles(Attachment.PER_CONSULTATION)
    message = ChatMessage.objects.create(
        consultation=locked,
        author=by,
        client_id=client_id,
        text=text.strip(),
        attachment=clean.attach(locked, by) if clean else None,
    )
    record("message.post", f"message:{message.pk}", by=by, patient=consultation.patient)
    broadcast.message_posted(locked.pk, message.pk)
    return message
