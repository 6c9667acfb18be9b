from django.db.models import Exists, OuterRef
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import ApiView, Nothing, Refused, plain
from accounts.api.who import IsDoctor
from queues import actions
from queues.api.shapes import DutyInput, DutyOutput, LeftBehindOutput, PostOutput
from queues.models import Clinic, Duty


class OfDoctor(ApiView):
    """The duties of the doctor who asks."""

    permission_classes = [IsDoctor]
    tag = "duty"
    inputs = {"POST": Nothing}
    outputs = {"GET": DutyOutput, "POST": DutyOutput}
    lists = {"GET", "POST"}

    def duties(self, request: Request) -> Response:
        mine = Duty.objects.on().filter(doctor=plain(request).user.doctor)
        return self.answer(list(mine.select_related("clinic").order_by("clinic__name")))


class Duties(OfDoctor):
    """Where the doctor is on duty."""

    inputs = {"POST": DutyInput}
    refusals = ["not_verified"]

    def get(self, request: Request) -> Response:
        """The clinics in which this doctor is on duty now."""
        return self.duties(request)

    def post(self, request: Request) -> Response:
        """Go on duty in a clinic of one's speciality; twice is once. Answers all duties."""
        doctor = plain(request).user.doctor
        clinics = Clinic.objects.filter(is_active=True, speciality=doctor.speciality)
        clinic = clinics.filter(uid=self.read()["clinic"]).first()
        if clinic is None:
            raise Http404
        try:
            actions.start_duty(doctor=doctor, clinic=clinic)
        except actions.NotVerified:
            words = _("Your registration has not been verified yet. Ask your nodal officer.")
            raise Refused("not_verified", words) from None
        return self.duties(request)


class MayStart(OfDoctor):
    """Where the doctor may go on duty."""

    outputs = {"GET": PostOutput}
    lists = {"GET"}
    http_method_names = ["get", "head", "options"]

    def get(self, request: Request) -> Response:
        """The clinics of the doctor's speciality, those of duty included, by state and name."""
        doctor = plain(request).user.doctor
        on = Duty.objects.on().filter(doctor=doctor, clinic=OuterRef("pk"))
        clinics = Clinic.objects.filter(is_active=True, speciality=doctor.speciality)
        rows = clinics.select_related("state").annotate(is_on_duty=Exists(on))
        return self.answer(list(rows.order_by("state__name", "name")))


class Pause(OfDoctor):
    def post(self, request: Request) -> Response:
        """Call nobody for a while; the lines are kept."""
        self.read()
        actions.pause_duty(doctor=plain(request).user.doctor)
        return self.duties(request)


class Resume(OfDoctor):
    def post(self, request: Request) -> Response:
        """Go on after a pause."""
        self.read()
        actions.resume_duty(doctor=plain(request).user.doctor)
        return self.duties(request)


class End(OfDoctor):
    outputs = {"POST": LeftBehindOutput}
    lists = {"POST"}

    def post(self, request: Request) -> Response:
        """Go off duty everywhere; answers who waits on without a doctor. A patient in the room stays."""
        self.read()
        left = actions.end_duty(doctor=plain(request).user.doctor)
        return self.answer([{"clinic": clinic, "waiting": waiting} for clinic, waiting in left])
