"""The FHIR server: documents and single resources, to read; vital signs of devices, to write.

A person sees their own consultations, a facility's machine those of its facility, as its rights say.
Errors are OperationOutcomes.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import JSONParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import record, refuse
from accounts.api.base import ApiView, Refused, plain
from accounts.api.who import IsNoticed
from accounts.models import MachineClient
from consult import actions
from consult.fhir import findings, orders, people
from consult.fhir.capability import capability_statement
from consult.fhir.devices import NotAVitalSign, vitals_of
from consult.fhir.documents import document, kinds_of
from consult.fhir.parts import Resource, on_server
from consult.fhir.records import Record, record_of, records_of, with_all
from consult.models import Consultation
from queues.models import MoveRefused

Builder = Callable[[Record], list[Resource]]
PAGE = 50  # consultations that one search looks at
RESOURCES: dict[str, Builder] = {
    "Patient": lambda record: [people.patient(record.consultation.patient)],
    "Practitioner": lambda record: [people.practitioner(record.doctor)] if record.doctor else [],
    "Encounter": lambda record: [findings.encounter(record, on_server)],
    "Observation": lambda record: findings.vital_signs(record, on_server),
    "MedicationRequest": lambda record: orders.medication_requests(record, on_server),
}


class FhirJson(JSONRenderer):
    media_type = "application/fhir+json"
    charset = None


class FhirParser(JSONParser):
    media_type = "application/fhir+json"


class MayRead(BasePermission):
    """A person, or a machine that may read records."""

    code = "no_right"

    def has_permission(self, request: Request, view: Any) -> bool:
        if isinstance(request.auth, MachineClient):
            return request.auth.may_read_records
        return IsNoticed().has_permission(request, view)


class FhirView(ApiView):
    """An end of the FHIR server."""

    permission_classes = [MayRead]
    renderer_classes = [FhirJson, JSONRenderer]
    parser_classes = [FhirParser, JSONParser]
    tag = "fhir"

    def handle_exception(self, exc: Exception) -> Response:
        answer = super().handle_exception(exc)
        if answer.status_code >= 400 and isinstance(answer.data, dict) and "code" in answer.data:
            answer.data = outcome(answer.data)
        return answer


def outcome(error: dict[str, Any]) -> Resource:
    codes = {"not_found": "not-found", "throttled": "throttled", "invalid": "invalid"}
    said = [f"{name}: {words}" for name, words in error.get("fields", {}).items()]
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": codes.get(error["code"], "processing"),
                "details": {"text": error["message"]},
                "diagnostics": "; ".join([error["code"], *said]),
            }
        ],
    }


def visible(request: Request) -> "QuerySet[Consultation]":
    """What this person or machine may see: never a draft."""
    user = plain(request).user
    everything = with_all().exclude(state=Consultation.State.DRAFT)
    if isinstance(request.auth, MachineClient):
        return everything.filter(facility=request.auth.facility)
    mine = Consultation.objects.visible_to(user)
    if not user.is_verified():
        mine = mine.of_patient_account(user)
    return everything.filter(pk__in=mine.values("pk"))


def note(request: Request, what: str, record_: Record) -> None:
    """In the audit: a machine by its name, and the person who answers for it."""
    client = request.auth if isinstance(request.auth, MachineClient) else None
    action = f"client.{what}" if client else what
    target = f"client:{client.uid}" if client else record_.consultation
    record(action, target, by=plain(request).user, patient=record_.consultation.patient)


class Metadata(FhirView):
    """The capability statement."""

    permission_classes = []

    def get(self, request: Request) -> Response:
        """What this server can do; for everybody."""
        return Response(capability_statement(list(RESOURCES)))


class OneBundle(FhirView):
    """One document."""

    def get(self, request: Request, kind: str, consultation: UUID) -> Response:
        """A document of a completed consultation: `OPConsultRecord-<consultation>` and the like."""
        found = visible(request).filter(uid=consultation).values_list("pk", flat=True).first()
        if found is None:
            hidden = Consultation.objects.filter(uid=consultation).first()
            if hidden is not None:
                refuse("consultation.refused", hidden, by=request.user)
            raise Http404
        there = record_of(found)
        if kind not in kinds_of(there):
            raise Http404
        note(request, "fhir.document", there)
        return Response(document(there, kind))


class OneResource(FhirView):
    """One resource by its id."""

    def get(self, request: Request, kind: str, key: str) -> Response:
        """One resource of a consultation that the asker may see."""
        if kind not in RESOURCES:
            raise Http404
        for there in records_of(list(self._candidates(request, kind, key))):
            for one in RESOURCES[kind](there):
                if one["id"] == key:
                    note(request, f"fhir.{kind}", there)
                    return Response(one)
        raise Http404

    def _candidates(self, request: Request, kind: str, key: str) -> "Iterable[Consultation]":
        """The consultations that can hold it, by the shape of the id."""
        rows = visible(request).order_by("-pk")
        uid = _uid(key[:36])
        if uid is None:
            raise Http404
        if kind == "Patient":
            return rows.filter(patient__uid=uid)[:1]
        if kind == "MedicationRequest":
            return rows.filter(prescriptions__uid=uid)[:1]
        if kind == "Practitioner":
            seen = {row.doctor_id: row for row in rows.exclude(doctor=None)[:500]}
            return [
                row
                for row in seen.values()
                if row.doctor and people.practitioner_id(row.doctor) == key
            ]
        return rows.filter(uid=uid)[:1]


def _uid(typed: str) -> UUID | None:
    try:
        return UUID(typed)
    except ValueError:
        return None


class Search(FhirView):
    """Search by patient and date; vital signs of devices come in here too."""

    def get(self, request: Request, kind: str) -> Response:
        """`?patient=<id>&date=ge2026-11-01`; newest first, at most 50 consultations a page."""
        if kind not in RESOURCES:
            raise Http404
        rows = _dated(_of_patient(visible(request), request), request).order_by("-pk")
        offset = _number(request.query_params.get("_offset", "0"))
        page = list(rows[offset : offset + PAGE + 1])
        found: dict[str, Resource] = {}
        for there in records_of(page[:PAGE]):
            for one in RESOURCES[kind](there):
                found.setdefault(one["id"], one)
            note(request, f"fhir.{kind}", there)
        links = [{"relation": "self", "url": request.build_absolute_uri()}]
        if len(page) > PAGE:
            links.append({"relation": "next", "url": _next(request, offset + PAGE)})
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
            patient, vitals = vitals_of(typed)
        except NotAVitalSign as error:
            raise ValidationError({error.field: [error.words]}) from None
        found = _open_at(client, patient)
        person = plain(request).user
        try:
            actions.measured_by_device(consultation=found, vitals=vitals, client=client, by=person)
        except MoveRefused:
            raise Refused("moved", _("The consultation has ended.")) from None
        return Response({**typed, "status": "final"}, status=201)


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
    typed = request.query_params.get("patient", request.query_params.get("_id", ""))
    if not typed:
        return rows
    uid = _uid(typed.removeprefix("Patient/"))
    return rows.filter(patient__uid=uid) if uid else rows.none()


COMPARISONS: dict[str, Callable[[datetime, datetime], dict[str, datetime]]] = {
    "eq": lambda start, end: {"created_at__gte": start, "created_at__lt": end},
    "ge": lambda start, end: {"created_at__gte": start},
    "gt": lambda start, end: {"created_at__gte": end},
    "le": lambda start, end: {"created_at__lt": end},
    "lt": lambda start, end: {"created_at__lt": start},
}


def _dated(rows: "QuerySet[Consultation]", request: Request) -> "QuerySet[Consultation]":
    """`date` with FHIR's prefixes, by the day on which the consultation began."""
    for typed in request.query_params.getlist("date"):
        prefix = typed[:2] if typed[:2] in COMPARISONS else "eq"
        day = _day(typed.removeprefix(prefix))
        start = timezone.make_aware(datetime.combine(day, time(0)))
        rows = rows.filter(**COMPARISONS[prefix](start, start + timedelta(days=1)))
    return rows


def _day(typed: str) -> date:
    try:
        day = parse_date(typed)
    except ValueError:
        day = None
    if day is None or not 1900 < day.year < 2200:
        raise ValidationError({"date": [_("Write a day as 2026-11-24.")]})
    return day


def _number(typed: str) -> int:
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 7 else 0


def _next(request: Request, offset: int) -> str:
    query = request.query_params.copy()
    query["_offset"] = str(offset)
    return f"{settings.SITE_URL}{request.path}?{query.urlencode()}"


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
