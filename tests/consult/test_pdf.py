"""The prescription as PDF: made once, the same bytes for the same row, both languages on one page."""

import io
import shutil
import subprocess
from datetime import date
from itertools import pairwise
from pathlib import Path

import pypdf
import pytest
import segno
from django.urls import reverse
from pypdf.generic import ContentStream

from accounts.models import AuditEvent, Facility
from accounts.phone import spaced
from consult import actions
from consult.actions import Line
from consult.models import Consultation, Prescription
from consult.pdf import PATTERN, Paper, render_pdf
from tests.at_once import at_once
from tests.factories import (
    PARACETAMOL,
    a_clinic,
    a_doctor,
    a_patient,
    as_patient,
    as_staff,
    in_the_room,
    on_duty,
    prescribed,
)

pytestmark = pytest.mark.django_db


def issued(*lines: Line, case: dict | None = None, note: dict | None = None, **patient):
    """A prescription of a doctor at a facility."""
    facility = Facility.objects.create(
        name="Ernakulam PHC", kind="phc", address="Hill Road 4", state=a_patient().state
    )
    clinic = a_clinic(name="Kerala General OPD", names={"hi": "केरल सामान्य ओपीडी"})
    doctor = on_duty(clinic, a_doctor(facility=facility, contact="0484 123456"))
    consultation = in_the_room(clinic, doctor, a_patient(**patient))
    Consultation.objects.filter(pk=consultation.pk).update(**case or {})
    consultation.refresh_from_db()
    actions.save_note(consultation=consultation, by=doctor.user, **note or {})
    return prescribed(consultation, *lines)


def read(pdf: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(pdf))


def text_of(pdf: bytes) -> str:
    """Of all pages, with the line breaks of the layout taken out."""
    return " ".join(" ".join(page.extract_text() for page in read(pdf).pages).split())


def syllables_of(pdf: bytes) -> set[str]:
    """What each shaped group of glyphs stands for."""
    reader = read(pdf)
    drawn = ContentStream(reader.pages[0].get_contents(), reader)
    marks = [operands[1] for operands, operator in drawn.operations if operator == b"BDC"]
    return {mark["/ActualText"] for mark in marks if "/ActualText" in mark}


# --- what it says -------------------------------------------------------------------------------
def test_it_says_everything_that_annexure_2_asks_for():
    prescription = issued(
        PARACETAMOL,
        Line("Folic acid", "tablet", "5 mg", "1-0-0", "od", 5, "before food"),
        case={"allergies": "Penicillin", "medicines": "Metformin", "is_pregnant": True},
        note={
            "findings": "Throat red",
            "tests": "Blood count",
            "advice": "Drink water",
            "follow_up_on": date(2027, 3, 9),
        },
        guardian_name="Leela Menon",
        guardian_relation="mother",
    )
    patient, doctor = prescription.consultation.patient, prescription.issued_by
    text = text_of(render_pdf(prescription))
    for words in [
        "Dr Raghav Rao", "MBBS", doctor.registration_number, "Kerala State Medical Council",
        "Ernakulam PHC, Hill Road 4", "0484 123456",
        "Asha Menon, 34 years, Female", "12 Canal Road, Kerala", patient.spaced_number,
        spaced(patient.account.phone), "With: Leela Menon, mother",
        "Fever and cough (A few days)", "Penicillin; Metformin", "Pregnant", "Throat red",
        "Diagnosis: Viral fever (provisional)",
        "Paracetamol 500 mg Tablet · Quantity: 9 1 1 – 1 3 Three times a day after food",
        "Folic acid 5 mg Tablet · Quantity: 5 1 – – – 5 Once a day before food",
        "Blood count", "Drink water", "9 Mar 2027",
        prescription.number, "Kerala General OPD",
        "This prescription is generated on a teleconsultation.",
    ]:  # fmt: skip
        assert (words, words in text) == (words, True)


def test_it_gives_the_blood_pressure_as_one():
    prescription = issued(PARACETAMOL)
    prescription.document["vitals"] = {"systolic": "130", "diastolic": "80", "pulse": "88"}
    words = text_of(render_pdf(prescription))
    assert "Blood pressure 130/80 mmHg · Pulse 88" in words
    assert "upper" not in words


