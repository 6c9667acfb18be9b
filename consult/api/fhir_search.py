"""Search on the FHIR server, by patient and date; and the vital signs that devices send there."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import Refused, plain
from accounts.models import MachineClient
from consult import actions
from consult.api.fhir import RESOURCES, FhirView, candidates, note, resources, uid_of, visible
from consult.api.fhir_dates import TIMES, asked_dates, dated, fits
from consult.fhir.devices import NotAVitalSign, measured_at, vitals_of
from consult.fhir.findings import vital_signs
from consult.fhir.parts import Resource, on_server
from consult.fhir.records import Record, records_of
from consult.models import Consultation
from queues.models import MoveRefused

PAGE = 50  # consultations that one search looks at
ASKED = {"_id", "patient", "_offset"}  # what every search can be asked by; see TIMES too


class Search(FhirView):
    """Search by patient and date; vital signs of devices come in here too."""

    def get(self, request: Request, kind: str) -> Response:
        """`?patient=<id>&date=ge2026-11-01` or `?_id=`; newest first, at most 50 consultations a page.

        `authoredon` instead of `date` for a MedicationRequest.
        """
        if kind not in RESOURCES:
            raise Http404
        asked = asked_dates(request, kind)
        rows = dated(_of_patient(visible(request), request), kind, asked).order_by("-pk")
        key, offset = request.query_params.get("_id"), _offset(request)
        page = candidates(rows, kind, key) if key else list(rows[offset : offset + PAGE + 1])
        found: dict[str, Resource] = {}
        for there in records_of(page[:PAGE]):
            for one in resources(kind, there):
                if key in (None, one["id"]) and fits(one, asked):
                    found.setdefault(one["id"], one)
            note(request, f"fhir.{kind}", there)
        links = [{"relation": "self", "url": _address(request, kind)}]
        if len(page) > PAGE:
            following = str(offset + PAGE)
            links.append({"relation": "next", "url": _address(request, kind, _offset=following)})
        return Response(_searchset(list(found.values()), links))

    def post(self, request: Request, kind: str) -> Response:
        """A vital sign that a device measured, for the open case of this patient at the facility."""
        client = request.auth
        if kind != "Observation":
            raise Http404
        if not isinstance(client, MachineClient) or not client.may_send_vitals:
            raise Refused("no_right", _("This key may not send vital signs."), 403)
        typed = request.data
        if not isinstance(typed, dict):
            raise ValidationError({"resourceType": [_("An Observation is a JSON object.")]})
        try:
            (patient, vitals), at = vitals_of(typed), measured_at(typed)
        except NotAVitalSign as error:
            raise ValidationError({error.field: [error.words]}) from None
        found = _open_at(client, patient)
        person = plain(request).user
        try:
            rows = actions.measured_by_device(
                consultation=found, vitals=vitals, at=at, client=client, by=person
            )
        except MoveRefused:
            raise Refused("moved", _("The consultation has ended.")) from None
        (kept,) = vital_signs(Record(found, observations=rows), on_server)
        address = f"{settings.SITE_URL}/fhir/Observation/{kept['id']}"
        return Response(kept, status=201, headers={"Location": address})


class SearchMayWrite(Search):
    """A machine without the right to read may write."""

    def get_permissions(self) -> list[Any]:
        if self.request.method == "POST":
            return [AnyKey()]
        return list(super().get_permissions())


class AnyKey(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user.is_authenticated)


def _open_at(client: MachineClient, patient: UUID) -> Consultation:
    """What is open for this patient at the machine's facility; a stranger's is 404."""
    states = [Consultation.State.DRAFT, *Consultation.OPEN]
    here = Consultation.objects.with_people().filter(facility=client.facility, state__in=states)
    found = here.filter(patient__uid=patient).order_by("-pk").first()
    if found is None:
        raise Http404
    return found


def _of_patient(rows: "QuerySet[Consultation]", request: Request) -> "QuerySet[Consultation]":
    typed = request.query_params.get("patient", "")
    if not typed:
        return rows
    uid = uid_of(typed.removeprefix("Patient/"))
    return rows.filter(patient__uid=uid) if uid else rows.none()


def _offset(request: Request) -> int:
    typed = request.query_params.get("_offset", "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 7 else 0


def _address(request: Request, kind: str, **changed: str) -> str:
    """Of this search, with what it was really asked by."""
    query = request.query_params.copy()
    heeded = ASKED | {TIMES[kind].asked_as} if kind in TIMES else ASKED
    for name in query.keys() - heeded:
        del query[name]
    for name, value in changed.items():
        query[name] = value
    return f"{settings.SITE_URL}{request.path}{'?' if query else ''}{query.urlencode()}"


def _searchset(found: list[Resource], links: list[dict[str, str]]) -> Resource:
    base = f"{settings.SITE_URL}/fhir"
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "link": links}
    if found:
        bundle["entry"] = [
            {
                "fullUrl": f"{base}/{one['resourceType']}/{one['id']}",
                "resource": one,
                "search": {"mode": "match"},
            }
            for one in found
        ]
    return bundle
