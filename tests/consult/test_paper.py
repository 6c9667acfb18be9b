"""The paper as people hold it: a picture in grey, in each language, with 1, 5 and 40 medicines."""

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pypdf
import pytest
import zxingcpp
from django.conf import settings as site
from PIL import Image

from consult import actions
from consult.actions import Line
from consult.models import Consultation, Prescription
from consult.pdf import Paper, render_pdf
from tests.factories import a_clinic, a_patient, in_the_room, on_duty, prescribed

pytestmark = [pytest.mark.django_db, pytest.mark.program("pdftoppm")]
LINES = [
    Line("Paracetamol", "tablet", "500 mg", "1-1-1", "tds", 3, "after food"),
    Line("Zinc sulfate", "syrup", "20 mg/5 ml", "5 ml", "od", 14),
    Line("Folic acid", "tablet", "5 mg", "½-0-0-½", "bd", 30),
    Line("Oral rehydration salts", "sachet", "20.5 g", "one glass after each stool", "sos", 3),
    Line("Guaifenesin", "syrup", "100 mg/5 ml", "10 ml", "qid", 5, "with water"),
]
LONGEST_WORD = "क्षत्रियकुलावतंसश्रीमन्महाराजाधिराज" * 3
# Some text that the patient's language brings onto the paper.
SAYS = {"en": "Morning", "hi": "सुबह"}


def issued(
    lines: int = 5, language: str = "hi", of: Sequence[Line] = LINES, **patient: object
) -> Prescription:
    clinic = a_clinic()
    who = a_patient(language=language, **patient)
    consultation = in_the_room(clinic, on_duty(clinic), who)
    actions.save_note(
        consultation=consultation, by=consultation.doctor.user, red_flags="Breathing becomes hard"
    )
    written = [replace(of[number % len(of)]) for number in range(lines)]
    return prescribed(consultation, *written)


def picture(pdf: bytes, folder: Path, page: int = 1, dpi: int = 150) -> Image.Image:
    """A page as it comes out of a black-and-white printer."""
    (folder / "rx.pdf").write_bytes(pdf)
    only = ["-f", str(page), "-l", str(page), "-singlefile"]
    command = ["pdftoppm", "-gray", "-r", str(dpi), *only, "-png", "rx.pdf", "rx"]
    subprocess.run(command, cwd=folder, check=True)
    with Image.open(folder / "rx.png") as opened:
        return opened.convert("L")


def pages_of(pdf: bytes, folder: Path) -> list[str]:
    """What each page says."""
    (folder / "rx.pdf").write_bytes(pdf)
    said = subprocess.run(
        ["pdftotext", folder / "rx.pdf", "-"], capture_output=True, check=True, text=True
    )
    pages = said.stdout.replace("\u200b", "").removesuffix("\f").split("\f")
    return [" ".join(page.split()) for page in pages]


def text_of(pdf: bytes, folder: Path) -> str:
    return " ".join(pages_of(pdf, folder))


@pytest.mark.parametrize("language", [code for code, _name in site.LANGUAGES])
@pytest.mark.parametrize("paper", list(Paper))
@pytest.mark.parametrize(("lines", "most_pages"), [(1, 1), (5, 1), (40, 4)])
def test_it_is_read_back_in_each_language_on_both_papers(
    language, paper, lines, most_pages, tmp_path
):
    pdf = render_pdf(issued(lines, language), paper)
    (tmp_path / "rx.pdf").write_bytes(pdf)
    pages = pypdf.PdfReader(tmp_path / "rx.pdf").pages
    assert len(pages) <= most_pages
    width = {Paper.A4: 595, Paper.A5: 420}[paper]
    assert round(float(pages[0].mediabox.width)) == width
    text = text_of(pdf, tmp_path)
    assert SAYS[language] in text
    assert text.count("Paracetamol 500 mg") == len(range(0, lines, 5))
    for words in ["Viral fever", "Breathing becomes hard", "108"]:
        assert words in text


def test_a_loose_page_says_whose_it_is_and_holds_whole_medicines(tmp_path):
    long = "with food, word after word; stop and come back at once if a rash or itching is finally"
    prescription = issued(40, of=[replace(LINES[0], instructions=long)], name="Gopalan Menon")
    for paper in Paper:
        pages = pages_of(render_pdf(prescription, paper), tmp_path)
        assert len(pages) > 1
        for page in pages:
            assert "Gopalan Menon" in page
            assert page.count("Paracetamol") == page.count("with food") == page.count("finally")


