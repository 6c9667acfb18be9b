"""A token is in exactly one state and moves only as its table says; the database agrees."""

from datetime import timedelta

import pytest
from django.utils import timezone

from queues.models import MoveRefused, Token
from tests.constraints import taken
from tests.factories import a_clinic, a_doctor, a_patient

pytestmark = pytest.mark.django_db

# What each verb does, from which state: design.md, section 3.
VERBS = {
    "call": {"waiting": "called"},
    "answer": {"called": "serving"},
    "finish": {"serving": "done"},
    "leave": {"waiting": "left", "called": "left", "serving": "left"},
    "expire": {"waiting": "expired"},
    "pass_over": {"called": "waiting"},
    "put_back": {"serving": "waiting"},
    "move": {"waiting": "moved", "serving": "moved"},
}
SECOND_PASS = {"called": "no_show"}
ENDED = {"done", "no_show", "left", "moved", "expired"}


def a_token(state: str = "waiting", **fields) -> Token:
    """A row in `state` with the fields that this state must have."""
    now = timezone.now()
    called = {"doctor": a_doctor(), "called_at": now} if state in {"called", "serving"} else {}
    if state in {"done", "no_show"}:
        called = {"doctor": a_doctor(), "called_at": now}
    return Token.objects.create(
        **{
            "clinic": fields.get("clinic") or a_clinic(),
            "day": timezone.localdate(),
            "number": 1,
            "patient": fields.get("patient") or a_patient(),
            "state": state,
            "ended_at": now if state in ENDED else None,
            **called,
            **fields,
        }
    )


def do(verb: str, token: Token) -> None:
    given = {"call": a_doctor, "move": lambda: a_token(number=2)}
    getattr(token, verb)(*([given[verb]()] if verb in given else []))


def test_the_table_of_moves_is_the_verbs_and_no_more():
    told = [*VERBS.values(), SECOND_PASS]
    moves = {(old, new) for verb in told for old, new in verb.items()}
    assert {(old, new) for old, news in Token.NEXT.items() for new in news} == moves
    assert set(Token.NEXT) == set(Token.State.values)


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_moves_a_token_from_its_states_and_no_other(verb: str):
    for state in Token.State.values:
        token = a_token(state)
        before = Token.objects.values().get(pk=token.pk)
        if state in VERBS[verb]:
            do(verb, token)
            assert Token.objects.get(pk=token.pk).state == token.state == VERBS[verb][state]
        else:
            with pytest.raises(MoveRefused):
                do(verb, token)
            assert Token.objects.values().get(pk=token.pk) == before


def test_a_move_is_refused_when_somebody_else_was_faster():
    mine = a_token("called")
    theirs = Token.objects.get(pk=mine.pk)
    theirs.answer()
    with pytest.raises(MoveRefused):
        mine.pass_over()
    assert Token.objects.get(pk=mine.pk).state == "serving"


def test_a_call_says_who_and_when_and_until_when_it_must_be_answered():
    token = a_token(clinic=a_clinic(call_window=90))
    rao = a_doctor()
    assert token.answer_by is None
    token.call(rao)
    assert token.doctor == rao
    assert token.answer_by == token.called_at + timedelta(seconds=90)
    token.answer()
    assert token.answer_by is None


def test_the_first_call_that_is_missed_keeps_the_place_the_second_loses_it():
    token = a_token("called", number=7)
    token.pass_over()
    assert (token.state, token.number, token.yields, token.doctor) == ("waiting", 7, True, None)
    token.call(a_doctor())
    assert token.yields is False
    token.pass_over()
    assert (token.state, token.passes) == ("no_show", 2)


def test_who_came_in_starts_again_with_no_missed_call():
    token = a_token("called", passes=1)
    token.answer()
    assert Token.objects.get(pk=token.pk).passes == 0


# --- what the database keeps --------------------------------------------------------------------
def test_a_number_is_given_once_a_day_in_a_clinic():
    clinic, tomorrow = a_clinic(), timezone.localdate() + timedelta(days=1)
    assert taken(a_token, clinic=clinic, number=5) is True
    assert taken(a_token, clinic=clinic, number=5) is False
    assert taken(a_token, clinic=clinic, number=5, day=tomorrow) is True
    assert taken(a_token, number=5) is True


@pytest.mark.parametrize("state", Token.OPEN)
def test_a_patient_has_one_open_place_in_a_clinic(state: str):
    clinic, asha = a_clinic(), a_patient()
    a_token("left", clinic=clinic, patient=asha)
    assert taken(a_token, state, clinic=clinic, patient=asha, number=2) is True
    assert taken(a_token, clinic=clinic, patient=asha, number=3) is False
    assert taken(a_token, patient=asha) is True


@pytest.mark.parametrize("state", Token.HELD)
def test_a_doctor_has_one_patient_and_a_patient_one_doctor(state: str):
    rao, asha = a_doctor(), a_patient()
    a_token("done", doctor=rao, patient=asha)
    assert taken(a_token, state, doctor=rao, patient=asha) is True
    assert taken(a_token, "called", doctor=rao) is False
    assert taken(a_token, "serving", patient=asha) is False
    assert taken(a_token, "waiting", patient=asha) is True


@pytest.mark.parametrize("state", Token.State.values)
def test_who_was_called_has_a_doctor_and_a_time(state: str):
    needs = state in {"called", "serving", "done", "no_show"}
    assert taken(a_token, state) is True
    assert taken(a_token, state, doctor=None) is not needs
    assert taken(a_token, state, called_at=None) is not needs


@pytest.mark.parametrize("state", Token.State.values)
def test_what_has_ended_says_when_and_nothing_else_does(state: str):
    assert taken(a_token, state, ended_at=None) is (state not in ENDED)
    assert taken(a_token, state, ended_at=timezone.now()) is (state in ENDED)
