"""A health centre's day on one page: what needs somebody first, then who waits, then the rest.

Read in a fixed number of queries, however many patients.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone

from accounts.models import Facility
from consult.models import Consultation, FollowUp, Instruction, Referral
from consult.models.consultations import ConsultationQuerySet
from queues.assignment import linked_clinics
from queues.line import Standing, standings
from queues.models import Duty

CAME_BACK_FOR = timedelta(days=14)
DUE_SOON = timedelta(days=3)
SHOWN = 100  # rows of each kind

State = Consultation.State


@dataclass(frozen=True)
class Day:
    """The rows of the desk, each in the order in which somebody should look at them."""

    called: list[Consultation] = field(default_factory=list)
    serving: list[Consultation] = field(default_factory=list)
    came_back: list[Consultation] = field(default_factory=list)
    waiting: list[Consultation] = field(default_factory=list)
    written: list[Consultation] = field(default_factory=list)
    drafts: list[Consultation] = field(default_factory=list)
    done: list[Consultation] = field(default_factory=list)
    instructions: list[Instruction] = field(default_factory=list)
    follow_ups: list[FollowUp] = field(default_factory=list)
    unstaffed: set[int] = field(default_factory=set)  # clinics whose last doctor has left

    @property
    def is_empty(self) -> bool:
        lines = self.called or self.serving or self.waiting
        return not (lines or self.came_back or self.written or self.drafts or self.done)


def read_day(facility: Facility) -> Day:
    """In 7 queries."""
    open_ones = _of(facility).open().order_by("requested_at")[:SHOWN]
    by_place: dict[str, list[Consultation]] = {"called": [], "serving": [], "waiting": []}
    written = []
    for one in open_ones:
        if one.token is None:
            written.append(one)
        elif one.token.state in by_place:
            by_place[one.token.state].append(one)
    unstaffed = _unstaffed({one.clinic_id for one in by_place["waiting"]})
    by_place["waiting"].sort(
        key=lambda one: one.clinic_id not in unstaffed
    )  # stable: else in order
    return Day(
        **by_place,
        unstaffed=unstaffed,
        written=written,
        came_back=_came_back(facility),
        drafts=list(_of(facility).filter(state=State.DRAFT).order_by("-created_at")[:SHOWN]),
        done=_done_today(facility),
        instructions=_instructions(facility),
        follow_ups=_follow_ups(facility),
    )


def _unstaffed(clinic_ids: set[int]) -> set[int]:
    """Where nobody calls now: those patients must not be left to wait unseen."""
    staffed = Duty.objects.working().filter(clinic__in=clinic_ids)
    return clinic_ids - set(staffed.values_list("clinic_id", flat=True))


def _of(facility: Facility) -> ConsultationQuerySet:
    rows = Consultation.objects.of_centre(facility)
    return rows.select_related("patient", "clinic__speciality", "token", "doctor__user")


def _came_back(facility: Facility) -> list[Consultation]:
    since = timezone.now() - CAME_BACK_FOR
    back = Consultation.objects.came_back(facility).filter(ended_at__gt=since)
    people = back.select_related("patient", "clinic__speciality", "token", "doctor__user")
    return list(people.select_related("suggested_clinic").order_by("-ended_at")[:SHOWN])


def _done_today(facility: Facility) -> list[Consultation]:
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    done = _of(facility).filter(state=State.COMPLETED, ended_at__gte=midnight)
    return list(done.order_by("-ended_at")[:SHOWN])


def _instructions(facility: Facility) -> list[Instruction]:
    open_ones = Instruction.objects.filter(
        done_at=None,
        consultation__facility=facility,
        consultation__state__in=Consultation.OPEN,
    )
    return list(open_ones.select_related("consultation__patient", "asked_by").order_by("pk"))


def _follow_ups(facility: Facility) -> list[FollowUp]:
    """Due, overdue, and those of the next days."""
    soon = timezone.localdate() + DUE_SOON
    due = FollowUp.objects.of_centre(facility).open().filter(due_on__lte=soon)
    return list(due.select_related("patient", "consultation__note").order_by("due_on")[:SHOWN])


def hub_standings(facility: Facility) -> list[Standing]:
    """The linked clinics as they stand, in 5 queries."""
    return standings(linked_clinics(facility))


def letters_of(consultation: Consultation) -> list[Referral]:
    return list(consultation.referrals.select_related("facility", "issued_by__user"))
