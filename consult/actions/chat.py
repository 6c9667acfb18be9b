from uuid import UUID

from django.db import transaction
from django.db.models import BigAutoField

from accounts.actions import record
from accounts.models import User
from consult import broadcast
from consult.models import Attachment, ChatMessage, Consultation
from consult.uploads import CleanFile
from esanjeevani.composed import Composed
from esanjeevani.rows import insert_unless_there
from queues.models import MoveRefused

LOCKED = Composed(
    lambda pk: Consultation.objects.select_for_update().only("state").filter(pk=pk),
    pk=BigAutoField(),
)


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
    locked = LOCKED.first(pk=consultation.pk)
    if locked is None:
        raise MoveRefused("There is no such consultation.")
    is_open = locked.state == Consultation.State.IN_PROGRESS
    if not is_open or clean:
        if stored := _stored(locked, client_id):
            return stored
        if not is_open:
            raise MoveRefused("The consultation is not in progress.")
    if clean and locked.attachments.count() >= Attachment.PER_CONSULTATION:
        raise TooManyFiles(Attachment.PER_CONSULTATION)
    message = ChatMessage(
        consultation=locked,
        author=by,
        client_id=client_id,
        text=text.strip(),
        attachment=clean.attach(locked, by) if clean else None,
    )
    if not insert_unless_there(message):
        return locked.messages.get(client_id=client_id)
    record("message.post", f"message:{message.pk}", by=by, patient=consultation.patient)
    broadcast.message_posted(locked.pk, message.pk)
    return message


def _stored(consultation: Consultation, client_id: UUID) -> ChatMessage | None:
    return consultation.messages.filter(client_id=client_id).first()
