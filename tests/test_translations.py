"""Every text is translated, and nobody who reads Hindi meets English."""

import re
import shutil
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.core.management import call_command
from django.template import engines
from django.test import Client

from accounts.models import Enrolment, Facility, Post
from consult import actions as consult
from queues.models import HubLink
from tests.factories import (
    a_clinic,
    a_district,
    a_doctor,
    a_draft,
    a_patient,
    a_staff_user,
    as_patient,
    as_staff,
    called,
    in_the_room,
    on_duty,
    prescribed,
    waiting,
)

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
# Folders that hold no texts of the site.
APART = {"tests", "bench", "deploy", "docs", "locale", "static", "var"}
# %(name)s, %s, {name} and whole tags: what a translation may move but not change.
FIXED = re.compile(r"%\(\w+\)[a-z]|%[a-z%]|\{\w*\}|<[^<>]+>")
LATIN = re.compile(r"[A-Za-z]{2,}")
BROWSER = {"JavaScript", "Allow"}  # as browsers name them
KEYS = {"Ctrl", "Enter"}  # as they stand on the keyboard
UNITS = {"SpO", "mmHg", "mg", "dL", "kg", "cm", "min"}
SAME_IN_HINDI = {"SMS", "PDF", "QR", "ABHA", "MB", "RX", "English"} | UNITS | KEYS | BROWSER
SAID = {"alt", "aria-label", "placeholder", "title"}
# Of the cast in factories.py: names and what doctor and patient wrote.
NAMES = {
    "Asha Menon",
    "Kerala General OPD",
    "Dr Raghav Rao",
    "Kerala State Medical Council",
    "MBBS",
    "KL-",
    "Fever and cough",
    "Viral fever",
    "Paracetamol",
    "500 mg",
    "after food",
}


def the_catalogue(language: str, locale: Path = ROOT / "locale") -> polib.POFile:
    return polib.pofile(str(locale / language / "LC_MESSAGES" / "django.po"))


def fixed_parts(text: str) -> Counter[str]:
    return Counter(FIXED.findall(text))


# --- the catalogues -----------------------------------------------------------------------------
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_and_none_is_guessed_or_left_over(language):
    catalogue = the_catalogue(language)
    assert [entry.msgid for entry in catalogue.untranslated_entries()] == []
    assert [entry.msgid for entry in catalogue.fuzzy_entries()] == []
    assert [entry.msgid for entry in catalogue.obsolete_entries()] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_keeps_every_placeholder_and_tag(language):
    changed = []
    for entry in the_catalogue(language):
        allowed = [fixed_parts(text) for text in (entry.msgid, entry.msgid_plural) if text]
        given = entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]
        changed += [text for text in given if fixed_parts(text) not in allowed]
    assert changed == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_head_of_a_catalogue_says_its_language_and_names_nobody(language):
    catalogue = the_catalogue(language)
    assert not catalogue.metadata_is_fuzzy
    assert catalogue.metadata["Language"] == language
    assert catalogue.metadata["Content-Type"] == "text/plain; charset=UTF-8"
    assert catalogue.metadata["Plural-Forms"].startswith("nplurals=")
    assert catalogue.metadata["Last-Translator"] == ""


@pytest.mark.program("xgettext")
def test_every_text_of_the_sources_is_in_the_catalogues(tmp_path, settings, monkeypatch):
    # In a copy, because makemessages writes beside what it reads.
    for folder in ROOT.glob("[!._]*/"):
        if folder.is_dir() and folder.name not in APART:
            shutil.copytree(
                folder, tmp_path / folder.name, ignore=shutil.ignore_patterns("__pycache__")
            )
    monkeypatch.chdir(tmp_path)
    settings.LOCALE_PATHS = [tmp_path / "locale"]
    call_command("makemessages", locale=LANGUAGES, verbosity=0)
    for language in LANGUAGES:
        known = {(entry.msgctxt, entry.msgid) for entry in the_catalogue(language)}
        found = {
            (entry.msgctxt, entry.msgid)
            for entry in the_catalogue(language, locale=tmp_path / "locale")
        }
        assert len(found) > 100
        assert found - known == set(), "make messages, and then translate"


