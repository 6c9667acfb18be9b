"""What the API reads and answers about notes and prescriptions, and what the rules say of them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api.base import Input
from consult.api.shapes import words
from consult.models import Dispensing, MedicineSet, Prescription, PrescriptionLine
from consult.rules.dose import quantity_of


class LineShape(Input):
    """One medicine as the doctor writes it."""

    generic = serializers.CharField(max_length=120, help_text="By generic name.")
    form = serializers.ChoiceField(choices=PrescriptionLine.Form.choices)
    strength = serializers.CharField(max_length=40)
    dose = serializers.CharField(max_length=40, help_text="1-0-1 or in words.")
    frequency = serializers.ChoiceField(
        choices=PrescriptionLine.Frequency.choices,
        required=False,
        help_text="May be left out when the dose says it, as 1-0-1 does.",
    )
    days = serializers.IntegerField(min_value=1, max_value=180)
    quantity = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=9999,
        help_text="How many in all; left out, it follows from dose and days.",
    )
    instructions = words(160)


class ReasonShape(Input):
    key = serializers.CharField(max_length=80, help_text="Of the warning, as `rules` named it.")
    reason = serializers.CharField(max_length=300, help_text="Why it is prescribed all the same.")


class LinesInput(Input):
    lines = LineShape(many=True, max_length=Prescription.MAX_LINES)  # type: ignore[call-arg]
    reasons = ReasonShape(many=True, required=False)


class RefusalOutput(serializers.Serializer[Any]):
    """Why one medicine may not be issued, by which rule, and what is possible instead."""

    code = serializers.ChoiceField(
        choices=["prohibited", "unknown", "withdrawn", "video_only", "refill_only", "add_on_only"]
    )
    medicine = serializers.CharField()
    sentence = serializers.CharField()
    rule = serializers.CharField(help_text="The rule's name.")
    source = serializers.CharField(help_text="Where the rule stands.")  # type: ignore[assignment]
    note = serializers.CharField()
    instead = serializers.CharField(help_text="What is possible instead.")


class WarningOutput(serializers.Serializer[Any]):
    """Help to look, not a decision: it may be overridden with a reason."""

    key = serializers.CharField(help_text="Send it with the reason in `reasons`.")
    words = serializers.CharField()
    reason = serializers.CharField(default="", help_text="What the doctor gave; empty before.")


class RulesOutput(serializers.Serializer[Any]):
    """What the rules say of a draft as it would be issued now."""

    consult_type = serializers.ChoiceField(choices=["first", "follow_up"])
    refusals = RefusalOutput(many=True, help_text="While there is one, nothing is issued.")
    warnings = WarningOutput(many=True, help_text="Each needs a reason before it is issued.")


class DrugOutput(serializers.Serializer[Any]):
    generic = serializers.CharField()
    name = serializers.CharField(help_text="The name that was found.")
    form = serializers.CharField(source="product.form", default="")
    strength = serializers.CharField(source="product.strength", default="")
    rule = serializers.CharField(help_text="What the rules say of it, in a few words.")


class NoteInput(Input):
    findings = words(4000)
    diagnosis = words(300)
    icd10 = words(8, help_text="An ICD-10 code, if one was chosen; the words always count.")
    is_provisional = serializers.BooleanField(default=True)
    tests = words(1000)
    advice = words(2000)
    red_flags = words(1000, help_text="When the patient is to come back at once.")
    follow_up_on = serializers.DateField(required=False, allow_null=True)


class NoteOutput(serializers.Serializer[Any]):
    findings = serializers.CharField()
    diagnosis = serializers.CharField()
    icd10 = serializers.CharField()
    icd10_title = serializers.CharField()
    is_provisional = serializers.BooleanField()
    tests = serializers.CharField()
    advice = serializers.CharField()
    red_flags = serializers.CharField()
    follow_up_on = serializers.DateField(allow_null=True)


class MedicineOutput(serializers.Serializer[PrescriptionLine]):
    """One medicine as it stands in a prescription."""

    position = serializers.IntegerField()
    generic = serializers.CharField()
    form = serializers.CharField()
    strength = serializers.CharField()
    dose = serializers.CharField()
    frequency = serializers.CharField()
    days = serializers.IntegerField()
    quantity = serializers.SerializerMethodField(help_text="Null where nothing can be counted.")
    instructions = serializers.CharField()
    given = serializers.ChoiceField(
        choices=Dispensing.Given.choices,
        source="dispensing.given",
        default=None,
        allow_null=True,
        help_text="What a health centre gave out; null before.",
    )

    def get_quantity(self, line: PrescriptionLine) -> int | None:
        return line.quantity or quantity_of(line.form, line.dose, line.frequency, line.days)


def _said(name: str, **how: Any) -> serializers.CharField:
    """As it was frozen at issue; empty in a draft."""
    return serializers.CharField(source=f"document.{name}", default="", **how)


class PrescriptionOutput(serializers.Serializer[Prescription]):
    uid = serializers.UUIDField()
    state = serializers.ChoiceField(choices=Prescription.State.choices)
    version = serializers.IntegerField()
    number = serializers.CharField()
    check_code = serializers.CharField(source="spaced_code")
    issued_at = serializers.DateTimeField(allow_null=True)
    has_pdf = serializers.SerializerMethodField()
    mode = _said("mode", help_text="What happened: video, audio or text.")
    consult_type = _said("consult_type")
    diagnosis = _said("diagnosis")
    tests = _said("tests")
    advice = _said("advice")
    red_flags = _said("red_flags", help_text="When to come back at once.")
    follow_up_on = _said("follow_up_on", help_text="A day, or empty.")
    lines = serializers.SerializerMethodField()

    def get_has_pdf(self, prescription: Prescription) -> bool:
        return bool(prescription.pdf)

    @extend_schema_field(MedicineOutput(many=True))
    def get_lines(self, prescription: Prescription) -> Any:
        lines: Any = prescription.lines.select_related("dispensing")
        return MedicineOutput(lines, many=True).data


class DraftOutput(PrescriptionOutput):
    """A draft, and what the rules say of it now."""

    rules = RulesOutput()


class SetInput(Input):
    name = serializers.CharField(max_length=60)
    lines = LineShape(many=True, min_length=1, max_length=Prescription.MAX_LINES)  # type: ignore[call-arg]


class SetOutput(serializers.Serializer[MedicineSet]):
    """Medicines that one doctor often writes together."""

    uid = serializers.UUIDField()
    name = serializers.CharField()
    lines = LineShape(many=True)


class UseSetInput(Input):
    set = serializers.UUIDField()


class CodeOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    title = serializers.CharField()
