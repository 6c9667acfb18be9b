"""The patient asks the same doctor to go on with the same medicines; the doctor answers in writing."""

from uuid import UUID

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import record
from accounts.api.base import ApiView, Nothing, cleaned, plain
from accounts.api.who import IsDoctor
from accounts.gates import get_or_refuse
from consult import actions
from consult.api.base import OfConsultation, fresh
from consult.api.care_shapes import RefillInput, RefillOutput
from consult.api.rules import rules
from consult.api.shapes import ConsultationOutput
from consult.fetch import own_consultation
from consult.forms import RefillForm
from consult.models import RefillRequest
from consult.of_consultation import issued_of


class Refills(OfConsultation):
    """Requests to go on with the medicines of one consultation."""

    fetch = staticmethod(own_consultation)
    inputs = {"POST": RefillInput}
    outputs = {"GET": RefillOutput, "POST": RefillOutput}
    statuses = {"POST": 201}
    refusals = ["already_asked", "moved"]
    lists = {"GET"}

    def get(self, request: Request, consultation: UUID) -> Response:
        """What was asked, and whether the doctor has looked at it; the newest last."""
        found = self.found(request, consultation)
        asked = RefillRequest.objects.with_people().filter(prescription__consultation=found)
        return self.answer(list(asked.order_by("pk")))

    def post(self, request: Request, consultation: UUID) -> Response:
        """Ask the doctor for the same medicines again, once the consultation is over."""
        found = self.found(request, consultation)
        issued = issued_of(found)
        if issued is None or not found.is_over:
            raise Http404
        typed = self.read()
        said = cleaned(RefillForm(typed))
        with rules():
            asked = actions.request_refill(
                prescription=issued,
                by=plain(request).user,
                words=said["words"],
                language=typed["language"],
            )
        return self.answer(asked, 201)


class WithdrawRefill(ApiView):
    """One request of this account."""

    inputs = {"POST": Nothing}
    outputs = {"POST": RefillOutput}
    refusals = ["moved"]
    tag = "consultations"

    def post(self, request: Request, refill: UUID) -> Response:
        """It is no longer needed. `moved`: the doctor looks at it already."""
        self.read()
        everything = RefillRequest.objects.with_people()
        user = plain(request).user
        mine = everything.filter(prescription__consultation__patient__account=user)
        found = get_or_refuse(mine, RefillRequest.objects.all(), plain(request), uid=refill)
        with rules():
            actions.withdraw_refill(refill=found, by=user)
        return self.answer(everything.get(pk=found.pk))


class AskedRefills(ApiView):
    """What patients ask this doctor to go on with."""

    permission_classes = [IsDoctor]
    outputs = {"GET": RefillOutput}
    lists = {"GET"}
    is_polled = True
    tag = "doctor"

    def get(self, request: Request) -> Response:
        """Requests that wait, and those whose consultation is not finished; the oldest first."""
        user = plain(request).user
        record("desk.read", "refills", by=user)
        return self.answer(list(user.doctor.refill_requests.on_the_desk()))


class TakeRefill(ApiView):
    """One request to this doctor."""

    permission_classes = [IsDoctor]
    inputs = {"POST": Nothing}
    outputs = {"POST": ConsultationOutput}
    refusals = ["moved"]
    tag = "doctor"

    def post(self, request: Request, refill: UUID) -> Response:
        """Open it: a consultation in writing with the medicines as a draft, under the same rules."""
        self.read()
        doctor = plain(request).user.doctor
        mine = RefillRequest.objects.with_people().filter(doctor=doctor)
        found = get_or_refuse(mine, RefillRequest.objects.all(), plain(request), uid=refill)
        with rules():
            taken = actions.take_refill(refill=found, doctor=doctor)
        return self.answer(fresh(taken))
