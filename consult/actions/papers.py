"""The PDF of a prescription: drawn and signed by a worker, kept beside the row it follows from."""

import logging
from contextlib import suppress

from django.core.files.base import ContentFile
from django.db.models import BigAutoField
from django.db.models.fields.files import FieldFile

from consult import broadcast
from consult.models import Prescription
from consult.pdf import Paper, render_pdf
from consult.signing import sign_pdf
from esanjeevani.celery_app import enqueue, sweep
from esanjeevani.sql.composed import Columns, Composed
from esanjeevani.sql.rows import update

log = logging.getLogger(__name__)
KEPT_IN = {Paper.A4: "pdf", Paper.A5: "pdf_a5"}
MADE_BY = {Paper.A4: "consult.render", Paper.A5: "consult.render_small"}
SWEEP_SIZE = 100
ROW = Composed(
    lambda prescription: Prescription.objects.filter(pk=prescription), prescription=BigAutoField()
)
MISSING = Columns(
    lambda: (
        Prescription.objects.filter(pdf="", issued_at__isnull=False)
        .order_by("issued_at")
        .values_list("pk")[:SWEEP_SIZE]
    )
)


def paper_of(issued: Prescription, paper: Paper) -> FieldFile | None:
    """Its PDF of this size, open; None while that is being made.

    Every issued prescription gets its A4. The small one is begun by whoever asks for it first, and
    asked for again by whoever waits for it: a worker or broker that was away delays it and no more.
    One that is gone from the storage is made anew from the row, and signed anew.
    """
    kept_in = KEPT_IN[paper]
    kept: FieldFile = getattr(issued, kept_in)
    if kept:
        with suppress(FileNotFoundError):
            return kept.open()
        log.error(
            "%s is gone from the storage; prescription %s gets another", kept.name, issued.number
        )
        update(Prescription, issued.pk, {kept_in: ""}, **{kept_in: kept.name})
    if kept or paper == Paper.A5:
        enqueue(MADE_BY[paper], issued.pk)
    return None


def render_prescription(prescription_id: int) -> bool:
    """Write the PDF of an issued prescription. False when it is there already. May run twice."""
    return _render(prescription_id, Paper.A4)


def render_small(prescription_id: int) -> bool:
    """As render_prescription(), on the small paper."""
    return _render(prescription_id, Paper.A5)


def _render(prescription_id: int, paper: Paper) -> bool:
    prescription, kept_in = ROW.first(prescription=prescription_id), KEPT_IN[paper]
    if prescription is None or prescription.state == Prescription.State.DRAFT:
        return False
    if getattr(prescription, kept_in):
        return False
    written = _write_pdf(prescription, paper)
    if not update(Prescription, prescription_id, {kept_in: written}, **{kept_in: ""}):
        prescription.pdf.storage.delete(written)
        return False
    if paper == Paper.A4:
        broadcast.prescription_changed(prescription.consultation_id)
    return True


def _write_pdf(prescription: Prescription, paper: Paper) -> str:
    """Draw, sign and store it. Returns the name in the storage."""
    signed = sign_pdf(
        render_pdf(prescription, paper),
        name=(prescription.document or {})["doctor"]["name"],
        reason=f"Prescription {prescription.number}",
    )
    suffix = "" if paper == Paper.A4 else f"-{paper.value}"
    return prescription.pdf.storage.save(
        f"prescriptions/{prescription.uid}{suffix}.pdf", ContentFile(signed)
    )


def sweep_prescriptions() -> int:
    """Render what a crash or an absent broker left without a PDF. Returns how many."""
    return sweep(render_prescription, [pk for (pk,) in MISSING.columns()])
