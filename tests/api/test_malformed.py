"""What is no JSON, or says what neither a database nor an answer can hold: 400, whoever asks for what."""

import pytest

from accounts.models import Patient
from consult.abdm.messages import Malformed
from consult.abdm.receiving import _bundle
from esanjeevani.strict_json import read_json
from tests.api.program import ASHA, Program
from tests.factories import a_state, a_user

MALFORMED = {
    "no JSON": b"{oops",
    "no UTF-8": b'{"name": "\xff"}',
    "nested too deeply": b"[" * 100_000,
    "objects nested too deeply": b'{"name":' * 100_000,
    "half a character": rb'{"name": "\ud800"}',
    "half a character in a name": rb'{"\udfff": 1}',
    "NUL": rb'{"name": ["a\u0000"]}',
    "NUL in a name": rb'{"a\u0000": 1}',
    "no number": b'{"age": NaN}',
    "an infinite number": b'{"age": -1e999}',
}
malformed = pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())


@malformed
@pytest.mark.django_db
def test_it_is_refused_and_changes_nothing(body: bytes):
    a_state()
    asha = Program(a_user())
    answer = asha.client.post(
        "/api/v1/patients/", body, content_type="application/json", headers=asha.headers
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")
    assert Patient.objects.count() == 0


@malformed
def test_it_is_no_record_from_elsewhere(body: bytes):
    text = body.decode("utf-8", "surrogateescape")
    with pytest.raises(Malformed):
        _bundle(f'{{"resourceType": "Bundle", "id": {text}}}')


def test_every_whole_character_is_read():
    said = {"name": "सुनीता 🤒\n", r"back\slash": r"\u0000 \ud800", "age": 1.5}
    assert read_json(rb'{"name": "\u0938\u0941\u0928\u0940\u0924\u093e \ud83e\udd12\n",'
                     rb' "back\\slash": "\\u0000 \\ud800", "age": 1.5}') == said  # fmt: skip


@pytest.mark.django_db
def test_a_choice_that_is_none_is_said_back():
    a_state()
    answer = Program(a_user()).post("patients/", {**ASHA, "sex": "🤒"})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["sex"])