def test_a_patient_who_reads_hindi_gets_both_languages_on_one_page():
    prescription = issued(name="श्री कृष्ण द्विवेदी", address="क्षेत्र 7", language="hi")
    pdf = render_pdf(prescription)
    text = text_of(pdf)
    for words in ["Prescription ·", "Three times a day", "Female ·"]:
        assert words in text
    assert {"श्री", "कृ", "द्वि", "क्षे", "र्ची", "कु"} <= syllables_of(pdf)
    assert len(read(pdf).pages) == 1


@pytest.mark.program("pdftotext")
def test_hindi_can_be_copied_and_read_aloud_as_it_is_written(tmp_path: Path):
    file = tmp_path / "rx.pdf"
    file.write_bytes(render_pdf(issued(name="श्री कृष्ण द्विवेदी", language="hi")))
    said = subprocess.run(["pdftotext", file, "-"], capture_output=True, check=True, text=True)
    together = "".join(said.stdout.split())
    for words in ["श्रीकृष्णद्विवेदी", "दवाकीपर्ची", "पंजीकरणसंख्या", "केरलसामान्यओपीडी", "दिनमेंतीनबार"]:
        assert (words, words in together) == (words, True)


def test_a_patient_who_reads_english_gets_english_alone():
    assert syllables_of(render_pdf(issued(language="en"))) == set()


def test_it_leads_to_the_check_page_by_square_and_by_address(settings):
    settings.SITE_URL = "https://clinic.example"
    prescription = issued()
    text = text_of(render_pdf(prescription))
    assert "https://clinic.example/check" in text
    assert prescription.spaced_code in text
    address = f"https://clinic.example/check/{prescription.check_id}"
    square = segno.make(address, error="m", mask=PATTERN).matrix
    dark = {(x, y) for y, row in enumerate(square) for x, bit in enumerate(row) if bit}
    assert dark_squares_of(render_pdf(prescription)) == dark


def dark_squares_of(pdf: bytes) -> set[tuple[int, int]]:
    """The QR code as it is drawn: one stroke along the middle of each run of dark squares."""
    reader = read(pdf)
    drawn = ContentStream(reader.pages[0].get_contents(), reader).operations
    squares = set()
    for (start, begins), (end, goes) in pairwise(drawn):
        if (begins, goes) == (b"m", b"l") and start[1] == end[1] and start[1] % 1 == 0.5:
            squares |= {(x, int(start[1])) for x in range(int(start[0]), int(end[0]))}
    return squares


def test_a_replaced_one_says_so_on_itself():
    prescription = issued()
    assert "Replaced by a newer prescription" not in text_of(render_pdf(prescription))
    prescription.supersede()
    assert "Replaced by a newer prescription" in text_of(render_pdf(prescription))


def test_twelve_medicines_stand_on_one_page():
    pdf = render_pdf(issued(*[PARACETAMOL] * 12, language="hi"))
    assert len(read(pdf).pages) == 1
    assert text_of(pdf).count("Paracetamol 500 mg") == 12


def test_long_words_run_on_to_a_second_page_and_nothing_is_cut_off():
    note = {"findings": "Findings. " * 300 + "The end of it.", "advice": "x" * 2000}
    pdf = render_pdf(issued(*[PARACETAMOL] * 12, note=note))
    assert len(read(pdf).pages) == 2
    assert "The end of it." in text_of(pdf)


@pytest.mark.parametrize(
    "words",
    [
        "#panic()",
        '*bold* _x_ $x^2$ @ref <label> `code` \\ " // /* -- ~',
        "= Title",
        "🤒 \u200d \u202e",
    ],
)
def test_words_are_printed_as_they_are_and_never_run(words: str):
    note = {"findings": words, "advice": words, "tests": words}
    text = text_of(render_pdf(issued(note=note, name=words)))
    if words.isascii():
        assert text.count(words) >= 4


# --- the same bytes, once -----------------------------------------------------------------------
def test_the_same_row_gives_the_same_bytes_and_another_row_others():
    prescription = issued(language="hi")
    first = render_pdf(prescription)
    assert render_pdf(Prescription.objects.get(pk=prescription.pk)) == first
    assert at_once(3, lambda _n: render_pdf(prescription)) == [first] * 3
    prescription.consultation.patient.name = "Somebody Else"
    prescription.consultation.patient.save()
    assert render_pdf(Prescription.objects.get(pk=prescription.pk)) == first
    prescription.number = "RX-other"
    assert render_pdf(prescription) != first


