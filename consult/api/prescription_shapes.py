"""What the API reads and answers about notes and prescriptions, and what the rules say of them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api.reading import Input
from consult.api.shapes import words
from consult.models import Dispensing, MedicineSet, Prescription, PrescriptionLine
from consult.rules.dose import quantity_of


class LineShape(Input):
    """One medicine as the doctor writes it."""

    generic = serializers.CharField(max_length=120, help_text="By generic name.")
    form = serializers.ChoiceField(
        choices=PrescriptionLine.Form.choices, help_text="What it comes as."
    )
    strength = serializers.CharField(max_length=40, help_text="Such as `500 mg`.")
    dose = serializers.CharField(max_length=40, help_text="1-0-1 or in words.")
    frequency = serializers.ChoiceField(
        choices=PrescriptionLine.Frequency.choices,
        required=False,
        help_text="May be left out when the dose says it, as 1-0-1 does.",
    )
    days = serializers.IntegerField(min_value=1, max_value=180, help_text="For how many days.")
    quantity = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=9999,
        help_text="How many in all; left out, it follows from dose and days.",
    )
    instructions = words(160, help_text="Such as `after food`; may be left out.")


class ReasonShape(Input):
    """Why a warning is overridden."""

    key = serializers.CharField(max_length=80, help_text="Of the warning, as `rules` named it.")
    reason = serializers.CharField(max_length=300, help_text="Why it is prescribed all the same.")


class LinesInput(Input):
    """The medicines of a draft, all of them."""

    lines = LineShape(
        many=True,
        max_length=Prescription.MAX_LINES,
        help_text="In the order of printing; none: the draft goes.",
    )  # type: ignore[call-arg]
    reasons = ReasonShape(
        many=True, required=False, help_text="For warnings that the doctor overrides."
    )


class RefusalOutput(serializers.Serializer[Any]):
    """Why one medicine may not be issued, by which rule, and what is possible instead."""

    code = serializers.ChoiceField(
        choices=[
            ("prohibited", "never by telemedicine"),
            ("unknown", "not classified by the formulary committee"),
            ("withdrawn", "withdrawn from the formulary"),
            ("video_only", "new for the patient: needs a video consultation"),
            ("refill_only", "may be continued, not begun"),
            ("add_on_only", "only added at follow-up of a visit in person"),
        ],
        help_text="Why, for programs.",
    )
    medicine = serializers.CharField(help_text="By generic name.")
    sentence = serializers.CharField(help_text="Why, for people.")
    rule = serializers.CharField(help_text="The rule's name.")
    source = serializers.CharField(help_text="Where the rule stands.")  # type: ignore[assignment]
    note = serializers.CharField(help_text="The rule's own remark; may be empty.")
    instead = serializers.CharField(help_text="What is possible instead.")


class WarningOutput(serializers.Serializer[Any]):
    """Help to look, not a decision: it may be overridden with a reason."""

    key = serializers.CharField(help_text="Send it with the reason in `reasons`.")
    words = serializers.CharField(help_text="What to look at, for people.")
    reason = serializers.CharField(default="", help_text="What the doctor gave; empty before.")


class RulesOutput(serializers.Serializer[Any]):
    """What the rules say of a draft as it would be issued now."""

    consult_type = serializers.ChoiceField(
        choices=[("first", "First consultation"), ("follow_up", "Follow-up of a visit")],
        help_text="More is possible at a follow-up.",
    )
    refusals = RefusalOutput(many=True, help_text="While there is one, nothing is issued.")
    warnings = WarningOutput(many=True, help_text="Each needs a reason before it is issued.")


class DrugOutput(serializers.Serializer[Any]):
    """One way to write a medicine."""

    generic = serializers.CharField(help_text="Its generic name.")
    name = serializers.CharField(help_text="The name that was found.")
    form = serializers.CharField(
        source="product.form",
        default="",
        help_text="What it comes as, as a medicine's `form`; empty where none is listed.",
    )
    strength = serializers.CharField(
        source="product.strength",
        default="",
        help_text="Such as `500 mg`; empty where none is listed.",
    )
    rule = serializers.CharField(help_text="What the rules say of it, in a few words.")


class NoteInput(Input):
    """What the doctor found and advises."""

    findings = words(4000, help_text="What was seen, heard and asked.")
    diagnosis = words(300, help_text="In words; needed before a prescription is issued.")
    icd10 = words(8, help_text="An ICD-10 code, if one was chosen; the words always count.")
    is_provisional = serializers.BooleanField(
        default=True, help_text="The diagnosis is not certain yet."
    )
    tests = words(1000, help_text="To be done.")
    advice = words(2000, help_text="For the patient, beside medicines.")
    red_flags = words(1000, help_text="When the patient is to come back at once.")
    follow_up_on = serializers.DateField(
        required=False,
        allow_null=True,
        help_text="When to be seen again, `YYYY-MM-DD`; null for no day.",
    )


class NoteOutput(serializers.Serializer[Any]):
    """What the doctor found and advises."""

    findings = serializers.CharField(help_text="What was seen, heard and asked; may be empty.")
    diagnosis = serializers.CharField(help_text="In words; may be empty.")
    icd10 = serializers.CharField(help_text="Code of the diagnosis; empty where none was chosen.")
    icd10_title = serializers.CharField(
        help_text="Title of that code; empty where none was chosen."
    )
    is_provisional = serializers.BooleanField(help_text="The diagnosis is not certain yet.")
    tests = serializers.CharField(help_text="To be done; may be empty.")
    advice = serializers.CharField(help_text="For the patient, beside medicines; may be empty.")
    red_flags = serializers.CharField(
        help_text="When the patient is to come back at once; may be empty."
    )
    follow_up_on = serializers.DateField(
        allow_null=True, help_text="When to be seen again; null for no day."
    )


class MedicineOutput(serializers.Serializer[PrescriptionLine]):
    """One medicine as it stands in a prescription."""

    position = serializers.IntegerField(help_text="From 1, in the order of printing.")
    generic = serializers.CharField(help_text="By generic name.")
    form = serializers.CharField(help_text="What it comes as, such as `tablet`.")
    strength = serializers.CharField(help_text="Such as `500 mg`.")
    dose = serializers.CharField(help_text="1-0-1 or in words.")
    frequency = serializers.CharField(help_text="How often, as a code such as `bd`.")
    days = serializers.IntegerField(help_text="For how many days.")
    quantity = serializers.SerializerMethodField(help_text="Null where nothing can be counted.")
    instructions = serializers.CharField(help_text="Such as `after food`; may be empty.")
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
    """One version of a consultation's prescription."""

    uid = serializers.UUIDField(help_text="Id of the prescription.")
    state = serializers.ChoiceField(
        choices=Prescription.State.choices,
        help_text="How far it is; what was issued is never changed, only replaced.",
    )
    version = serializers.IntegerField(help_text="From 1; a correction is the next one.")
    number = serializers.CharField(help_text="As it is printed; empty in a draft.")
    check_code = serializers.CharField(
        source="spaced_code",
        help_text="With it `GET prescriptions/check/` says whether a paper is true.",
    )
    issued_at = serializers.DateTimeField(
        allow_null=True, help_text="When it was signed; null in a draft."
    )
    has_pdf = serializers.SerializerMethodField(help_text="The signed PDF is ready to fetch.")
    mode = _said("mode", help_text="What happened: video, audio or text.")
    consult_type = _said("consult_type", help_text="`first` or `follow_up`; empty in a draft.")
    diagnosis = _said("diagnosis", help_text="As it is printed; empty in a draft.")
    tests = _said("tests", help_text="To be done; may be empty.")
    advice = _said("advice", help_text="For the patient, beside medicines; may be empty.")
    red_flags = _said("red_flags", help_text="When to come back at once.")
    follow_up_on = _said("follow_up_on", help_text="A day, or empty.")
    lines = serializers.SerializerMethodField(help_text="The medicines, in order.")

    def get_has_pdf(self, prescription: Prescription) -> bool:
        return bool(prescription.pdf)

    @extend_schema_field(MedicineOutput(many=True))
    def get_lines(self, prescription: Prescription) -> Any:
        lines: Any = prescription.lines.select_related("dispensing")
        return MedicineOutput(lines, many=True).data


class DraftOutput(PrescriptionOutput):
    """A draft, and what the rules say of it now."""

    rules = RulesOutput(help_text="What stands in the way of issuing it now.")


class SetInput(Input):
    """Medicines to keep as a set."""

    name = serializers.CharField(max_length=60, help_text="The doctor's own name for it.")
    lines = LineShape(
        many=True,
        min_length=1,
        max_length=Prescription.MAX_LINES,
        help_text="At least one medicine.",
    )  # type: ignore[call-arg]


class SetOutput(serializers.Serializer[MedicineSet]):
    """Medicines that one doctor often writes together."""

    uid = serializers.UUIDField(help_text="Id of the set.")
    name = serializers.CharField(help_text="The doctor's own name for it.")
    lines = LineShape(many=True, help_text="Its medicines, in order.")


class UseSetInput(Input):
    """Which set is added to the draft."""

    set = serializers.UUIDField(help_text="Id of a set, as `GET medicine-sets/` gives it.")


class CodeOutput(serializers.Serializer[Any]):
    """A code of the ICD-10."""

    code = serializers.CharField(help_text="Such as `J03.9`.")
    title = serializers.CharField(help_text="In English.")
