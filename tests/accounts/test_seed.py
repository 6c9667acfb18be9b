import pytest
from django.core.management import call_command

from accounts.models import SmsTemplate, Speciality, State
from accounts.seeding import seed, slots_of, sms_slots

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unseeded")]

SLOTS = {
    "otp": {"code"},
    "token": {"number", "clinic", "link"},
    "near": {"number", "clinic", "ahead", "link"},
    "missed": {"number", "link"},
    "no_show": {"number", "link"},
    "prescription": {"number", "link"},
    "returned": {"number", "link"},
    "day_over": {"clinic", "link"},
    "emergency": {"link"},
    "link_code": {"code"},
}


def test_it_writes_every_state_and_union_territory_once():
    seed()
    assert State.objects.count() == 36
    assert State.objects.filter(is_union_territory=True).count() == 8
    assert State.objects.get(code=38).name == "Dadra and Nagar Haveli and Daman and Diu"
    assert State.objects.get(name="Kerala").names == {"hi": "केरल"}


def test_every_state_and_speciality_has_a_hindi_name():
    seed()
    named = [*State.objects.all(), *Speciality.objects.all()]
    assert [row.name for row in named if not row.names["hi"]] == []


def test_every_message_has_a_text_in_both_languages_with_exactly_its_slots():
    seed()
    texts = SmsTemplate.objects.all()
    assert {(row.key, row.language) for row in texts} == {
        (key, language) for key in SLOTS for language in ("en", "hi")
    }
    for row in texts:
        assert slots_of(row.text) == SLOTS[row.key] == sms_slots(row.key)
        assert row.text.format(**dict.fromkeys(SLOTS[row.key], "x"))


def test_the_code_is_said_to_be_secret_and_short_lived():
    seed()
    english, hindi = SmsTemplate.objects.filter(key="otp").order_by("language")
    assert "5 minutes" in english.text
    assert "not tell" in english.text
    assert "5 मिनट" in hindi.text


def test_a_second_time_changes_nothing_that_an_operator_wrote():
    seed()
    SmsTemplate.objects.filter(key="otp", language="en").update(text="{code}", dlt_id="1" * 19)
    State.objects.filter(code=32).update(name="Keralam", names={"hi": "केरलम", "ml": "കേരളം"})
    assert seed() == {"states": 36, "specialities": 15, "SMS templates": 20}
    otp = SmsTemplate.objects.get(key="otp", language="en")
    assert (otp.text, otp.dlt_id) == ("{code}", "1" * 19)
    kerala = State.objects.get(code=32)
    assert (kerala.name, kerala.names) == ("Keralam", {"hi": "केरलम", "ml": "കേരളം"})


def test_it_adds_hindi_to_states_that_came_from_the_directory():
    State.objects.create(code=10, name="Bihar")
    seed()
    assert State.objects.get(code=10).names == {"hi": "बिहार"}


def test_it_costs_few_queries(django_assert_max_num_queries):
    seed()
    with django_assert_max_num_queries(9):
        seed()


def test_the_command_says_what_is_there(capsys):
    call_command("seed")
    assert capsys.readouterr().out == "There are 36 states, 15 specialities, 20 SMS templates.\n"
