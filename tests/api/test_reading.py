"""Reading what is usual at once comes to what DRF comes to."""

import uuid

import pytest
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from accounts.api.reading import Input, _at_once, understood
from accounts.api.shapes import CodeInput, PatientInput
from consult.api.shapes import DraftInput, RequestInput, VitalsInput
from tests.api.program import ASHA

SAID = {
    CodeInput: {"phone": " 98765 43210 ", "code": "123456", "device": "Asha's phone"},
    PatientInput: {**ASHA, "district": 555, "guardian_name": "", "abha_number": "14"},
    DraftInput: {
        "patient": str(uuid.uuid4()), "clinic": uuid.uuid4().hex, "complaint": "Fever",
        "since": "days", "medicines": " ", "is_pregnant": True,
    },
    RequestInput: {"consent": True, "language": "hi"},
    VitalsInput: {"vitals": {"pulse": 80}},
}  # fmt: skip
VALUES = [
    None, True, False, "true", "no", 0, 1, -1, 34, 10**40, 34.0, 34.5, "34", "", "  ", " x ", "x" * 5000,
    "female", "days", "क", [], ["days"], {}, {"pulse": 1}, "2020-02-30", str(uuid.uuid4()), "g" * 32,
]  # fmt: skip


def outcome(read, said):
    try:
        return dict(read(said))
    except ValidationError as error:
        return repr(error.detail)


@pytest.mark.parametrize("kind", SAID)
def test_each_value_is_read_as_drf_reads_it(kind: type[Input]):
    shape, said = kind(), SAID[kind]
    tried = [said | {name: value} for name in shape.fields for value in VALUES]
    tried += [{k: v for k, v in said.items() if k != left_out} for left_out in said]
    tried += [said, {}, said | {"is_admin": True}]
    for one in tried:
        assert outcome(lambda it: understood(shape, it), one) == outcome(shape.run_validation, one)
    for none in ([said], "said", None, 1):
        assert outcome(lambda it: understood(shape, it), none) == outcome(
            shape.run_validation, none
        )


def test_what_programs_usually_send_is_read_at_once():
    for kind in (CodeInput, DraftInput, RequestInput):
        assert _at_once(kind(), SAID[kind]) is not None


def test_rules_of_a_serializers_own_are_asked():
    class Even(Input):
        number = serializers.IntegerField()

        def validate_number(self, number):
            if number % 2:
                raise ValidationError("odd")
            return number // 2

    assert outcome(lambda said: understood(Even(), said), {"number": 8}) == {"number": 4}
    assert "odd" in outcome(lambda said: understood(Even(), said), {"number": 7})
