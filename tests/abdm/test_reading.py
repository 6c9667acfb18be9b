"""Documents that others wrote, by their own reading of the guide: told where they can be, never trusted."""

import signal
from collections.abc import Iterator
from datetime import date

import pytest
from django.utils.translation import override

from consult.abdm.enclosed import files_of
from consult.abdm.reading import read
from consult.fhir.documents import OP_CONSULT, document
from tests.fhir import records


def bundle(*resources: object, section: object = None, **composition: object) -> dict:
    head = {"resourceType": "Composition", "id": "c", "section": section, **composition}
    rows = [head, *resources]
    return {"resourceType": "Bundle", "entry": [{"resource": one} for one in rows]}


def test_a_referred_resource_is_told_in_its_section():
    row = {
        "resourceType": "Observation", "id": "bp", "code": {"text": "Blood pressure"},
        "component": [
            {"code": {"text": "systolic"}, "valueQuantity": {"value": 128, "unit": "mm[Hg]"}},
            {"code": {"text": "diastolic"}, "valueQuantity": {"value": 82, "unit": "mm[Hg]"}},
        ],
    }  # fmt: skip
    section = [{"title": "Physical exam", "entry": [{"reference": "Observation/bp"}]}]
    told = read(bundle(row, section=section, title="Discharge", date="2025-03-04"))
    assert (told.title, told.date.date()) == ("Discharge", date(2025, 3, 4))
    (shown,) = told.sections
    assert shown.lines == ["Blood pressure: systolic 128 mm[Hg], diastolic 82 mm[Hg]"]


def test_a_section_of_words_alone_is_told_without_its_markup():
    markup = "<div><p>Take <b>rest</b> &amp; water</p><script>alert(1)</script><p id=x>Come back</p></div>"
    (shown,) = read(bundle(section=[{"title": "Advice", "text": {"div": markup}}])).sections
    assert shown.lines == ["Take rest & water", "Come back"]


def test_a_section_says_nothing_that_is_not_for_the_eye():
    """Whatever is opened and not closed, or closed and not opened."""
    hidden = (
        "<style>p {}</style><SCRIPT src='x'>a < b</SCRIPT ><p>Rest < 3 days</i><br/>&lt;b&gt;<h2"
    )
    (shown,) = read(bundle(section=[{"title": "Advice", "text": {"div": hidden}}])).sections
    assert shown.lines == ["Rest < 3 days", "<b><h2"]
    assert read(bundle(section=[{"text": {"div": "<script>alert(1)"}}])).sections == []


@pytest.fixture
def half_a_minute() -> Iterator[None]:
    """Of the processor's time, however busy it is: what takes longer is stopped, and fails."""

    def stop(*_signal: object) -> None:
        raise AssertionError("Looked at again and again.")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, 30)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, before)


@pytest.mark.usefixtures("half_a_minute")
@pytest.mark.parametrize("part", ["<", "<p ", "<script", "<script>", "</", "<a>&lt"])
def test_markup_made_to_be_looked_at_again_and_again_is_looked_at_once(part):
    """2 MB of it take a tenth of a second; two minutes, where each letter is looked at for each."""
    markup = {"text": {"div": part * (100_000 // len(part))}}
    assert len(read(bundle(section=[markup] * 20)).sections) <= 20


def test_of_a_document_without_end_the_beginning_is_told():
    row = {"resourceType": "Observation", "id": "o", "valueString": "x" * 2_000_000}
    section = {"title": "s", "entry": [{"reference": "Observation/o"}] * 3_000}
    told = read(bundle(row, section=[section] * 1_000))
    assert len(told.sections) == 60
    assert {len(one.lines) for one in told.sections} == {200}
    assert told.sections[0].lines[0] == "x" * 500


def test_without_sections_everything_that_can_be_told_is():
    row = {
        "resourceType": "Condition",
        "code": {"coding": [{"code": "J03.9", "display": "Tonsillitis"}]},
    }
    assert read({"entry": [{"resource": row}, {"resource": 7}, None]}).sections[0].lines == [
        "Tonsillitis"
    ]


@pytest.mark.parametrize(
    "odd", [None, 7, "x", [], {}, {"entry": "x"}, {"entry": [{"resource": []}]}]
)
def test_what_is_no_document_is_an_empty_one(odd):
    assert read(odd).sections == []


def test_sections_within_sections_without_end_do_not_run_for_ever():
    section: dict = {"title": "deep", "text": {"div": "x"}}
    section["section"] = [section]
    assert len(read(bundle(section=[section])).sections) == 5


def places(row: object, path: tuple = ()):
    """Every place in a document, by the way to it."""
    for key in (
        list(row) if isinstance(row, dict) else range(len(row)) if isinstance(row, list) else []
    ):
        yield (*path, key)
        yield from places(row[key], (*path, key))  # type: ignore[index]


@pytest.mark.parametrize(
    ("language", "names"), [("en", ["Document", "Photo"]), ("hi", ["दस्तावेज़", "फ़ोटो"])]
)
def test_a_file_without_a_title_is_named_in_the_readers_language(language, names):
    content = [
        {"attachment": {"contentType": kind, "data": "AAAA"}}
        for kind in ("application/pdf", "image/jpeg")
    ]
    document = {"entry": [{"resource": {"resourceType": "DocumentReference", "content": content}}]}
    with override(language):
        assert [one.name for one in files_of(document)] == names


@pytest.mark.django_db
def test_whatever_is_missing_or_of_another_type_the_rest_is_told():
    whole = document(records.a_record(records.full()), OP_CONSULT)
    before = read(whole)
    for *way, last in list(places(whole)):
        row = whole
        for key in way:
            row = row[key]
        there = row[last]
        for odd in (None, 7, "x", [], {}, [None, 7], {"reference": 7, "coding": "x"}):
            row[last] = odd
            told = read(whole)
            assert all(isinstance(line, str) for one in told.sections for line in one.lines)
        row[last] = there
    assert read(whole) == before
