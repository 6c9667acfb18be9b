"""May one medicine be prescribed in one case? The table of the guidelines, over rules that are data.

Telemedicine Practice Guidelines 2020, 3.7.1 to 3.7.3 (lists O, A, B and prohibited).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from consult.models import DrugRule, Mode

List, Use = DrugRule.List, DrugRule.Use
GUIDELINES = "Telemedicine Practice Guidelines 2020"


@dataclass(frozen=True)
class Circumstances:
    """What decides about one medicine in one consultation."""

    mode: str
    is_follow_up: bool  # of a visit in person: same doctor, same condition, six months
    is_refill: bool = False  # the patient has an earlier prescription of this medicine
    is_add_on: bool = False  # at follow-up, beside a medicine given in person


@dataclass(frozen=True)
class ListRule:
    """One rule of a formulary that is in force."""

    list: str
    use: str
    video_only: bool
    source: str
    note: str = ""
    effective_from: str = ""

    @classmethod
    def of(cls, rule: DrugRule) -> "ListRule":
        return cls(
            list=rule.list,
            use=rule.use,
            video_only=rule.video_only,
            source=rule.source,
            note=rule.note,
            effective_from=rule.effective_from.isoformat(),
        )

    def as_kept(self) -> dict[str, Any]:
        """As it stands with an issued prescription."""
        return {
            "list": self.list,
            "use": self.use,
            "video_only": self.video_only,
            "source": self.source,
            "note": self.note,
            "effective_from": self.effective_from,
        }


@dataclass(frozen=True)
class Refusal:
    """Why one medicine may not be issued. Its words are in the language of who reads them."""

    code: str  # prohibited, unknown, withdrawn, video_only, refill_only, add_on_only
    medicine: str
    source: str = GUIDELINES
    note: str = ""

    @property
    def sentence(self) -> str:
        return {
            "prohibited": _("%(medicine)s may never be prescribed by telemedicine."),
            "unknown": _("%(medicine)s is not classified by the formulary committee."),
            "withdrawn": _("%(medicine)s was withdrawn from the formulary."),
            "video_only": _("%(medicine)s is new for the patient and needs a video consultation."),
            "refill_only": _("%(medicine)s may only be continued, not begun, by telemedicine."),
            "add_on_only": _(
                "%(medicine)s may only be added at follow-up of a visit in person, to a medicine"
                " given there."
            ),
        }[self.code] % {"medicine": self.medicine}

    @property
    def instead(self) -> str:
        """What is possible instead."""
        return {
            "prohibited": _("Advise a visit in person, or choose a medicine of lists O or A."),
            "unknown": _("Choose another medicine, or ask the committee to classify this one."),
            "withdrawn": _("Choose another medicine."),
            "video_only": _(
                "Talk by video, or record the earlier prescription if the patient takes it already."
            ),
            "refill_only": _(
                "Record the earlier prescription that you have seen, or advise a visit in person."
            ),
            "add_on_only": _(
                "Link your visit in person of the last six months for this condition, with the"
                " medicine given then, or advise a visit in person."
            ),
        }[self.code]

    @property
    def rule(self) -> str:
        return {
            "prohibited": _("List of prohibited medicines"),
            "unknown": _("Only classified medicines"),
            "withdrawn": _("Only medicines of the formulary"),
            "video_only": _("List A, first prescription"),
            "refill_only": _("List A, continuation"),
            "add_on_only": _("List B"),
        }[self.code]


def decide(rules: Iterable[ListRule], here: Circumstances, medicine: str) -> ListRule | Refusal:
    """The rule that allows it, the least demanding first; or the refusal that helps most."""
    by_list = sorted(rules, key=lambda rule: ("XOAB".index(rule.list), rule.use != Use.REFILL))
    if not by_list:
        return Refusal("unknown", medicine, source=GUIDELINES)
    if by_list[0].list == List.PROHIBITED:
        return Refusal("prohibited", medicine, by_list[0].source, by_list[0].note)
    allowed = [rule for rule in by_list if _allows(rule, here)]
    return allowed[0] if allowed else _closest(by_list, medicine)


def _allows(rule: ListRule, here: Circumstances) -> bool:
    if rule.use == Use.REFILL:
        return rule.list == List.A and here.is_refill
    if rule.use == Use.ADD_ON:
        return rule.list == List.B and here.is_follow_up and here.is_add_on
    if rule.list == List.A:
        return here.mode == Mode.VIDEO
    return rule.list == List.O and (not rule.video_only or here.mode == Mode.VIDEO)


def _closest(rules: list[ListRule], medicine: str) -> Refusal:
    """Of several rules that do not fit, the one that is easiest to satisfy."""
    by_use = {rule.use: rule for rule in rules}
    for use, code in [
        (Use.FIRST, "video_only"),
        (Use.REFILL, "refill_only"),
        (Use.ADD_ON, "add_on_only"),
    ]:
        if use in by_use:
            return Refusal(code, medicine, by_use[use].source, by_use[use].note)
    raise AssertionError("Every rule has a use, but for the prohibited.")
