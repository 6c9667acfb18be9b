"""Places in a line: taken, moved to another clinic, left, expired."""

from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils import timezone

from accounts.models import Patient, User
from esanjeevani.sql.changes import Change, Shape, change_text
from esanjeevani.sql.instances import new
from esanjeevani.sql.rows import is_inserted
from esanjeevani.sql.steps import (
    Others,
    Steps,
    all_values,
    insert_text,
    unlinked,
    values_of,
    with_rows,
)
from queues import broadcast
from queues.door import Look
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


class Place(NamedTuple):
    """What somebody gets in a line."""

    token: Token  # without its number
    most: int  # the number up to which there is room


def take_token(
    *, clinic: Clinic, patient: Patient, priority: int, brought_by: User | None = None
) -> Token:
    """Give `patient` the next number in `clinic` today, as place_for() and put_in_line()."""
    place = place_for(clinic=clinic, patient=patient, priority=priority, brought_by=brought_by)
    return put_in_line(place)


def place_for(
    *,
    clinic: Clinic,
    patient: Patient,
    priority: int,
    brought_by: User | None = None,
    there: Look | None = None,
) -> Place:
    """What `patient` gets in `clinic` now, in no line yet. Raises NoToken.

    `brought_by` is the health worker at whose screen the patient sits, if one brings them; `there` is
    what was seen at the clinic's door in this moment.
    The wait that is expected now is kept with the token: what was told can be held against what came.
    """
    standing = _check_open(door(clinic, patient, priority, there))
    wait = standing.wait
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
    return Place(token, standing.last_number)


def put_in_line(place: Place, also: Change | None = None, beside: Sequence[Model] = ()) -> Token:
    """The token gets its number and key, and its patient is present. Raises NoToken("full"), AlreadyWaiting.

    Those who came at the same moment were not in the line yet when its room was counted; that they took
    numbers since is seen here, where one waits for the other. What `also` moves is given this token, and
    what comes `beside` it is inserted, in the same statement, with which the transaction ends: it must
    have locked that row.

    Only in a transaction, which either exception must end: the number goes to the next one then.
    It is taken late, because its row stays locked until that transaction ends.
    """
    must_be_in_transaction()
    token = place.token
    try:
        found = _insert_with_number(place, also, beside)
    except IntegrityError as error:
        if also and Token._meta.db_table not in str(error):
            raise
        raise AlreadyWaiting(token.clinic, token.patient) from None
    if not found:
        raise NoToken("full")
    ((key, token.number),) = found
    is_inserted(token, key)
    if also:
        also.is_made()
    broadcast.line_changed(token.clinic_id)
    return token


def _insert_with_number(
    place: Place, also: Change | None, beside: Sequence[Model]
) -> list[tuple[Any, ...]]:
    """Key and number; nothing where there is no room."""
    token, most = place
    links = unlinked(beside)
    values = {
        "clinic": token.clinic_id,
        "day": token.day,
        "most": most,
        "until": timezone.now() + Presence.LEASE,
        **values_of("token", token, ["number"]),
        **all_values(beside, links),
        **(also.values() if also else {}),
    }
    steps = _inserting(also and also.shape(), links)
    return steps.ask(values, is_last=also is not None)


@lru_cache
def _inserting(also: Shape | None, beside: Others) -> Steps:
    token = insert_text("token", Token, number="last_number")
    moved = {"moved": change_text(also, "token", token="token.key")} if also else {}  # noqa: S106
    return Steps(
        counter=NEXT_NUMBER,
        token=f"{token} FROM counter RETURNING id AS key, number",
        presence="INSERT INTO queue_presence (token_id, until) SELECT key, %(until)s FROM token",
        **moved,
        **with_rows(beside, "token"),
        answer="SELECT key, number FROM token",
    )


def _check_open(standing: Standing) -> Standing:
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
    old = Token.objects.open().waiting().filter(day__lt=today).select_related("clinic")
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
