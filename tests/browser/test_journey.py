"""The whole way in two browsers: a patient and a doctor, on whatever this machine offers."""

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader

from accounts.models import AuditEvent
from consult.models import Consultation, Prescription
from queues.models import Token
from tests.browser.acting import people, register, says, staff_sign_in
from tests.factories import a_clinic, a_district, a_doctor, a_patient, the_formulary, waiting
from tests.running import Gateway, Site, browser_of, post

pytestmark = pytest.mark.chromium
PHONE = "+919876501234"
PHOTO = {"name": "throat.png", "mimeType": "image/png"}


@pytest.fixture
def pages(chromium: Browser, site: Site) -> "tuple[Page, Page]":
    """The patient's and the doctor's, in two processes where there are two."""
    with people(chromium, site.urls, (360, 640), (360, 640)) as made:
        yield tuple(made)


def sign_in(page: Page, gateway: Gateway, phone: str = PHONE) -> None:
    page.goto("/book/")
    page.get_by_label("Your mobile number").fill("098765 01234")
    page.get_by_role("button", name="Send me the code").click()
    page.get_by_label("The 6 digits").fill("000000")
    code = gateway.code_for(phone)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("This code is not right")).to_be_visible()
    page.get_by_label("The 6 digits").fill(code)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="I have read this and agree").click()


def book(page: Page) -> None:
    expect(page.get_by_text("1 doctor")).to_be_visible()
    page.get_by_role("link", name="Choose Kerala General OPD").click()
    page.get_by_label("What is wrong?").fill("Fever and sore throat")
    page.get_by_label("A few days").check()
    page.get_by_label("Allergies").fill("penicillin")
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Photo or PDF").set_input_files({**PHOTO, "buffer": b"<html>not a photo"})
    page.get_by_role("button", name="Add this file").click()
    expect(page.get_by_text("neither a photo")).to_be_visible()
    page.get_by_label("Photo or PDF").set_input_files({**PHOTO, "buffer": a_picture()})
    page.get_by_role("button", name="Add this file").click()
    expect(page.get_by_role("link", name="throat.jpg")).to_be_visible()
    page.get_by_role("link", name="Go on").click()
    page.get_by_label("I agree to treatment").check()
    page.get_by_role("button", name="Take the token").click()


def a_picture() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (640, 480), "#a44").save(written, "PNG")
    return written.getvalue()


def test_a_patient_books_waits_talks_and_leaves_with_a_prescription(
    site: Site, pages: "tuple[Page, Page]"
) -> None:
    patient, doctor = pages
    a_district()
    the_formulary()
    clinic = a_clinic()
    dr_rao = a_doctor()
    staff_sign_in(doctor, "/doctor/", dr_rao.user)
    doctor.get_by_role("button", name="Go on duty").click()
    expect(doctor.get_by_text("Nobody waits")).to_be_visible()
    first = waiting(clinic, a_patient(name="Gopalan Menon", age=70))

    sign_in(patient, site.gateway)
    register(patient)
    book(patient)
    expect(patient.locator(".token-number")).to_have_text("2")
    expect(patient.locator("[data-ahead]")).to_have_text("1")
    site.gateway.wait_for(PHONE, "2")
    # The line moves before their eyes: the first one leaves, in another process.
    with browser_of(first.patient.account, site.urls[-1]) as somebody_else:
        visit = f"/consultations/{first.uid}/"
        post(somebody_else, visit, f"{visit}leave/")
    expect(patient.locator("[data-ahead]")).to_have_text("0")

    expect(doctor.get_by_text("Asha Menon")).to_be_visible()  # by itself
    doctor.keyboard.press("n")
    expect(doctor.get_by_text("Called, not answered yet")).to_be_visible()
    patient.get_by_role("button", name="I am here, go in").click()
    expect(patient.get_by_role("heading", name="Dr Raghav Rao")).to_be_visible()

    expect(doctor.get_by_role("heading", name="Asha Menon")).to_be_visible()
    expect(doctor.get_by_text("penicillin")).to_be_visible()
    says(patient, "नमस्ते डॉक्टर")
    expect(doctor.get_by_text("नमस्ते डॉक्टर")).to_be_visible()
    says(doctor, "Any trouble breathing?")
    expect(patient.get_by_text("Any trouble breathing?")).to_be_visible()

    write(doctor)
    expect(patient.get_by_text("Your prescription is ready")).to_be_visible()
    text = read_pdf(patient)
    for words in ("Asha Menon", "Paracetamol", "Viral fever", dr_rao.registration_number):
        assert words in text
    assert "This prescription is generated on a teleconsultation." in text

    doctor.get_by_role("button", name="Finish", exact=True).click()
    expect(doctor.get_by_text("Nobody waits")).to_be_visible()
    expect(patient.get_by_text("The consultation is complete")).to_be_visible()
    patient.get_by_label("Very good").check()
    patient.get_by_role("button", name="Send").click()
    expect(patient.get_by_text("Thank you. Your words")).to_be_visible()
    check_afterwards(site)


def write(doctor: Page) -> None:
    doctor.get_by_label("Findings").fill("Throat red on the photo")
    row = doctor.locator("[data-row]").first
    row.get_by_label("Generic name").fill("Paracetamol")
    row.get_by_label("Strength").fill("500 mg")
    row.get_by_label("Form").select_option("tablet")
    row.get_by_label("Dose").fill("1")
    row.get_by_label("How often").select_option("tds")
    row.get_by_label("Days").fill("3")
    doctor.get_by_role("button", name="Issue the prescription").click()
    expect(doctor.get_by_text("Write a diagnosis")).to_be_visible()
    expect(doctor.locator("[data-row]").first.get_by_label("Generic name")).to_have_value(
        "Paracetamol"
    )
    doctor.get_by_label("Diagnosis").fill("Viral fever")
    doctor.get_by_role("button", name="Issue the prescription").click()
    expect(doctor.get_by_text(re.compile(r"Prescription RX\S+ is issued"))).to_be_visible()


def read_pdf(patient: Page) -> str:
    with patient.expect_download() as download:
        patient.get_by_role("link", name="Prescription (PDF)").click()
    return "".join(page.extract_text() for page in PdfReader(download.value.path()).pages)


def check_afterwards(site: Site) -> None:
    consultation = Consultation.objects.get(patient__name="Asha Menon")
    assert consultation.state == Consultation.State.COMPLETED
    assert consultation.token.state == Token.State.DONE
    assert consultation.feedback.stars == 5
    issued = Prescription.objects.get(consultation=consultation)
    assert site.gateway.wait_for(PHONE, issued.number)
    assert AuditEvent.objects.filter(
        patient=consultation.patient, action="prescription.read"
    ).exists()
