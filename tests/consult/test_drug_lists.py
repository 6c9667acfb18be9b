"""List x mode x consult type, every cell, as the guidelines' text says it; and what a refusal says."""

from itertools import product

import pytest

from consult.rules import Circumstances, ListRule, Refusal, decide

# Telemedicine Practice Guidelines 2020, 3.7.1 to 3.7.3:
# O: "can be prescribed during any mode of teleconsultation", first or follow-up.
# A, first: "during the first consult which is a video consultation"; refill: "re-prescribed for
#    re-fill", in any mode.
# B: "in a patient who is undergoing follow-up consultation in addition to those which have been
#    prescribed during in-person consult for the same medical condition", in any mode.
# Prohibited: "an RMP providing consultation via telemedicine cannot prescribe".
MODES = ("text", "audio", "video")
RULES = {
    "O": ListRule("O", "first", False, "guidelines"),
    "A first": ListRule("A", "first", True, "guidelines"),
    "A refill": ListRule("A", "refill", False, "guidelines"),
    "B": ListRule("B", "add_on", False, "guidelines"),
    "prohibited": ListRule("X", "", False, "guidelines"),
}
# What the patient's history is: consult type, an earlier prescription, something to add to.
HISTORIES = {
    "first": (False, False, False),
    "first, taken already": (False, True, False),
    "follow-up, nothing given": (True, False, False),
    "follow-up, taken already": (True, True, False),
    "follow-up, another one given": (True, False, True),
    "follow-up, both": (True, True, True),
}
ALLOWED = {
    "O": {mode: set(HISTORIES) for mode in MODES},
    "A first": {"text": set(), "audio": set(), "video": set(HISTORIES)},
    "A refill": {
        mode: {"first, taken already", "follow-up, taken already", "follow-up, both"}
        for mode in MODES
    },
    "B": {mode: {"follow-up, another one given", "follow-up, both"} for mode in MODES},
    "prohibited": {mode: set() for mode in MODES},
}
CELLS = list(product(RULES, MODES, HISTORIES))


def here(mode: str, history: str) -> Circumstances:
    is_follow_up, is_refill, is_add_on = HISTORIES[history]
    return Circumstances(mode, is_follow_up, is_refill, is_add_on)


@pytest.mark.parametrize(("rule", "mode", "history"), CELLS)
def test_each_cell_is_as_the_guidelines_say(rule: str, mode: str, history: str):
    decision = decide([RULES[rule]], here(mode, history), "Testin")
    if history in ALLOWED[rule][mode]:
        assert decision == RULES[rule]
    else:
        assert isinstance(decision, Refusal)
        assert (decision.medicine, decision.source) == ("Testin", "guidelines")


def test_there_is_a_cell_for_every_list_and_each_is_both_allowed_and_refused_somewhere():
    assert len(CELLS) == 5 * 3 * 6
    for rule in RULES:
        outcomes = {
            isinstance(decide([RULES[rule]], here(mode, history), "x"), Refusal)
            for mode, history in product(MODES, HISTORIES)
        }
        assert outcomes == (
            {True} if rule == "prohibited" else {False} if rule == "O" else {True, False}
        )


def test_prohibited_wins_over_every_other_list():
    for history, mode in product(HISTORIES, MODES):
        decision = decide(RULES.values(), here(mode, history), "Testin")
        assert isinstance(decision, Refusal)
        assert decision.code == "prohibited"


def test_what_nobody_classified_is_refused_until_somebody_does():
    decision = decide([], here("video", "follow-up, both"), "Newdrug")
    assert isinstance(decision, Refusal)
    assert decision.code == "unknown"
    assert decision.sentence == "Newdrug is not classified by the formulary committee."
    assert "ask the committee" in decision.instead


@pytest.mark.parametrize(
    ("rules", "mode", "history", "code", "instead"),
    [
        (["A first", "A refill"], "text", "first", "video_only", "Talk by video"),
        (["A refill"], "video", "first", "refill_only", "Record the earlier prescription"),
        (["B"], "video", "first", "add_on_only", "Link your visit in person"),
        (["prohibited"], "video", "first", "prohibited", "Advise a visit in person"),
    ],
)
def test_a_refusal_names_the_rule_and_what_is_possible(rules, mode, history, code, instead):
    refusal = decide([RULES[rule] for rule in rules], here(mode, history), "Testin")
    assert isinstance(refusal, Refusal)
    assert refusal.code == code
    assert "Testin" in refusal.sentence
    assert instead in refusal.instead
    assert refusal.rule
    assert refusal.source == "guidelines"


def test_a_drug_of_two_lists_takes_the_way_that_is_open():
    enalapril = [RULES["A refill"], RULES["B"]]
    assert decide(enalapril, here("text", "first, taken already"), "x") == RULES["A refill"]
    added = here("text", "follow-up, another one given")
    assert decide(enalapril, added, "x") == RULES["B"]
    assert isinstance(decide(enalapril, here("video", "first"), "x"), Refusal)
