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
DEEP = 4  # sections in sections


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
    entries = _rows(bundle, "entry")
    resources = [one for row in entries if (one := _dict(row, "resource"))]
    found = {
        str(row.get("fullUrl")): _dict(row, "resource") for row in entries if isinstance(row, dict)
    }
    found |= {f"{one.get('resourceType')}/{one.get('id')}": one for one in resources}
    head = next((one for one in resources if one.get("resourceType") == "Composition"), {})
    sections = _sections(_rows(head, "section"), found, 0)
    if not sections:  # no document, or one without sections: everything that can be told
        sections = _of(_("Contents"), [_line(one) for one in resources])
    return Document(
        title=_text(head, "title") or _concept(head.get("type")) or _("Document"),
        date=_moment(_text(head, "date") or _text(bundle, "timestamp")),
        authors=[name for one in _rows(head, "author") if (name := _name(_referred(one, found)))],
        place=_name(_referred(head.get("custodian"), found)),
        subject=_name(_referred(head.get("subject"), found)),
        sections=sections,
    )


def _sections(rows: list[Any], found: dict[str, Any], depth: int) -> list[Section]:
    told: list[Section] = []
    for row in rows:
        if not isinstance(row, dict):
            continue
        title = _text(row, "title") or _concept(row.get("code")) or _("Section")
        lines = [_line(_referred(one, found)) for one in _rows(row, "entry")]
        if not any(lines):
            lines = _plain(_text(_dict(row, "text"), "div"))
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
    quantity = _dict(row, "valueQuantity")
    if "value" in quantity:
        unit = _text(quantity, "unit") or _text(quantity, "code")
        return f"{quantity['value']} {unit}".strip()
    return _text(row, "valueString") or _concept(row.get("valueCodeableConcept"))


def _medication(row: dict[str, Any]) -> str:
    doses = [_dose(one) for one in _rows(row, "dosageInstruction") + _rows(row, "dosage")]
    name = _concept(row.get("medicationCodeableConcept"))
    return _joined(name or _text(_dict(row, "medicationReference"), "display"), *doses)


def _dose(row: Any) -> str:
    dosage = row if isinstance(row, dict) else {}
    return _text(dosage, "text") or _concept(_dict(dosage, "timing").get("code"))


def _report(row: dict[str, Any]) -> str:
    return _joined(_concept(row.get("code")), _text(row, "conclusion"))


def _coded(row: dict[str, Any]) -> str:
    status = _unless_usual(_text(row, "status"))
    return _joined(_concept(row.get("code")), _concept(row.get("vaccineCode")), status)


def _appointment(row: dict[str, Any]) -> str:
    return _joined(_text(row, "start")[:10], _text(row, "description"))


def _file(row: dict[str, Any]) -> str:
    names = [
        _text(_dict(one, "attachment"), "title") or _text(_dict(one, "attachment"), "contentType")
        for one in _rows(row, "content")
    ]
    kind = _text(row, "description") or _concept(row.get("type")) or _text(row, "contentType")
    return _joined(_("A file is enclosed"), kind, *names)


TOLD: dict[str, Callable[[dict[str, Any]], str]] = {
    "AllergyIntolerance": _condition,
    "Appointment": _appointment,
    "Binary": _file,
    "Condition": _condition,
    "DiagnosticReport": _report,
    "DocumentReference": _file,
    "FamilyMemberHistory": lambda row: _joined(
        _concept(row.get("relationship")), *[_condition(one) for one in _dicts(row, "condition")]
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


def _dicts(row: Any, name: str) -> list[dict[str, Any]]:
    return [one for one in _rows(row, name) if isinstance(one, dict)]


def _dict(row: Any, name: str) -> dict[str, Any]:
    value = row.get(name) if isinstance(row, dict) else None
    return value if isinstance(value, dict) else {}


def _text(row: Any, name: str) -> str:
    value = row.get(name) if isinstance(row, dict) else None
    return " ".join(value.split()) if isinstance(value, str) else ""


def _concept(value: Any) -> str:
    """The words of a coded thing: its own before those of the first code."""
    rows = _dicts(value, "coding")
    words = [_text(one, "display") or _text(one, "code") for one in rows]
    return _text(value, "text") or next(filter(None, words), "")


def _joined(*parts: str) -> str:
    return " · ".join(dict.fromkeys(part for part in parts if part))


def _referred(reference: Any, found: dict[str, Any]) -> dict[str, Any]:
    """The resource that is meant; only within the bundle. A bare name stays a name."""
    name = _text(reference, "reference")
    there = found.get(name)
    return there if isinstance(there, dict) else {"name": _text(reference, "display")}


def _name(resource: dict[str, Any]) -> str:
    name = resource.get("name")
    if isinstance(name, str):
        return name[:120]
    for one in name if isinstance(name, list) else []:
        given = " ".join(str(part) for part in [*_rows(one, "given"), _text(one, "family")] if part)
        if words := _text(one, "text") or given:
            return words[:120]
    return ""


def _moment(said: str) -> Any:
    try:
        return parse_datetime(said) or parse_date(said[:10])
    except ValueError:
        return None


def _plain(markup: str) -> list[str]:
    """The words of a narrative: tags are dropped, not shown."""
    words = re.sub(
        r"<(style|script)\b.*?</\1>", " ", markup[:100_000], flags=re.DOTALL | re.IGNORECASE
    )
    blocks = re.split(r"(?i)</?(?:p|div|tr|li|br|h\d)\b[^>]*>", words)
    lines = [" ".join(unescape(re.sub(r"<[^>]*>", " ", block)).split()) for block in blocks]
    return [line for line in lines if line]
