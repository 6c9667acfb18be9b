"""The small pieces that every FHIR resource is made of: plain dictionaries, empty ones left out."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from html import escape
from typing import Any
from uuid import UUID, uuid5

from django.conf import settings
from django.utils import timezone

from consult.fhir.codes import PROFILES, Coding

Resource = dict[str, Any]
# How one resource points to another: ("Patient", id) to the words of a reference.
Links = Callable[[str, str], str]
OURS = UUID("8f0d6b0e-5a43-4c68-9b0a-6c1f3c0a7d11")  # of this software; its ids are made below it


def inside(kind: str, key: str) -> str:
    """Links of a document: everything it speaks of stands in it."""
    return f"urn:uuid:{uuid5(OURS, f'{kind}/{key}')}"


def on_server(kind: str, key: str) -> str:
    """Links of a resource that is read alone, relative to /fhir/."""
    return f"{kind}/{key}"


def resource(kind: str, key: str, profile: str = "", **fields: Any) -> Resource:
    """A resource that claims the guide's profile of its own name, unless another one is said."""
    meta = {"profile": [f"{PROFILES}/{profile or kind}"]}
    return {"resourceType": kind, "id": key, "meta": meta, **filled(fields)}


def filled(fields: dict[str, Any]) -> dict[str, Any]:
    """FHIR knows no empty value: what is not known is not there."""
    return {name: value for name, value in fields.items() if value or value == 0}


def reference(links: Links, kind: str, key: str, display: str = "") -> dict[str, str]:
    return filled({"reference": links(kind, key), "display": display})


def concept(text: str = "", code: Coding | None = None) -> dict[str, Any]:
    """Coded where a code is known, in words otherwise."""
    return filled({"coding": [code] if code else None, "text": text or (code or {}).get("display")})


def identifier(code: Coding, system: str, value: str, **more: Any) -> dict[str, Any]:
    return filled({"type": concept(code=code), "system": system, "value": value, **more})


def our_system(name: str) -> str:
    """Of numbers that this site gives."""
    return f"{settings.SITE_URL}/fhir/id/{name}"


def when(moment: datetime | None) -> str:
    """To the second, in the service's own time zone."""
    return timezone.localtime(moment).isoformat(timespec="seconds") if moment else ""


# Unicode's control characters (Cc) but for line feed and tab, and what is no character: XML takes neither.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")


def clean(text: str) -> str:
    """As typed, without the characters that neither FHIR nor XHTML takes."""
    return CONTROL.sub("", text).strip()


def narrative(lines: Iterable[str]) -> dict[str, str]:
    """What a person reads who has no software for the codes."""
    paragraphs = "".join(f"<p>{escape(words)}</p>" for words in map(clean, lines) if words)
    return {
        "status": "generated",
        "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{paragraphs or "<p>-</p>"}</div>',
    }
