"""The shapes of the national identifiers, and the ABHA number that is shown by its last digits alone."""

import pytest
from django.core.exceptions import ValidationError

from accounts.identifiers import check_abha_address, check_hpr_id, is_abha_number
from accounts.models import Patient

ABHA = "91100000000008"


def is_fine(check, typed: str) -> bool:
    try:
        check(typed)
    except ValidationError:
        return False
    return True


def test_the_check_digit_of_an_abha_number_finds_every_single_wrong_digit():
    assert is_abha_number(ABHA)
    for at in range(14):
        for other in set("0123456789") - {ABHA[at]}:
            assert not is_abha_number(ABHA[:at] + other + ABHA[at + 1 :])
    assert not is_abha_number(ABHA[:-1])


@pytest.mark.parametrize(
    ("typed", "fine"),
    [("71-1000-0000-0000", True), ("71100000000000", True), ("rao.k@hpr.abdm", True), ("rao@dr.abdm", True),
     ("7110000000000", False), ("rao@abdm", False), ("@hpr.abdm", False), ("rao@hpr.abdm\n", False)],
)  # fmt: skip
def test_an_hpr_id_has_14_digits_or_is_a_name(typed, fine):
    assert is_fine(check_hpr_id, typed) == fine


@pytest.mark.parametrize(
    ("typed", "fine"),
    [("asha@abdm", True), ("asha.menon_91@sbx", True), ("asha@gmail.com", False), ("a@abdm", False),
     (".asha@abdm", False), ("asha@abdm ", False), ("आशा@abdm", False)],
)  # fmt: skip
def test_an_abha_address_is_a_name_at_abdm(typed, fine):
    assert is_fine(check_abha_address, typed) == fine


def test_an_abha_number_is_masked_to_its_last_four_digits():
    assert Patient(abha_number=ABHA).masked_abha == "··-····-····-0008"
    assert Patient().masked_abha == ""
