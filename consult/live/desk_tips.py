"""What each open desk should know: whether its doctor's own part and duties are still what it shows.

Asked when a desk comes, and every few seconds for all desks of a process together (consult/live/tips.py): one
statement, and one for each kind of thing that waits for a doctor besides the line.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import BigAutoField, FilteredRelation, OuterRef, Q, QuerySet

from accounts.models import Doctor
from consult.desk import OwnPart, duties_version, is_there_any
from esanjeevani.live.hub import Message
from esanjeevani.sql.any_of import ALL_SIZES, AnyOf
from esanjeevani.sql.composed import Columns


@dataclass(frozen=True, slots=True)
class DeskTip:
    """How one doctor's desk is, as its page shows it."""

    own: str  # a version, to be compared
    holds: bool  # a patient, called or in the room
    duties: tuple[tuple[int, bool], ...]  # clinic, and whether the doctor rests

    @property
    def may_call(self) -> bool:
        return not self.holds and not any(is_paused for _clinic, is_paused in self.duties)

    def as_message(self, kind: str) -> Message:
        """ "hello" when the page comes, "now" when it was told something else before."""
        return {"type": kind, "own": self.own, "duties": duties_version(self.duties)}


def _desks(doctors: Any) -> "QuerySet[Doctor, Any]":
    """A row for each duty, one where there is none."""
    on_duty = FilteredRelation("duties", condition=Q(duties__ended_at=None))
    found: Any = Doctor.objects.filter(pk__in=doctors).annotate(duty=on_duty)
    columns = "pk", "duty__clinic", "duty__paused_at", *is_there_any(OuterRef("pk"))
    rows: QuerySet[Doctor, Any] = found.order_by("pk", "duty__clinic__name").values_list(*columns)
    return rows


DESK = Columns(lambda whose: _desks([whose]), whose=BigAutoField())
DESKS = AnyOf(_desks, BigAutoField(), sizes=ALL_SIZES)


def read_desks(doctor_ids: Iterable[int]) -> dict[int, DeskTip]:
    rows = groupby(DESKS.columns(doctor_ids), itemgetter(0))
    return {doctor: desk_tip(doctor, list(own)) for doctor, own in rows}


def desk_tip(doctor: int, rows: Sequence[Any]) -> DeskTip:
    """From the rows of this doctor."""
    duties = tuple((clinic, rests is not None) for _pk, clinic, rests, *_there in rows if clinic)
    _pk, _clinic, _rests, *there = rows[0]
    own = OwnPart.read(doctor, there).version if any(there) else ""
    return DeskTip(own, bool(there[0]), duties)
