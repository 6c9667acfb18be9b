"""Every text is translated, and nobody who reads Hindi meets English."""

import os
import re
import shutil
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from tests.factories import (
    a_clinic,
    a_doctor,
    a_draft,
    a_patient,
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
SAME_IN_HINDI = {"SMS", "PDF", "QR", "ABHA", "MB", "English"}
SAID = {"alt", "aria-label", "placeholder", "title"}


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


def test_every_text_of_the_sources_is_in_the_catalogues(tmp_path, settings, monkeypatch):
    if not shutil.which("xgettext"):
        reason = "gettext is not on this machine, so new texts cannot be looked for"
        if os.environ.get("REQUIRE_SERVICES") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
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
        assert ("consult" in os.listdir(tmp_path), len(found) > 100) == (True, True)
        assert found - known == set(), "make messages, and then translate"


# --- the pages ----------------------------------------------------------------------------------
class Words(HTMLParser):
    """What somebody reads or hears on a page, without names and without what Hindi shares."""

    def __init__(self, page: str, names: set[str]) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.tag = ""
        self.feed(page)
        text = " ".join(" ".join(self.parts).split())
        for name in sorted(names | {settings.SITE_NAME, settings.SITE_OWNER}, key=len)[::-1]:
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


def english_on(browser: Client, address: str, *names: str) -> list[str]:
    browser.cookies[settings.LANGUAGE_COOKIE_NAME] = "hi"
    answer = browser.get(address)
    page = answer.content.decode()
    assert '<html lang="hi"' in page, f"{address}: {answer.status_code} {answer.headers}"
    return Words(page, set(names)).latin


@pytest.mark.django_db
@pytest.mark.usefixtures("_hindi")
@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/sign-in/",
        "/privacy/",
        "/check/",
        "/check/no-such-code/",
        "/grievance/",
        "/staff/sign-in/",
        "/no-such-page/",
    ],
)
def test_a_page_for_everybody_holds_no_english_when_read_in_hindi(address):
    assert english_on(Client(), address, "no-such-code", "NO-SUCH-CODE") == []


@pytest.fixture
def clinic():
    """With names that are no English, so that whatever is English on a page is the site's own."""
    clinic = a_clinic(name="सामान्य", names={"hi": "सामान्य"})
    on_duty(clinic, a_doctor(qualification="-", registration_number="1", council="-", contact="1"))
    clinic.doctor = clinic.duties.get().doctor
    clinic.doctor.user.name = "डॉ राव"
    clinic.doctor.user.save()
    return clinic