def test_it_is_made_once_however_often_the_task_runs(settings):
    prescription = issued()
    made = [actions.render_prescription(prescription.pk) for _run in range(3)]
    assert made == [True, False, False]
    assert actions.sweep_prescriptions() == 0
    folder = Path(settings.MEDIA_ROOT) / "prescriptions"
    assert [file.name for file in folder.iterdir()] == [f"{prescription.uid}.pdf"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("render", [actions.render_prescription, actions.render_small])
def test_two_workers_at_once_leave_one_file(render, settings):
    prescription = issued()
    Prescription.objects.update(pdf="")
    shutil.rmtree(Path(settings.MEDIA_ROOT) / "prescriptions", ignore_errors=True)
    made = at_once(3, lambda _n: render(prescription.pk))
    assert sorted(made) == [False, False, True]
    prescription.refresh_from_db()
    (stored,) = (Path(settings.MEDIA_ROOT) / "prescriptions").iterdir()
    kept = prescription.pdf or prescription.pdf_a5
    assert f"prescriptions/{stored.name}" == kept.name


def test_the_sweep_makes_what_was_left_and_one_that_cannot_be_made_holds_up_none():
    broken, whole = issued(), issued()
    Prescription.objects.filter(pk=broken.pk).update(document={"lines": []})
    assert actions.sweep_prescriptions() == 1
    whole.refresh_from_db()
    assert whole.pdf.name != ""


def test_a_draft_has_no_pdf():
    prescription = issued()
    draft = actions.revise_prescription(
        consultation=prescription.consultation, by=prescription.issued_by.user
    )
    assert actions.render_prescription(draft.pk) is False


# --- the page -----------------------------------------------------------------------------------
def pdf_path(consultation: Consultation) -> str:
    return reverse("consult:prescription_pdf", args=[consultation.uid])


def test_patient_and_doctor_get_the_pdf_and_it_is_written_down():
    prescription = issued()
    consultation, doctor = prescription.consultation, prescription.issued_by
    account = consultation.patient.account
    soon = as_patient(account).get(pdf_path(consultation))
    assert soon.status_code == 202
    assert "The PDF is being made" in soon.content.decode()
    actions.render_prescription(prescription.pk)
    for client in (as_patient(account), as_staff(doctor.user)):
        answer = client.get(pdf_path(consultation))
        assert b"".join(answer.streaming_content).startswith(render_pdf(prescription))
        assert answer.headers["Content-Type"] == "application/pdf"
        named = f'attachment; filename="{prescription.number}.pdf"'
        assert answer.headers["Content-Disposition"] == named
    read_by = AuditEvent.objects.filter(action="prescription.read")
    assert {event.by for event in read_by} == {account, doctor.user}


def test_the_small_paper_is_made_once_somebody_asks_for_it_and_then_kept(
    settings, django_capture_on_commit_callbacks
):
    settings.CELERY_TASK_ALWAYS_EAGER = True
    prescription = issued()
    actions.render_prescription(prescription.pk)
    asha = as_patient(prescription.consultation.patient.account)
    path = f"{pdf_path(prescription.consultation)}?paper=a5"
    with django_capture_on_commit_callbacks(execute=True):
        soon = asha.get(path)
    assert (soon.status_code, "The PDF is being made" in soon.content.decode()) == (202, True)
    with django_capture_on_commit_callbacks() as asked_again:
        answer = asha.get(path)
    assert asked_again == []
    drawn = render_pdf(prescription, Paper.A5)
    assert b"".join(answer.streaming_content).startswith(drawn)
    named = f'attachment; filename="{prescription.number}-A5.pdf"'
    assert answer.headers["Content-Disposition"] == named


def test_before_it_is_issued_there_is_no_pdf():
    clinic = a_clinic()
    consultation = in_the_room(clinic, on_duty(clinic))
    assert as_patient(consultation.patient.account).get(pdf_path(consultation)).status_code == 404


def test_after_a_correction_the_page_gives_the_new_version():
    first = issued()
    consultation, doctor = first.consultation, first.issued_by
    actions.render_prescription(first.pk)
    actions.revise_prescription(consultation=consultation, by=doctor.user)
    second = prescribed(consultation, Line("Zinc", "tablet", "20 mg", "1", "od", 14))
    actions.render_prescription(second.pk)
    answer = as_patient(consultation.patient.account).get(pdf_path(consultation))
    text = text_of(b"".join(answer.streaming_content))
    assert ("Zinc" in text, "Paracetamol" in text, "Version 2" in text) == (True, False, True)
