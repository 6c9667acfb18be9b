"""Files inside a document: the prescription as PDF, photos and reports of the patient."""

from base64 import b64encode
from contextlib import suppress
from typing import Any

from consult.fhir import findings
from consult.fhir.parts import Resource, clean, concept, filled, inside, narrative, resource, when
from consult.fhir.records import Record
from consult.models import Attachment, Consultation, Prescription
from consult.pdf import render_pdf

PDF = "application/pdf"
MOST = 4_000_000  # bytes of a document's photos and reports: with base64 a bundle of about 5 MB


def pdf(issued: Prescription) -> Resource:
    return resource("Binary", f"{issued.uid}-pdf", contentType=PDF, data=_content(issued))


def documents(record: Record) -> list[Resource]:
    """The prescription, then photos and reports in order, as far as they fit in."""
    room, found = MOST, []
    if record.prescription:
        found.append(_prescription(record.consultation, record.prescription))
    for kept in record.attachments:
        if kept.size <= room and (content := _stored(kept)):
            room -= kept.size
            found.append(_report(record.consultation, kept, content))
    return found


def left_out(record: Record, shown: list[Resource]) -> list[str]:
    """Sentences about files that are with the service and not in the document."""
    there = {one["id"] for one in shown}
    return [
        f"{kept.name}: not in this document, to be had from the service"
        for kept in record.attachments
        if str(kept.uid) not in there
    ]


def _prescription(row: Consultation, issued: Prescription) -> Resource:
    """The consultation's report has no place for a Binary, but for a document."""
    attachment = {
        "contentType": PDF,
        "data": _content(issued),
        "title": f"{issued.number}.pdf",
        "creation": when(issued.issued_at),
    }
    words, at = f"Prescription {issued.number}", when(issued.issued_at)
    return _document(row, f"{issued.uid}-document", words, at, attachment)


def _report(row: Consultation, kept: Attachment, content: bytes) -> Resource:
    """What it shows, only a person can say: it is called by the name of the file."""
    at, name = when(kept.created_at), clean(kept.name) or "File"
    attachment = {
        "contentType": kept.kind,
        "data": b64encode(content).decode(),
        "size": len(content),
        "title": name,
        "creation": at,
    }
    words = f"{'Photo' if kept.is_image else 'Report'}: {name}"
    return _document(row, str(kept.uid), words, at, attachment)


def _document(
    row: Consultation, key: str, words: str, at: str, attachment: dict[str, Any]
) -> Resource:
    about = findings.about(row, inside)
    return resource(
        "DocumentReference",
        key,
        text=narrative([words]),
        status="current",
        type=concept(words.partition(":")[0].split(" ")[0]),
        subject=about["subject"],
        date=at,
        description=words,
        content=[{"attachment": filled(attachment)}],
        context={"encounter": [about["encounter"]]},
    )


def _stored(kept: Attachment) -> bytes:
    """Empty when the file is gone from the storage: the document is told without it."""
    with suppress(FileNotFoundError), kept.file.open() as stored:
        return bytes(stored.read())
    return b""


def _content(issued: Prescription) -> str:
    """As it is stored and signed; made anew, without that signature, where it is not there (yet)."""
    with suppress(FileNotFoundError):
        if issued.pdf:
            with issued.pdf.open() as stored:
                return b64encode(stored.read()).decode()
    return b64encode(render_pdf(issued)).decode()
