"""The FHIR server: documents and single resources, to read.

A person sees their own consultations, a facility's machine those of its facility, as its rights say.
Errors are OperationOutcomes.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils import translation
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import record, refuse
from accounts.api.base import ApiView, plain
from accounts.api.parsing import JsonParser
from accounts.api.who import IsNoticed
from accounts.models import MachineClient
from consult.api.fhir_dates import TIMES
from consult.fhir import findings, orders, people
from consult.fhir.capability import capability_statement
from consult.fhir.documents import document, kinds_of
from consult.fhir.parts import Resource, on_server
from consult.fhir.records import Record, record_of, records_of, with_all
from consult.models import Consultation
from esanjeevani.outcome import FHIR_JSON, outcome


def place(record: Record) -> list[Resource]:
    """Where the consultation was held from, if that is a facility."""
    facility = findings.place_of(record.consultation)
    return [people.organization(facility)] if facility else []


Builder = Callable[[Record], list[Resource]]
RESOURCES: dict[str, Builder] = {
    "Patient": lambda record: [people.patient(record.consultation.patient)],
    "Practitioner": lambda record: [people.practitioner(record.doctor)] if record.doctor else [],
    "Organization": place,
    "Encounter": lambda record: [findings.encounter(record, on_server)],
    "Condition": lambda record: findings.conditions(record, on_server),
    "Observation": lambda record: findings.vital_signs(record, on_server),
    "MedicationRequest": lambda record: orders.medication_requests(record, on_server),
}
# Of many consultations, under an id of its own: it is looked for in the newest of those that have one.
SHARED: dict[str, tuple[Q, Callable[[Consultation], str]]] = {
    "Practitioner": (
        Q(doctor__isnull=False),
        lambda row: people.practitioner_id(row.doctor) if row.doctor else "",
    ),
    "Organization": (
        Q(),
        lambda row: people.organization_id(it) if (it := findings.place_of(row)) else "",
    ),
}
NEWEST = 500


def resources(kind: str, record: Record) -> list[Resource]:
    """In English, as the documents are, whatever language is active."""
    with translation.override("en"):
        return RESOURCES[kind](record)


class FhirJson(JSONRenderer):
    media_type = FHIR_JSON
    charset = None


class FhirParser(JsonParser):
    media_type = FHIR_JSON


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
    parser_classes = [FhirParser, JsonParser]
    tag = "fhir"

    def handle_exception(self, exc: Exception) -> Response:
        answer = super().handle_exception(exc)
        if answer.status_code >= 400 and isinstance(answer.data, dict) and "code" in answer.data:
            answer.data = outcome(answer.data)
        return answer


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
        dates = {kind: TIMES[kind].asked_as if kind in TIMES else "" for kind in RESOURCES}
        return Response(capability_statement(dates))


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
        found = candidates(visible(request), kind, key)
        for there in records_of(found):
            for one in resources(kind, there):
                if one["id"] == key:
                    note(request, f"fhir.{kind}", there)
                    return Response(one)
        if not found and kind not in SHARED:
            for hidden in candidates(Consultation.objects.all(), kind, key):
                refuse("consultation.refused", hidden, by=request.user)
        raise Http404


def candidates(rows: "QuerySet[Consultation]", kind: str, key: str) -> list[Consultation]:
    """The consultations of these that can hold the resource, by the shape of its id."""
    rows, uid = rows.order_by("-pk"), uid_of(key[:36])
    if uid is None:
        return []
    if kind in SHARED:
        having, id_of = SHARED[kind]
        found = next((row for row in rows.filter(having)[:NEWEST] if id_of(row) == key), None)
        return [found] if found else []
    where = {"Patient": "patient__uid", "MedicationRequest": "prescriptions__uid"}
    return list(rows.filter(**{where.get(kind, "uid"): uid})[:1])


def uid_of(typed: str) -> UUID | None:
    try:
        return UUID(typed)
    except ValueError:
        return None
