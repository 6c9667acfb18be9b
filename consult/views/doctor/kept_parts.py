"""Those parts of the doctor's room in which there is nothing of this patient's: they are kept.

As soon as there is something in one, the page renders it as any other.
"""

from typing import Any
from uuid import uuid4

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from consult.forms import InstructionForm, MessageForm, NoteForm
from consult.kept_parts import KeptParts, hole
from consult.models import Consultation
from consult.people import Role, patients_seat

Context = dict[str, Any]


def page_parts(
    request: HttpRequest, consultation: Consultation, context: Context, is_untouched: bool
) -> Context:
    """By the names that the page knows them by; `is_untouched` says that no form has mistakes."""
    kept = KeptParts(request, consultation)
    parts: Context = {
        "csrf_token": kept.csrf,
        "sets_part": _sets(kept, context),
        "rules_part": _rules(kept, context),
    }
    if not context["is_live"]:
        return parts
    parts["call_part"] = _call(kept, patients_seat(consultation))
    if context["chat"]:
        parts["form"] = MessageForm()
    else:
        parts["chat_part"] = kept.part(
            "consult/_chat.html", {"client_id": str(uuid4())}, form=_message_form
        )
    if is_untouched and not context["emergency"]:
        parts |= _forms(kept, context, parts)
    return parts


def _sets(kept: KeptParts, context: Context) -> SafeString:
    if context["sets"]:
        return render_to_string("consult/_sets.html", {"sets": context["sets"]})
    return kept.part("consult/_sets.html")


def _rules(kept: KeptParts, context: Context) -> SafeString:
    if context["checked"]:
        return render_to_string("consult/_rules.html", context)
    return kept.part("consult/_rules.html")


def _call(kept: KeptParts, patients_seat: Role) -> SafeString:
    return kept.part("consult/_call.html", role=Role.DOCTOR, patients_seat=patients_seat)


def _forms(kept: KeptParts, context: Context, parts: Context) -> Context:
    """Around the doctor's own, which is kept with holes for what is written in it."""
    found: Context = {"care_part": kept.part("consult/_care.html")}
    if not (context["issued"] and not context["has_draft"]):
        fills = context["note_fields"] | _medicines(context["medicines"])
        fills |= {"sets": parts["sets_part"], "rules": parts["rules_part"]}
        found["form_part"] = kept.part(
            "consult/_doctors_form.html",
            fills,
            issued=bool(context["issued"]),
            has_draft=context["has_draft"],
            note_fields=_note_holes,
            medicines=_medicine_holes,
            sets_part=hole("sets"),
            rules_part=hole("rules"),
        )
    if not (context["visit"] or context["visits"] or context["papers"]):
        own = {name: context[name] for name in ("visit_form", "paper_form")}
        found["history_part"] = kept.part("consult/_history_forms.html", **own)
    found["return_part"] = kept.part(
        "consult/_return_form.html", return_form=context["return_form"]
    )
    if not (context["instructions"] or context["opinions"] or context["letters"]):
        names = ("may_ask", "opinion_form", "transfer_form", "referral_form")
        own = {name: context[name] for name in names}
        found["panels_part"] = kept.part(
            "consult/_panels.html", instruction_form=_instruction_form, **own
        )
    return found


def _message_form() -> MessageForm:
    return MessageForm(initial={"client_id": hole("client_id")})


def _instruction_form() -> InstructionForm:
    return InstructionForm(prefix="instruction")


def _note_holes() -> Context:
    return {name: hole(name) for name in NoteForm.Meta.fields}


def _medicine_holes() -> Context:
    return {
        "management_form": hole("management_form"),
        "rows": [hole("rows")],
        "blank_row": hole("blank_row"),
    }


def _medicines(rows: Any) -> dict[str, str]:
    return {
        "management_form": rows.management_form,
        "rows": mark_safe("".join(rows.rows)),  # noqa: S308 - rendered
        "blank_row": rows.blank_row,
    }
