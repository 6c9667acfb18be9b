"""A message of the talk, with its files: stored once, in the order in which all see it."""

from functools import lru_cache
from uuid import UUID

from django.db import transaction
from django.db.models import BigAutoField

from accounts.actions import event
from accounts.models import AuditEvent, User
from consult import broadcast
from consult.models import Attachment, ChatMessage, Consultation
from consult.uploads import CleanFile
from esanjeevani.sql.composed import Composed
from esanjeevani.sql.prepared import this_threads_connection
from esanjeevani.sql.rows import is_inserted
from esanjeevani.sql.steps import Steps, insert_text, values_of
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
    message = ChatMessage(
        consultation=consultation, author=by, client_id=client_id, text=text.strip()
    )
    return _post_with_file(message, clean) if clean else _post(message)


@transaction.atomic
def _post_with_file(message: ChatMessage, clean: CleanFile) -> ChatMessage:
    locked = LOCKED.first(pk=message.consultation_id)
    if stored := _stored(message):
        return stored
    if locked is None or locked.state != Consultation.State.IN_PROGRESS:
        raise MoveRefused("The consultation is not in progress.")
    if locked.attachments.count() >= Attachment.PER_CONSULTATION:
        raise TooManyFiles(Attachment.PER_CONSULTATION)
    message.attachment = clean.attach(locked, message.author)
    return _post(message)


def _post(message: ChatMessage) -> ChatMessage:
    """In one statement; another asks for what is there already."""
    consultation = message.consultation
    noted = event("message.post", by=message.author, patient=consultation.patient)
    values = values_of("message", message) | values_of("noted", noted, ["target"])
    found = _posting().ask(values)
    if not found:
        if stored := _stored(message):
            return stored
        raise MoveRefused("The consultation is not in progress.")
    is_inserted(message, found[0][0])
    broadcast.message_posted(consultation.pk, message.pk)
    return message


@lru_cache
def _posting() -> Steps:
    """Not before the lock is had is the message's id taken: its row is made from the locked one."""
    can_lock = this_threads_connection().features.has_select_for_update
    open_one = "SELECT id FROM consult_consultation WHERE id = %(message_consultation_id)s"
    message = insert_text("message", ChatMessage)
    noted = insert_text("noted", AuditEvent, target="'message:' || message.id")
    return Steps(
        locked=f"{open_one} AND state = 'in_progress' {'FOR UPDATE' if can_lock else ''}",
        message=f"{message} FROM locked WHERE TRUE ON CONFLICT DO NOTHING RETURNING id",
        noted=f"{noted} FROM message",
        answer="SELECT id FROM message",
    )


def _stored(message: ChatMessage) -> ChatMessage | None:
    return message.consultation.messages.filter(client_id=message.client_id).first()
