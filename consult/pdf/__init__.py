"""The prescription on one page, A4 or A5, in English and the patient's language.

A pure function of the issued row: the same row gives the same bytes.
"""

import json
import re
from datetime import date
from enum import Enum
from typing import Any

import segno
from django.conf import settings
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import Patient
from consult.models import Mode, Prescription, PrescriptionLine
from consult.pdf.typesetter import typeset
from consult.pdf.words import labels, measured_words, since_words

# Of the eight patterns that a square code may be drawn in. Looking for the evenest one takes as long as a
# tenth of the page; scanners read them all alike.
PATTERN = 4
# Wider than the narrowest column. To look for them where there are none costs a twentieth of the page.
LONG_WORD = re.compile(r"[^\s/:.]{24,}")


class Paper(Enum):
    """The sizes it is printed on."""

    A4 = "a4"
    A5 = "a5"

    def file_name(self, number: str) -> str:
        """What the PDF of the prescription with this number is called."""
        return f"{number}.pdf" if self is Paper.A4 else f"{number}-{self.name}.pdf"


def render_pdf(prescription: Prescription, paper: Paper = Paper.A4) -> bytes:
    """The PDF of an issued prescription, not signed yet: about 20 ms of CPU."""
    return typeset("prescription.typ", page_of(prescription, paper), prescription.issued_at)


def page_of(prescription: Prescription, paper: Paper) -> dict[str, Any]:
    """Everything the page shows, each text once per language."""
    document = prescription.document or {}
    languages = list(dict.fromkeys(["en", document["language"]]))
    address = f"{settings.SITE_URL}/check/{prescription.check_id}"
    page = {
        "paper": paper.value,
        "site": settings.SITE_NAME,
        "number": prescription.number,
        "code": prescription.spaced_code,
        "replaced": prescription.state == Prescription.State.SUPERSEDED,
        "address": f"{settings.SITE_URL}/check",
        "languages": languages,
        "labels": [labels(language) for language in languages],
        "texts": [_texts(prescription, document, language) for language in languages],
        "document": document,
    }
    return page | {
        "has_long_words": bool(LONG_WORD.search(json.dumps(page, ensure_ascii=False))),
        "qr": segno.make(address, error="m", mask=PATTERN).svg_inline(border=0),
    }


def _texts(prescription: Prescription, document: dict[str, Any], language: str) -> dict[str, Any]:
    """What depends on the language: dates, choices, the clinic's name."""
    with translation.override(language):
        issued = timezone.localtime(prescription.issued_at)
        return {
            "issued": date_format(issued, "DATETIME_FORMAT"),
            "clinic": document["clinic"].get(language) or document["clinic"]["en"],
            "sex": str(Patient.Sex(document["patient"]["sex"]).label),
            "since": since_words(document["since"]),
            "follow_up": _date(document["follow_up_on"]),
            "lmp": _date(document.get("lmp", "")),
            "how": _how(document),
            "vitals": " · ".join(measured_words(document.get("vitals", {}))),
            "lines": [
                {
                    "form": str(PrescriptionLine.Form(line["form"]).label),
                    "frequency": str(PrescriptionLine.Frequency(line["frequency"]).label),
                }
                for line in document["lines"]
            ],
        }


def _date(iso: str) -> str:
    return date_format(date.fromisoformat(iso), "DATE_FORMAT") if iso else ""


def _how(document: dict[str, Any]) -> str:
    """How they met, and what it follows up."""
    words = {
        Mode.TEXT: _("In writing"), Mode.AUDIO: _("By sound"), Mode.VIDEO: _("By video"),
    }[Mode(document["mode"])]  # fmt: skip
    visit = document.get("visit")
    if not visit:
        return words
    after = _("follow-up of %(condition)s, seen in person on %(day)s") % {
        "condition": visit["condition"],
        "day": _date(visit["seen_on"]),
    }
    return f"{words} · {after}"
