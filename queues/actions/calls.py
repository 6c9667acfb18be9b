"""Calls: the next patient of a line, and how a call ends."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils import timezone

from accounts.models import Doctor, Patient, User
from esanjeevani.sql.changes import Change
from esanjeevani.sql.composed import Columns, Question, together
from queues import broadcast
from queues.actions.heads import come_back
from queues.claim import NOTHING, Before, Beside, before_a_call, claim
from queues.due import clinics_near_a_turn
from queues.line import read_line
from queues.models import Clinic, Duty, KeptApart, MoveRefused, Token
from queues.models.moves import move_all, moved

RETRIES = 3
RINGING = Columns(
    lambda: (
        Token.objects.open()
        .filter(state=Token.State.CALLED)
        .values_list("pk", "called_at", "clinic__call_window")
    )
)


class NotOnDuty(Exception):
    """The doctor is not on duty in this clinic, or is paused."""


class NobodyPresent(Exception):
    """Nobody in the line is on the page; `waiting` people keep their place."""

    def __init__(self, waiting: int) -> None:
        super().__init__(f"{waiting} wait, none present")
        self.waiting = waiting


class AlreadyHolding(Exception):
    """The doctor has a patient already: the one who was called or is in the room."""

    def __init__(self, doctor: Doctor) -> None:
        super().__init__(str(doctor.pk))
        self.doctor = doctor

    @property
    def token(self) -> Token | None:
        """That patient's, looked up when somebody asks."""
        return Token.objects.held().filter(doctor=self.doctor).first()


def call_next(*, clinic: Clinic, doctor: Doctor) -> Token:
    """Call the first present patient of the line. Raises NotOnDuty, AlreadyHolding, NobodyPresent."""
    token, _nothing = call_beside(clinic=clinic, doctor=doctor)
    return token


def call_beside(
    *,
    clinic: Clinic,
    doctor: Doctor,
    before: Before | None = None,
    beside: Beside = NOTHING,
    **values: Any,
) -> tuple[Token, Sequence[Any]]:
    """As call_next(), with what stands `beside` the call and what that answers. One statement: not in a
    transaction, which a race for the patient would end. `before` is what was just looked at."""
    if not doctor.is_verified:
        raise NotOnDuty
    for _try in range(RETRIES):
        before = before or before_a_call(doctor.pk, clinic.uid).ask()[0]
        if not before.is_on_duty:
            raise NotOnDuty
        if before.holds:
            break
        try:
            called = claim(doctor.pk, before, beside, **values) if before.anybody else None
        except IntegrityError:
            before = None  # the patient was called elsewhere, or our other click was faster
            continue
        if called is None:
            raise NobodyPresent(Token.objects.in_line(clinic).count() if before.anybody else 0)
        broadcast.token_changed(called[0])
        return called
    raise AlreadyHolding(doctor)


def is_on_duty(doctor: Doctor, clinic: Clinic) -> bool:
    """On duty in this clinic and not paused."""
    return Duty.objects.working().filter(doctor=doctor, clinic=clinic).exists()


def answer_call(
    *also: Change, token: Token, at_screen_of: User | None = None, beside: Sequence[Model] = ()
) -> Token:
    """The patient comes in, at home or at the screen of a health worker; what `also` moves with that is
    moved too and what is written `beside` it is written, or nothing of it all.

    Only in a transaction, which ends with it. Raises MoveRefused when the call is over, or the health
    worker is in another call.
    """
    try:
        move_all(token.answering(at_screen_of), *also, beside=beside)
    except IntegrityError:
        raise MoveRefused("The health worker is in another call.") from None
    broadcast.token_changed(token)
    return token


def finish_token(*, token: Token, then: Sequence[Question] = ()) -> list[Any]:
    """Only in a transaction, which MoveRefused must end. Finds what is asked `then`, in the same trip."""
    _finished, *found = together(moved(token.finishing()), *then)
    broadcast.token_changed(token)
    return found


@transaction.atomic
def put_back(*, token: Token) -> Token:
    """The talk broke off: the patient keeps the number and is called before all but emergencies.

    Raises MoveRefused when the patient is not with a doctor.
    """
    doctor_id = token.doctor_id
    token.put_back()
    come_back(token)
    broadcast.token_changed(token, doctor_id)
    return token


@transaction.atomic
def keep_apart(*, doctor: Doctor, patient: Patient) -> KeptApart:
    """Never match these two again, nor the doctor and another patient of that account."""
    apart, _created = KeptApart.objects.get_or_create(doctor=doctor, patient=patient)
    return apart


@transaction.atomic
def pass_over(*, token: Token) -> Token:
    """The call was not answered: back to the line once, then the place is lost."""
    doctor_id = token.doctor_id
    token.pass_over()
    come_back(token)
    broadcast.token_changed(token, doctor_id)
    return token


def unanswered_calls() -> list[Token]:
    """Whose time to answer is over, whoever was called first at first."""
    now = timezone.now()
    late = [pk for pk, at, window in RINGING.columns() if at + timedelta(seconds=window) < now]
    if not late:
        return []
    tokens = Token.objects.filter(pk__in=late).select_related("clinic", "patient__account")
    return list(tokens.order_by("called_at"))


@transaction.atomic
def pass_unanswered(*, token: Token) -> Token:
    """As pass_over(), of one of unanswered_calls(). Raises MoveRefused, also when it was called anew."""
    same_call = Token.objects.select_for_update().filter(pk=token.pk, called_at=token.called_at)
    if same_call.first() is None:
        raise MoveRefused("It is another call by now.")
    return pass_over(token=token)


def people_near_their_turn() -> list[tuple[Token, int]]:
    """Absent people whose turn is near and who were not told yet, with the people ahead of them.

    They are marked as told: each is returned once. Call it in the transaction that tells them.
    """
    now = timezone.now()
    untold = Token.objects.waiting().filter(told_at=None)
    absent = untold.exclude(presence__until__gt=now)
    near = []
    for clinic in Clinic.objects.filter(pk__in=clinics_near_a_turn()):
        line = read_line(clinic)
        if not line.doctors:  # nobody calls now: they are told when somebody does
            continue
        soon = {pk: ahead for ahead, pk in enumerate(line.order[: clinic.near_ahead + 1])}
        there = absent.filter(clinic=clinic, pk__in=soon).order_by("pk")
        for token in there.select_related("patient__account"):
            if untold.filter(pk=token.pk).update(told_at=now):
                token.clinic = clinic
                near.append((token, soon[token.pk]))
    return near