# --- the pages ----------------------------------------------------------------------------------
class Words(HTMLParser):
    """What somebody reads or hears on a page, without names and without what Hindi shares."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.tag = ""
        self.feed(page)
        text = " ".join(" ".join(self.parts).split())
        for name in (settings.SITE_NAME, settings.SITE_OWNER, *NAMES):
            text = text.replace(name, " ")
        self.latin = [word for word in LATIN.findall(text) if word not in SAME_IN_HINDI]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tag = tag
        self.parts += [value or "" for name, value in attrs if name in SAID]

    def handle_endtag(self, tag: str) -> None:
        self.tag = ""

    def handle_data(self, data: str) -> None:
        if self.tag not in {"script", "style"}:
            self.parts.append(data)


@pytest.fixture
def _hindi(tmp_path, settings):
    """The catalogue as it is now, whether it was compiled or not."""
    folder = tmp_path / "hi" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    the_catalogue("hi").save_as_mofile(str(folder / "django.mo"))
    settings.LOCALE_PATHS = [tmp_path]
    for loader in engines["django"].engine.template_loaders:
        loader.reset()  # what was read before speaks the catalogue of then


def english_on(browser: Client, *addresses: str) -> dict[str, list[str]]:
    """The left-over English words of each page that has some."""
    browser.cookies[settings.LANGUAGE_COOKIE_NAME] = "hi"
    left = {}
    for address in addresses:
        answer = browser.get(address)
        page = answer.content.decode()
        assert '<html lang="hi"' in page, f"{address} answers {answer.status_code}"
        if words := Words(page).latin:
            left[address] = words
    return left


@pytest.mark.django_db
@pytest.mark.usefixtures("_hindi")
def test_the_pages_for_everybody_hold_no_english_when_read_in_hindi():
    pages = ["/", "/sign-in/", "/privacy/", "/check/", "/grievance/", "/staff/sign-in/"]
    assert english_on(Client(), *pages, "/check/222222222222/", "/not-a-page/") == {}


@pytest.mark.django_db
@pytest.mark.usefixtures("_hindi")
def test_the_pages_of_a_patient_hold_no_english_when_read_in_hindi():
    clinic = a_clinic()
    patient = a_patient()
    browser = as_patient(patient.account)
    pages = ["/", "/patients/", "/patients/new/", "/consultations/"]
    before = [f"/book/{patient.uid}/", f"/book/{patient.uid}/{clinic.uid}/"]
    assert english_on(browser, *pages, *before) == {}

    doctor = on_duty(clinic)
    draft = f"/consultations/{a_draft(clinic, patient).uid}"
    assert english_on(browser, *before, f"{draft}/files/", f"{draft}/confirm/") == {}

    visit = f"/consultations/{waiting(clinic, patient).uid}/"
    assert english_on(browser, visit) == {}
    consultation = called(clinic, doctor)
    assert english_on(browser, visit) == {}
    consult.begin(consultation=consultation, by=patient.account)
    assert english_on(browser, visit) == {}
    issued = prescribed(consultation)
    consult.complete(consultation=consultation, by=doctor.user)
    assert english_on(browser, visit, "/consultations/", f"/check/{issued.check_code}/") == {}


@pytest.mark.django_db
@pytest.mark.usefixtures("_hindi")
def test_the_pages_of_a_doctor_hold_no_english_when_read_in_hindi():
    clinic = a_clinic()
    doctor = a_doctor()
    browser = as_staff(doctor.user)
    pages = ["/doctor/", "/doctor/consultations/"]
    assert english_on(browser, *pages) == {}
    consultation = in_the_room(clinic, on_duty(clinic, doctor))
    waiting(clinic)
    room = f"/doctor/consultations/{consultation.uid}/"
    assert english_on(browser, *pages, room) == {}
    prescribed(consultation)
    assert english_on(browser, *pages, room) == {}


@pytest.mark.django_db
@pytest.mark.usefixtures("_hindi")
def test_the_pages_of_a_health_centre_hold_no_english_when_read_in_hindi():
    district = a_district()
    district.names = {"hi": "एर्नाकुलम"}
    district.save()
    centre = Facility.objects.create(
        name="बेलवा", kind=Facility.Kind.SUB_CENTRE, state=district.state, district=district
    )
    clinic = a_clinic()
    doctor = on_duty(clinic)
    HubLink.objects.create(spoke=centre, clinic=clinic)
    meena = a_staff_user(name="मीना")
    Post.objects.create(user=meena, facility=centre, role=Post.Role.HEALTH_WORKER)
    patient = a_patient(address="नहर रोड 12")
    Enrolment.objects.create(patient=patient, facility=centre, enrolled_by=meena)
    browser = as_staff(meena)
    person = f"/centre/patients/{patient.uid}/"
    pages = ["/centre/", "/centre/patients/", "/centre/patients/?name=x", "/centre/patients/new/"]
    assert english_on(browser, *pages, person) == {}
    draft = consult.open_case(patient=patient, facility=centre, by=meena)
    case = f"/centre/consultations/{draft.uid}/"
    assert english_on(browser, "/centre/", person, f"{case}case/", f"{case}send/") == {}

    form = {"complaint": "कल रात से तेज़ बुखार है", "since": "days", "vital_pulse": "88", "revision": 0}
    browser.post(f"{case}case/", form)
    browser.post(
        f"{case}send/",
        {
            "clinic": clinic.uid,
            "proposed": clinic.uid,
            "how": "spoken",
            "consent": "on",
            "is_present": "on",
            "send": "1",
        },
    )
    assert english_on(browser, "/centre/", case) == {}
    consultation = called(clinic, doctor)
    assert english_on(browser, "/centre/", case) == {}
    consult.begin(consultation=consultation, by=meena)
    assert english_on(browser, "/centre/", case) == {}
    prescribed(consultation)
    consult.complete(consultation=consultation, by=doctor.user)
    assert english_on(browser, "/centre/", case, person) == {}
