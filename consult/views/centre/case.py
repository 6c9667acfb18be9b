"""The case as health workers write it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actions import event
from accounts.gates import AtCentre, get_or_refuse, health_worker_only
from accounts.models import AuditEvent
from consult import actions
from consult.actions.cases import vitals_of
from consult.fetch import CENTRES_DRAFT, centres_consultation, centres_draft, with_session
from consult.forms import CentreCaseForm, UploadForm, untouched
from consult.models import Attachment, Consultation, Observation
from consult.of_consultation import ATTACHMENTS, OBSERVATIONS
from consult.readings import readings_of
from consult.trends import trends
from consult.views.patient.booking import too_many_files
from consult.vitals import Vital, plain
from queues.models import MoveRefused


@require_http_methods(["GET", "POST"])
@with_session(CENTRES_DRAFT)
@health_worker_only
def case(request: AtCentre, consultation: UUID) -> HttpResponse:
    """The case form. It saves itself as it is typed (`Accept: application/json`); a colleague who
    saved meanwhile is not overwritten: the page shows both."""
    found = centres_draft(request, consultation)
    quietly = request.headers.get("Accept", "").startswith("application/json")
    if found.state != Consultation.State.DRAFT:
        if request.method == "POST":
            return _sent_already(request, found, quietly)
        return redirect("consult:centre_visit", consultation=found.uid)
    if request.method == "POST":
        return _save(request, found, quietly)
    seen = event("case.read", found, by=request.user, patient=found.patient)
    return _page(request, found, seen=seen)


def _save(request: AtCentre, found: Consultation, quietly: bool) -> HttpResponse:
    form = CentreCaseForm(request.POST, instance=found, patient=found.patient)
    is_whole = form.is_valid()
    try:
        saved = actions.save_case(
            draft=found,
            by=request.user,
            words=form.words,
            vitals=_kept(found, form),
            **form.revisions,
        )
    except actions.ChangedMeanwhile as error:
        return _both(request, error.draft, form, quietly)
    except MoveRefused:
        return _sent_already(request, found, quietly)
    if quietly:
        wrong = {name: errors[0] for name, errors in form.errors.items()}
        return JsonResponse({"revision": saved.revision, "wrong": wrong})
    if not is_whole:
        form.data = dict(form.data.items()) | {"revision": saved.revision}
        return _page(request, found, form, status=422)
    onwards = "consult:centre_send" if "go_on" in request.POST else "consult:centre_case"
    return redirect(onwards, consultation=found.uid)


def _kept(draft: Consultation, form: CentreCaseForm) -> dict[str, Any]:
    """What is typed; where that is no number yet, what was there stays."""
    wrong = {name.removeprefix("vital_") for name in form.errors if name.startswith("vital_")}
    stored = vitals_of(draft) if wrong else {}
    return form.vitals | {kind: value for kind, value in stored.items() if kind in wrong}


def _page(
    request: AtCentre,
    draft: Consultation,
    form: CentreCaseForm | None = None,
    status: int = 200,
    seen: AuditEvent | None = None,
    **context: Any,
) -> HttpResponse:
    """With what was typed in `form`; without one, with what is written in the draft."""
    measured = OBSERVATIONS.of(draft, seen)
    context |= {
        "consultation": draft,
        "patient": draft.patient,
        "form": form or _as_written(draft, measured),
        "upload_form": context.get("upload_form") or untouched(UploadForm, ""),
        "attachments": ATTACHMENTS.of(draft),
        "most": Attachment.PER_CASE,
        "unusual": [one for one in readings_of(measured, draft.patient) if one.is_unusual],
        "trends": trends(draft.patient) if getattr(draft, "is_patient_measured", True) else [],
        "facility": request.facility,
    }
    return render(request, "consult/centre/case.html", context, status=status)


def _as_written(draft: Consultation, measured: list[Observation]) -> CentreCaseForm:
    vitals = {f"vital_{row.kind}": plain(row.value) for row in measured}
    return CentreCaseForm(instance=draft, patient=draft.patient, initial=vitals)


def _both(
    request: AtCentre, theirs: Consultation, form: CentreCaseForm, quietly: bool
) -> HttpResponse:
    """Somebody saved other words: theirs are shown beside what was typed, and nothing is lost."""
    words = _("A colleague has changed this case meanwhile. Load the page: it shows both.")
    if quietly:
        return JsonResponse({"code": "changed", "message": words}, status=409)
    form.data = dict(form.data.items()) | {"revision": theirs.revision}
    return _page(request, theirs, form, status=409, theirs=_differences(theirs, form))


def _differences(theirs: Consultation, form: CentreCaseForm) -> list[tuple[str, str]]:
    """Label and stored value of everything that differs from what was typed."""
    typed = form.words
    words = [
        (str(form.fields[name].label), _shown(theirs, name))
        for name, value in theirs.words().items()
        if name in typed and typed[name] != value
    ]
    stored, mine = vitals_of(theirs), form.vitals
    vitals = [
        (str(Vital.of(kind).label), plain(stored[kind]) if kind in stored else _("not measured"))
        for kind in sorted(stored.keys() | mine.keys())
        if stored.get(kind) != mine.get(kind)
    ]
    return words + vitals


def _shown(consultation: Consultation, name: str) -> str:
    display = getattr(consultation, f"get_{name}_display", None)
    value = display() if display else getattr(consultation, name)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value or _("empty"))


def _sent_already(request: AtCentre, draft: Consultation, quietly: bool) -> HttpResponse:
    words = _("The case was sent already; nothing was changed.")
    if quietly:
        return JsonResponse({"code": "sent", "message": words}, status=409)
    messages.info(request, words)
    return redirect("consult:centre_visit", consultation=draft.uid)


@require_POST
@health_worker_only
def add_file(request: AtCentre, consultation: UUID) -> HttpResponse:
    """A photo or report for a case that is not sent yet."""
    found = centres_consultation(request, consultation)
    form = UploadForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            actions.add_attachment(
                consultation=found, clean=form.cleaned_data["file"], by=request.user
            )
            return redirect("consult:centre_case", consultation=found.uid)
        except actions.TooManyFiles as error:
            form.add_error("file", too_many_files(error))
        except MoveRefused:
            return _sent_already(request, found, quietly=False)
    return _page(request, found, status=422, upload_form=form)


@require_POST
@health_worker_only
def remove_file(request: AtCentre, consultation: UUID, attachment: UUID) -> HttpResponse:
    found = centres_consultation(request, consultation)
    file = get_or_refuse(found.attachments.all(), Attachment.objects.all(), request, uid=attachment)
    try:
        actions.remove_attachment(attachment=file, by=request.user)
    except MoveRefused:
        return _sent_already(request, found, quietly=False)
    return redirect("consult:centre_case", consultation=found.uid)


@require_POST
@health_worker_only
def discard(request: AtCentre, consultation: UUID) -> HttpResponse:
    """The case is not sent: it goes."""
    found = centres_consultation(request, consultation)
    try:
        actions.discard_draft(consultation=found, by=request.user)
    except MoveRefused:
        return redirect("consult:centre_visit", consultation=found.uid)
    return redirect("consult:centre")
