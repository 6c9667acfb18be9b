"""Documents from elsewhere as a doctor reads them: what a FHIR bundle says, in words.

Others wrote it, by their own reading of the guide: nothing in it is trusted to be there or to be of the
right type, and what cannot be told is passed over. The template escapes every word.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

LONGEST = 500  # characters of one line
LINES = 200  # of one section
SECTIONS = 60  # of one document
DEEP = 4  # sections in sections
NARRATIVE = 100_000  # characters of a section's own words
TAG = re.compile(r"<(?P<ends>/?)(?P<name>\w*)[^<>]*>")
HIDDEN = {"script", "style"}
BLOCKS = {"p", "div", "tr", "li", "br", *(f"h{number}" for number in range(1, 7))}


@dataclass(frozen=True)
class Section:
    title: str
    lines: list[str]


@dataclass(frozen=True)
class Document:
    """One document: what it is, when, by whom, and its sections."""

    title: str
    date: Any  # datetime, date, or None where it does not say
    authors: list[str] = field(default_factory=list)
    place: str = ""
    subject: str = ""
    sections: list[Section] = field(default_factory=list)


def read(bundle: Any) -> Document:
    resources = resources_of(bundle)
    found = {str(row.get("fullUrl")): dict_at(row, "resource") for row in dicts_at(bundle, "entry")}
    found |= {f"{one.get('resourceType')}/{one.get('id')}": one for one in resources}
    head = next((one for one in resources if one.get("resourceType") == "Composition"), {})
    sections = _sections(_rows(head, "section"), found, 0)
    if not sections:  # no document, or one without sections: everything that can be told
        sections = _of(_("Contents"), [_line(one) for one in resources[:LINES]])
    return Document(
        title=text_in(head, "title") or _concept(head.get("type")) or _("Document"),
        date=_moment(text_in(head, "date") or text_in(bundle, "timestamp")),
        authors=[name for one in _rows(head, "author") if (name := _name(_referred(one, found)))],
        place=_name(_referred(head.get("custodian"), found)),
        subject=_name(_referred(head.get("subject"), found)),
        sections=sections[:SECTIONS],
    )


def resources_of(bundle: Any) -> list[dict[str, Any]]:
    return [one for row in _rows(bundle, "entry") if (one := dict_at(row, "resource"))]


def _sections(rows: list[Any], found: dict[str, Any], depth: int) -> list[Section]:
    told: list[Section] = []
    for row in rows:
        if not isinstance(row, dict):
            continue
        title = text_in(row, "title") or _concept(row.get("code")) or _("Section")
        lines = [_line(_referred(one, found)) for one in _rows(row, "entry")[:LINES]]
        if not any(lines):
            lines = _plain(text_in(dict_at(row, "text"), "div", NARRATIVE))
        told += _of(title, lines)
        if depth < DEEP:
            told += _sections(_rows(row, "section"), found, depth + 1)
    return told


def _of(title: str, lines: list[str]) -> list[Section]:
    said = [line[:LONGEST] for line in lines if line][:LINES]
    return [Section(title[:120], said)] if said else []


# --- what a resource says -------------------------------------------------------------------------
def _line(resource: dict[str, Any]) -> str:
    tell = TOLD.get(str(resource.get("resourceType")))
    return tell(resource) if tell else ""


def _condition(row: dict[str, Any]) -> str:
    return _joined(_concept(row.get("code")), _unless_usual(_concept(row.get("clinicalStatus"))))


def _unless_usual(status: str) -> str:
    """What is so anyway is not said on every line."""
    return "" if status.lower() in ("active", "completed", "final") else status


def _observation(row: dict[str, Any]) -> str:
    parts = [_measured(one) for one in _rows(row, "component")]
    value = ", ".join(one for one in parts if one) or _value(row)
    return ": ".join(one for one in (_concept(row.get("code")), value) if one)


def _measured(component: Any) -> str:
    row = component if isinstance(component, dict) else {}
    return " ".join(one for one in (_concept(row.get("code")), _value(row)) if one)


def _value(row: dict[str, Any]) -> str:
    quantity = dict_at(row, "valueQuantity")
    if "value" in quantity:
        unit = text_in(quantity, "unit") or text_in(quantity, "code")
        return f"{quantity['value']} {unit}".strip()
    return text_in(row, "valueString") or _concept(row.get("valueCodeableConcept"))


def _medication(row: dict[str, Any]) -> str:
    doses = [_dose(one) for one in _rows(row, "dosageInstruction") + _rows(row, "dosage")]
    name = _concept(row.get("medicationCodeableConcept"))
    return _joined(name or text_in(dict_at(row, "medicationReference"), "display"), *doses)


def _dose(row: Any) -> str:
    dosage = row if isinstance(row, dict) else {}
    return text_in(dosage, "text") or _concept(dict_at(dosage, "timing").get("code"))


def _report(row: dict[str, Any]) -> str:
    return _joined(_concept(row.get("code")), text_in(row, "conclusion"))


def _coded(row: dict[str, Any]) -> str:
    status = _unless_usual(text_in(row, "status"))
    return _joined(_concept(row.get("code")), _concept(row.get("vaccineCode")), status)


def _appointment(row: dict[str, Any]) -> str:
    return _joined(text_in(row, "start")[:10], text_in(row, "description"))


def _file(row: dict[str, Any]) -> str:
    names = [
        text_in(dict_at(one, "attachment"), "title")
        or text_in(dict_at(one, "attachment"), "contentType")
        for one in _rows(row, "content")
    ]
    kind = text_in(row, "description") or _concept(row.get("type")) or text_in(row, "contentType")
    return _joined(_("A file is enclosed"), kind, *names)


TOLD: dict[str, Callable[[dict[str, Any]], str]] = {
    "AllergyIntolerance": _condition,
    "Appointment": _appointment,
    "Binary": _file,
    "Condition": _condition,
    "DiagnosticReport": _report,
    "DocumentReference": _file,
    "FamilyMemberHistory": lambda row: _joined(
        _concept(row.get("relationship")), *[_condition(one) for one in dicts_at(row, "condition")]
    ),
    "Immunization": _coded,
    "MedicationRequest": _medication,
    "MedicationStatement": _medication,
    "Observation": _observation,
    "Procedure": _coded,
    "ServiceRequest": _coded,
}


# --- reading what may not be there ----------------------------------------------------------------
def _rows(row: Any, name: str) -> list[Any]:
    value = row.get(name) if isinstance(row, dict) else None
    return value if isinstance(value, list) else []


def dicts_at(row: Any, name: str) -> list[dict[str, Any]]:
    return [one for one in _rows(row, name) if isinstance(one, dict)]


def dict_at(row: Any, name: str) -> dict[str, Any]:
    value = row.get(name) if isinstance(row, dict) else None
    return value if isinstance(value, dict) else {}


def text_in(row: Any, name: str, most: int = LONGEST) -> str:
    """Its words, of the first so many characters."""
    value = row.get(name) if isinstance(row, dict) else None
    return " ".join(value[:most].split()) if isinstance(value, str) else ""


def _concept(value: Any) -> str:
    """The words of a coded thing: its own before those of the first code."""
    rows = dicts_at(value, "coding")
    words = [text_in(one, "display") or text_in(one, "code") for one in rows]
    return text_in(value, "text") or next(filter(None, words), "")


def _joined(*parts: str) -> str:
    return " · ".join(dict.fromkeys(part for part in parts if part))


def _referred(reference: Any, found: dict[str, Any]) -> dict[str, Any]:
    """The resource that is meant; only within the bundle. A bare name stays a name."""
    name = text_in(reference, "reference")
    there = found.get(name)
    return there if isinstance(there, dict) else {"name": text_in(reference, "display")}


def _name(resource: dict[str, Any]) -> str:
    name = resource.get("name")
    if isinstance(name, str):
        return name[:120]
    for one in name if isinstance(name, list) else []:
        given = " ".join(
            str(part) for part in [*_rows(one, "given"), text_in(one, "family")] if part
        )
        if words := text_in(one, "text") or given:
            return words[:120]
    return ""


def _moment(said: str) -> Any:
    try:
        return parse_datetime(said) or parse_date(said[:10])
    except ValueError:
        return None


def _plain(markup: str) -> list[str]:
    """The words of a narrative, a line for each block: tags are dropped, not shown.

    Each letter is looked at once, whatever tags are opened and not closed.
    """
    blocks: list[list[str]] = [[]]
    hidden = ""
    for part in re.split(r"(<[^<>]*>)", markup):
        tag = TAG.fullmatch(part)
        name = tag["name"].lower() if tag else ""
        if hidden:
            hidden = "" if tag and tag["ends"] and name == hidden else hidden
        elif tag is None:
            blocks[-1].append(part)
        elif name in HIDDEN and not tag["ends"]:
            hidden = name
        elif name in BLOCKS:
            blocks.append([])
    lines = [" ".join(unescape(" ".join(block)).split()) for block in blocks]
    return [line for line in lines if line]
