from datetime import timedelta
from functools import lru_cache

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Patient, User
from esanjeevani.instances import new
from esanjeevani.rows import is_inserted
from esanjeevani.steps import Steps, insert_text, values_of
from queues import broadcast
from queues.line import Standing, door
from queues.models import Clinic, MoveRefused, Presence, Token
from queues.models.clinics import NEXT_NUMBER, must_be_in_transaction


class NoToken(Exception):
    """The clinic gives this patient no token now. `reason`: closed, unstaffed, full or unsuitable."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AlreadyWaiting(Exception):
    """The patient has an open token in this clinic."""

    def __init__(self, clinic: Clinic, patient: Patient) -> None:
        super().__init__(f"{patient.pk} in {clinic.pk}")
        self.clinic = clinic
        self.patient = patient

    @property
    def token(self) -> Token | None:
        """That token, looked up once the failed transaction is over."""
        return Token.objects.open().filter(clinic=self.clinic, patient=self.patient).first()


def take_token(
    *, clinic: Clinic, patient: Patient, priority: int, brought_by: User | None = None
) -> Token:
    """Give `patient` the next number in `clinic` today. Raises NoToken, AlreadyWaiting.

    `brought_by` is the health worker at whose screen the patient sits, if one brings them.
    The wait that is expected now is kept with the token: what was told can be held against what came.

    Only in a transaction, which either exception must end: the number goes to the next one then.
    It is taken late, because its row stays locked until that transaction ends.
    """
    wait = _check_open(clinic, patient, priority).wait
    token = new(
        Token,
        clinic=clinic,
        day=timezone.localdate(),
        patient=patient,
        priority=priority,
        brought_by=brought_by,
        expected_low=wait.low if wait else None,
        expected_high=wait.high if wait else None,
    )
    try:
        _insert_with_number(token)
    except IntegrityError:
        raise AlreadyWaiting(clinic, patient) from None
    broadcast.line_changed(clinic.pk)
    return token


def _insert_with_number(token: Token) -> None:
    """The token gets its number and key, and its patient is present. Raises NoToken("full")."""
    must_be_in_transaction()
    asked = {
        "clinic": token.clinic_id,
        "day": token.day,
        "most": token.clinic.daily_limit,
        "until": timezone.now() + Presence.LEASE,
    }
    ((token.number, key),) = _inserting().ask(asked | values_of("token", token, ["number"]))
    if key is None:
        raise NoToken("full")
    is_inserted(token, key)


@lru_cache
def _inserting() -> Steps:
    token = insert_text("token", Token, number="last_number")
    return Steps(
        counter=NEXT_NUMBER,
        token=f"{token} FROM counter WHERE last_number <= %(most)s RETURNING id",
        presence="INSERT INTO queue_presence (token_id, until) SELECT id, %(until)s FROM token",
        answer="SELECT last_number, (SELECT id FROM token) FROM counter",
    )


def _check_open(clinic: Clinic, patient: Patient, priority: int) -> Standing:
    standing = door(clinic, patient, priority)
    if not standing.is_open:
        raise NoToken("closed")
    if not standing.doctors:
        raise NoToken("unstaffed")
    if not standing.has_room:
        raise NoToken("full")
    if not standing.suits:
        raise NoToken("unsuitable")
    return standing


@transaction.atomic
def move_token(*, token: Token, clinic: Clinic, priority: int | None = None) -> Token:
    """A place in another clinic's line instead of this one; returns the new token.

    Raises NoToken, AlreadyWaiting; MoveRefused when the token is over, or is being called.
    """
    moved = take_token(
        clinic=clinic,
        patient=token.patient,
        priority=token.priority if priority is None else priority,
        brought_by=token.brought_by,
    )
    token.move(moved)
    broadcast.token_changed(token)
    return moved


@transaction.atomic
def sit_at_screen(*, token: Token, of: User) -> None:
    """The patient sits at the screen of another health worker now. Raises MoveRefused when called."""
    here = Token.objects.filter(pk=token.pk, state=Token.State.WAITING, brought_by__isnull=False)
    if not here.update(brought_by=of):
        raise MoveRefused("The patient is not waiting at a health centre.")
    token.brought_by = of
    broadcast.line_changed(token.clinic_id)


@transaction.atomic
def leave_line(*, token: Token) -> Token:
    """The patient gives the place up. Raises MoveRefused when it is over already."""
    token.leave()
    broadcast.token_changed(token)
    return token


def old_places() -> list[Token]:
    """The places that still wait although their day has ended.

    Where a clinic does not close at midnight its line goes on; but nobody waits a second night.
    """
    today = timezone.localdate()
    old = Token.objects.waiting().filter(day__lt=today).select_related("clinic")
    last_night = today - timedelta(days=1)
    return [
        token
        for token in old.prefetch_related("clinic__hours")[:500]
        if token.day < last_night or not token.clinic.is_open()
    ]


@transaction.atomic
def expire_place(*, token: Token) -> Token:
    """The day of this place is over. Raises MoveRefused when it waits no more."""
    token.expire()
    broadcast.token_changed(token)
    return token
