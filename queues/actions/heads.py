"""Where each line begins: a call looks no further back.

Whoever was called stays in the index of those who wait until the database sweeps it, and a long
transaction anywhere keeps it from sweeping. A call that walked over all of them would become slower
and slower; so it skips the numbers that are known to wait no more.
"""

from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, PositiveIntegerField, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from queues.models import ClinicDay, Token


def come_back(token: Token) -> None:
    """If this token waits again, calls look from its number on, if not from before.

    In the transaction that moved it, and after the move: a token is locked before its day, as where it
    moves to another clinic. Who put the head forward meanwhile, without seeing it, is corrected.
    """
    days = ClinicDay.objects.filter(clinic=token.clinic_id, day__gte=token.day)
    number = Case(
        When(day__gt=token.day, then=Value(0)),  # of last night: before everybody of today
        When(head__gt=token.number, then=Value(token.number)),
        default=F("head"),
        output_field=PositiveIntegerField(),
    )
    days.update(head=number)


@transaction.atomic
def put_heads_forward() -> int:
    """Let calls begin to look where today's lines begin now; returns how many moved.

    A day in which a number is being taken at this moment is left for the next time.
    """
    today = timezone.localdate()
    days = ClinicDay.objects.select_for_update(skip_locked=True).filter(day=today)
    locked = list(days.filter(last_number__gte=F("head")).values_list("pk", flat=True))
    # A second statement: it sees whatever was committed until the days were locked. From the head on,
    # so that what is over is not read again every few seconds, however long the day or the years.
    waiting = Token.objects.waiting().filter(clinic=OuterRef("clinic"))
    line = waiting.filter(day=today, number__gte=OuterRef("head")).order_by("number")
    begins = Coalesce(
        Subquery(line.values("number")[:1]),
        F("last_number") + 1,
        output_field=PositiveIntegerField(),
    )
    found = ClinicDay.objects.filter(~Exists(waiting.filter(day__lt=today)), pk__in=locked)
    return found.annotate(begins=begins).filter(begins__gt=F("head")).update(head=F("begins"))
