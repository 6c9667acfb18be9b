"""The specialist's side: who asked, joining, the opinion."""

from uuid import UUID

from django.db.models import Q, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import record
from accounts.api.base import ApiView, Nothing, plain
from accounts.api.who import IsDoctor
from accounts.gates import get_or_refuse
from consult import actions
from consult.api.doctor_shapes import OpinionAnswerInput, OpinionOutput
from consult.api.rules import rules
from consult.models import Opinion
from queues.models import Duty


class Opinions(ApiView):
    """What specialists are asked."""

    permission_classes = [IsDoctor]
    outputs = {"GET": OpinionOutput}
    lists = {"GET"}
    is_polled = True

    def get(self, request: Request) -> Response:
        """What is asked in the clinics where the doctor is on duty, and what the doctor joined."""
        record("desk.read", "asked", by=plain(request).user)
        return self.answer(list(_offered(request).order_by("asked_at")[:50]))


def _offered(request: Request) -> "QuerySet[Opinion]":
    doctor = plain(request).user.doctor
    clinics = Duty.objects.working().filter(doctor=doctor).values("clinic")
    asked = Q(state=Opinion.State.ASKED, clinic__in=clinics) & ~Q(asked_by=doctor)
    people = ["consultation__patient", "consultation__facility", "clinic", "specialist__user"]
    return Opinion.objects.select_related(*people).filter(asked | Q(specialist=doctor))


class Join(ApiView):
    """The specialist comes in."""

    permission_classes = [IsDoctor]
    tag = "opinions"
    inputs = {"POST": Nothing}
    outputs = {"POST": OpinionOutput}
    refusals = ["moved", "not_asked"]

    def post(self, request: Request, opinion: UUID) -> Response:
        """Come into the room; from then on the specialist sees the case."""
        self.read()
        found = _found(request, opinion)
        with rules():
            joined = actions.join(opinion=found, specialist=plain(request).user.doctor)
        return self.answer(joined)


class Give(Join):
    """The opinion in writing."""

    inputs = {"POST": OpinionAnswerInput}

    def post(self, request: Request, opinion: UUID) -> Response:
        """The opinion in writing, for the treating doctor and the record."""
        typed = self.read()
        found = _found(request, opinion)
        with rules():
            given = actions.give_opinion(
                opinion=found, specialist=plain(request).user.doctor, answer=typed["answer"]
            )
        return self.answer(given)


def _found(request: Request, uid: UUID) -> Opinion:
    return get_or_refuse(_offered(request), Opinion.objects.all(), plain(request), uid=uid)