@pytest.mark.parametrize(("paper", "lines"), [(Paper.A4, 20), (Paper.A5, 16)])
def test_a_signature_does_not_stand_on_a_page_alone(paper, lines, tmp_path):
    *_before, last = pages_of(render_pdf(issued(lines), paper), tmp_path)
    assert "Signed electronically by" in last
    assert "Breathing becomes hard" in last


def test_advice_of_more_than_a_page_goes_on_on_the_next(tmp_path):
    prescription = issued()
    prescription.document["advice"] = "\n".join(str(number) for number in range(1000, 1400))
    said = text_of(render_pdf(prescription, Paper.A5), tmp_path)
    assert [number for number in range(1000, 1400) if str(number) not in said] == []


@pytest.mark.parametrize("paper", list(Paper))
@pytest.mark.parametrize("dpi", [100, 150, 300])
def test_the_square_code_is_read_off_the_grey_picture(paper, dpi, tmp_path):
    prescription = issued()
    shown = picture(render_pdf(prescription, paper), tmp_path, dpi=dpi)
    (code,) = zxingcpp.read_barcodes(shown)
    assert code.text == f"{site.SITE_URL}/check/{prescription.check_id}"


def test_there_is_black_on_white_and_nothing_fainter_than_a_printer_can_print(tmp_path):
    shown = picture(render_pdf(issued()), tmp_path, dpi=200)
    darkest, lightest = shown.getextrema()
    assert (darkest, lightest) == (0, 255)
    inked = sum(count for grey, count in enumerate(shown.histogram()) if grey < 128)
    assert 0.01 < inked / (shown.width * shown.height) < 0.25


def test_morning_noon_evening_night_are_columns_with_pictures_and_as_many_dots(tmp_path):
    pdf = render_pdf(issued(3, "en"))
    text = text_of(pdf, tmp_path)
    assert "Morning Noon Evening Night" in text
    assert "Paracetamol 500 mg" in text
    assert "Quantity: 9" in text  # 1-1-1 for 3 days
    assert "Quantity: 30" in text  # two halves for 30 days
    assert "5 ml" in text


@pytest.mark.parametrize(
    "name",
    [
        "श्री कृष्ण द्विवेदी", "தமிழ்ச்செல்வி", "মৌসুমী চট্টোপাধ্যায়", "ਗੁਰਪ੍ਰੀਤ ਸਿੰਘ", "ಕೃಷ್ಣಮೂರ್ತಿ", "ശ്രീലക്ഷ്മി",
        "శ్రీనివాస్", "ગુજરાતી પટેલ", "ଓଡ଼ିଆ ଦାସ", "محمد علی خان", "ꯃꯅꯤꯄꯨꯔ", LONGEST_WORD[:120],
    ],
)  # fmt: skip
def test_a_name_in_any_script_is_drawn_with_its_own_letters(name, tmp_path):
    pdf = render_pdf(issued(1, "en", name=name))
    (tmp_path / "rx.pdf").write_bytes(pdf)
    fonts = subprocess.run(
        ["pdffonts", tmp_path / "rx.pdf"], capture_output=True, text=True, check=True
    )
    drawn = {line.split()[0].partition("+")[2] for line in fonts.stdout.splitlines()[2:]}
    assert any(font != "NotoSans-Regular" and font != "NotoSans-Bold" for font in drawn)
    assert len(pypdf.PdfReader(tmp_path / "rx.pdf").pages) == 1


def test_a_word_of_a_hundred_letters_is_broken_and_not_cut_off(tmp_path):
    pdf = render_pdf(issued(1, "en", name="Verylongname" * 10))
    assert "Verylongname" * 10 in "".join(text_of(pdf, tmp_path).split())


def test_the_row_alone_decides_on_both_papers():
    prescription = issued()
    first = {paper: render_pdf(prescription, paper) for paper in Paper}
    Consultation.objects.update(complaint="something else")
    again = Prescription.objects.get(pk=prescription.pk)
    assert {paper: render_pdf(again, paper) for paper in Paper} == first
    assert first[Paper.A4] != first[Paper.A5]
