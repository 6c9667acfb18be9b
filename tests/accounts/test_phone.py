"""Mobile numbers as people type them."""

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from accounts.models import PhoneDevice
from accounts.phone import normalise, spaced
from tests.factories import a_state

REFUSAL = "This is not an Indian mobile number. Write the 10 digits, for example 98765 43210."


@pytest.mark.parametrize(
    "typed",
    [
        "9876543210",
        "98765 43210",
        "98765-43210",
        "987 654 3210",
        " 98765.43210 ",
        "09876543210",
        "0 98765 43210",
        "919876543210",
        "91-98765-43210",
        "+919876543210",
        "+91 98765 43210",
        "+91 (0) 98765 43210",
        "(+91) 98765-43210",
        "0091 98765 43210",
        "९८७६५४३२१०",
        "०९८७६५ ४३२१०",
        "+९१ ९८७६५-४३२१०",
        "98765\N{NO-BREAK SPACE}43210",
        "98765\N{EN DASH}43210",
        "\N{LEFT-TO-RIGHT MARK}+91 98765 43210\N{POP DIRECTIONAL FORMATTING}",
        "Mob. 98765 43210",
    ],
)
def test_any_usual_way_of_typing_a_mobile_number_is_understood(typed):
    assert normalise(typed) == "+919876543210"


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("1234567890", id="the library calls it valid"),
        pytest.param("0484 2345678", id="a landline in Kochi"),
        pytest.param("011-23456789", id="a landline in Delhi"),
        pytest.param("1800 111 555", id="toll-free"),
        pytest.param("98765 4321", id="a digit short"),
        pytest.param("98765 432101", id="a digit long"),
        pytest.param("5876543210", id="no mobile number starts with 5"),
        pytest.param("+1 212 555 0100", id="American"),
        pytest.param("+977 984 123 4567", id="Nepali"),
        pytest.param("98765HELLO", id="letters of telephone keys"),
        pytest.param("asha", id="a name"),
        pytest.param("+" * 40, id="signs"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_is_no_indian_mobile_number_is_refused_with_an_example(typed):
    with translation.override("en"), pytest.raises(ValidationError) as refused:
        normalise(typed)
    assert refused.value.messages == [REFUSAL]


def test_the_page_takes_devanagari_digits(client, db):
    a_state()
    assert client.post("/sign-in/", {"phone": "०९८७६५ ४३२१०"}).status_code == 302
    assert [device.phone for device in PhoneDevice.objects.all()] == ["+919876543210"]


def test_the_page_says_what_is_wrong_and_keeps_what_was_typed(client, db):
    answer = client.post("/sign-in/", {"phone": "1234567890"})
    assert answer.status_code == 422
    assert REFUSAL in answer.text
    assert 'value="1234567890"' in answer.text
    assert PhoneDevice.objects.count() == 0


@pytest.mark.parametrize("other", ["", "0484 123456", "+14155550100", "rao@example.org"])
def test_people_read_it_in_two_parts_and_what_is_none_as_it_was_typed(other):
    assert spaced(normalise("9876543210")) == "+91 98765 43210"
    assert spaced(other) == other


def test_a_number_typed_as_usual_is_judged_as_one_with_a_blank_in_it():
    """That one goes through the library."""
    for first_five in range(50_000, 100_000, 7):
        for number in (f"{first_five}43210", f"+91{first_five}43210"):
            assert outcome(number) == outcome(f"{number[:-5]} {number[-5:]}")


def outcome(typed: str) -> str:
    try:
        return normalise(typed)
    except ValidationError:
        return "none"
