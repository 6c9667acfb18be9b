"""The doctor's desk: each line the doctor is on duty in, as rows to read."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import BigAutoField, Exists, OuterRef, Q, QuerySet
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.models import Doctor, Patient
from accounts.models.patients import age_on
from esanjeevani.rendering.kept import in_each_language
from esanjeevani.sql.any_of import AnyOf
from esanjeevani.sql.composed import Composed, Question, together
from queues.line import IN_LINE, turns
from queues.models import Clinic, Duty, Token

ROWS_SHOWN = 60
ROWS_KEPT = 2_000  # rows as HTML that a process keeps: a line changes by a row or two at a time
DUTIES_OF = Composed(
    lambda doctor: (
        Duty.objects.on()
        .filter(doctor=doctor)
        .select_related("clinic__speciality")
        .order_by("clinic__name")
    ),
    doctor=BigAutoField(),
)


def _facts(tokens: list[Any]) -> "QuerySet[Token, Any]":
    held = Token.objects.held().filter(brought_by=OuterRef("brought_by"))
    return (
        Token.objects.filter(pk__in=tokens, consultation__isnull=False)
        .annotate(is_at_busy_screen=~Q(priority=Token.Priority.EMERGENCY) & Exists(held))
        .values_list(
            "pk", "consultation__uid", "number", "priority", "comes_first", "passes", "issued_at",
            "patient__name", "patient__birth_date", "patient__sex", "consultation__complaint",
            "presence__until", "is_at_busy_screen",
        )
    )  # fmt: skip


FACTS = AnyOf(_facts, BigAutoField())


@dataclass(frozen=True)
class DeskRow:
    """One waiting patient, as the desk tells of them. Two that are equal look the same."""

    token: int
    consultation: UUID
    number: int
    priority: int
    comes_first: bool
    has_missed: bool  # a call
    issued_at: datetime
    name: str
    age: int
    sex: str
    complaint: str
    is_present: bool
    is_at_busy_screen: bool  # the health worker is in another call

    @property
    def minutes(self) -> int:
        """Waited so far."""
        return (timezone.now() - self.issued_at) // timedelta(minutes=1)

    @property
    def can_come(self) -> bool:
        return self.is_present and not self.is_at_busy_screen

    @property
    def priority_name(self) -> str:
        return str(Token.Priority(self.priority).label)

    @property
    def sex_name(self) -> str:
        return str(Patient.Sex(self.sex).label)

    @property
    def html(self) -> SafeString:
        return _html(self, self.minutes)


@in_each_language(ROWS_KEPT)
def _html(row: DeskRow, minutes: int) -> SafeString:
    return render_to_string("queue/_desk_row.html", {"row": row, "minutes": minutes})


@dataclass(frozen=True)
class DeskLine:
    """One clinic's line. It is the same at every doctor's desk."""

    clinic: Clinic
    rows: list[DeskRow]
    waiting: int

    @property
    def present(self) -> int:
        """Who can be called now."""
        return sum(row.can_come for row in self.rows)

    @property
    def counts(self) -> str:
        words = _("waiting: %(waiting)s, on the page: %(present)s")
        return words % {"waiting": self.waiting, "present": self.present}


@dataclass(frozen=True)
class OwnLine(DeskLine):
    """A line in which one doctor is on duty."""

    is_paused: bool


def desk_lines(doctor: Doctor) -> list[OwnLine]:
    """In a query, and at most 3 per clinic the doctor is on duty in, whatever the length of its line."""
    duties = DUTIES_OF.all(doctor=doctor.pk)
    return lines_on(duties, together(*in_lines(duties)) if duties else [])


def in_lines(duties: list[Duty]) -> list[Question]:
    """Who waits in each of these lines, for lines_on()."""
    return [IN_LINE.asked(clinic=duty.clinic_id) for duty in duties]


def lines_on(duties: list[Duty], waiting: list[Any]) -> list[OwnLine]:
    """`waiting` is what in_lines() found."""
    lines = [
        (desk_line(duty.clinic, in_line), duty)
        for duty, in_line in zip(duties, waiting, strict=True)
    ]
    return [OwnLine(one.clinic, one.rows, one.waiting, duty.is_paused) for one, duty in lines]


def desk_line(clinic: Clinic, in_line: Any = None) -> DeskLine:
    """In at most 3 queries; `in_line` is who waits, where that was asked already."""
    order = turns(clinic, in_line)
    shown = order[:ROWS_SHOWN]
    rows = _rows(shown) if shown else {}
    # Whoever left the line between the two queries is not shown.
    return DeskLine(clinic, [rows[pk] for pk in shown if pk in rows], len(order))


def _rows(tokens: list[int]) -> dict[int, DeskRow]:
    now, today = timezone.now(), timezone.localdate()
    facts: Any = FACTS.columns(tokens)
    rows: dict[int, DeskRow] = {}
    for pk, *place, passes, since, name, born, sex, complaint, until, at_busy_screen in facts:
        who: list[Any] = [bool(passes), since, name, age_on(born, today), sex, complaint]
        is_present = until is not None and until > now
        rows[pk] = DeskRow(*[pk, *place, *who, is_present, at_busy_screen])
    return rows
