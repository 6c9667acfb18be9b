"""The formulary: which generics there are, in which forms, and what the guidelines say of each.

Only a change that two people agreed on writes these tables (consult/actions/formulary.py).
"""

from datetime import date
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.base import Labelled
from consult.models.prescriptions import PrescriptionLine


def name_key(name: str) -> str:
    """A name as it is looked up: case and spaces do not matter."""
    return " ".join(name.casefold().split())


class DrugQuerySet(models.QuerySet["Drug"]):
    def named(self, names: list[str]) -> "dict[str, Drug]":
        """By the key of each name that is known: a generic's own, another or a former one."""
        keys = {name_key(name) for name in names}
        found = DrugName.objects.filter(key__in=keys).select_related("drug")
        return {name.key: name.drug for name in found}


class Drug(models.Model):
    """One generic medicine of the formulary."""

    class Pregnancy(models.TextChoices):
        CAUTION = "caution", _("Only when needed")
        AVOID = "avoid", _("Not in pregnancy")

    generic = models.CharField(_("Generic name"), max_length=120, unique=True)
    drug_class = models.CharField("class", max_length=60, blank=True)
    pregnancy = models.CharField(max_length=8, choices=Pregnancy.choices, blank=True)
    withdrawn_on = models.DateField(
        null=True, blank=True, help_text="From this day on nobody may prescribe it."
    )
    source = models.CharField(max_length=200)

    objects = DrugQuerySet.as_manager()

    class Meta:
        ordering = ["generic"]

    def __str__(self) -> str:
        return self.generic

    def is_withdrawn(self, day: date) -> bool:
        return self.withdrawn_on is not None and self.withdrawn_on <= day


class DrugName(models.Model):
    """One name by which a generic is found: its own, a usual other one, or a former one."""

    drug = models.ForeignKey(Drug, on_delete=models.CASCADE, related_name="names")
    name = models.CharField(max_length=120)
    key = models.CharField(max_length=120, unique=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name


class Product(Labelled):
    """One form, strength and route in which a generic is given."""

    drug = models.ForeignKey(Drug, on_delete=models.CASCADE, related_name="products")
    form = models.CharField(max_length=10, choices=PrescriptionLine.Form.choices)
    strength = models.CharField(max_length=40)
    route = models.CharField(max_length=30)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["drug", "form", "strength", "route"], name="consult_product_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.drug_id}: {self.get_form_display()} {self.strength}"


class DrugRuleQuerySet(models.QuerySet["DrugRule"]):
    def in_force(self, day: date) -> "DrugRuleQuerySet":
        return self.filter(effective_from__lte=day).filter(
            Q(effective_to=None) | Q(effective_to__gte=day)
        )


class DrugRule(models.Model):
    """One thing the guidelines allow, or forbid, for one generic, from a day on.

    Lists and their cells: Telemedicine Practice Guidelines 2020, 3.7.1 to 3.7.3.
    """

    class List(models.TextChoices):
        O = "O", _("List O")  # noqa: E741 - as the guidelines name it
        A = "A", _("List A")
        B = "B", _("List B")
        PROHIBITED = "X", _("Prohibited")

    class Use(models.TextChoices):
        FIRST = "first", _("a new medicine")
        REFILL = "refill", _("continuing an existing prescription")
        ADD_ON = "add_on", _("added at follow-up")

    USES: ClassVar[dict[str, set[str]]] = {
        List.O: {Use.FIRST},
        List.A: {Use.FIRST, Use.REFILL},
        List.B: {Use.ADD_ON},
        List.PROHIBITED: {""},
    }

    drug = models.ForeignKey(Drug, on_delete=models.PROTECT, related_name="rules")
    list = models.CharField(max_length=1, choices=List.choices)
    use = models.CharField(max_length=6, choices=Use.choices, blank=True)
    video_only = models.BooleanField(default=False)
    effective_from = models.DateField()
    effective_to = models.DateField(null=True, blank=True, help_text="The last day.")
    source = models.CharField(max_length=200)
    note = models.CharField(max_length=300, blank=True)
    change = models.ForeignKey(
        "FormularyChange", on_delete=models.PROTECT, null=True, blank=True, related_name="rules"
    )

    objects = DrugRuleQuerySet.as_manager()

    class Meta:
        ordering = ["drug", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(list="O", use="first", video_only=False)
                | Q(list="A", use="first", video_only=True)
                | Q(list="A", use="refill", video_only=False)
                | Q(list="B", use="add_on", video_only=False)
                | Q(list="X", use="", video_only=False),
                name="consult_drugrule_is_a_cell_of_the_guidelines",
            ),
            models.CheckConstraint(
                condition=Q(effective_to=None) | Q(effective_to__gte=F("effective_from")),
                name="consult_drugrule_ends_after_start",
            ),
        ]
        indexes = [models.Index(fields=["drug", "effective_from"], name="consult_rule_in_force")]

    def __str__(self) -> str:
        return " ".join(filter(None, [str(self.drug), self.get_list_display(), self.use]))


class DoseRange(models.Model):
    """How much of one generic is usual in a day, in mg, for an age; by body weight where that counts."""

    drug = models.ForeignKey(Drug, on_delete=models.CASCADE, related_name="dose_ranges")
    months_from = models.PositiveSmallIntegerField("from the age of, in months")
    months_to = models.PositiveSmallIntegerField("below the age of, in months")
    low = models.DecimalField("mg a day, from", max_digits=10, decimal_places=4)
    high = models.DecimalField("mg a day, to", max_digits=10, decimal_places=4)
    per_kg = models.BooleanField("per kg of body weight", default=False)

    class Meta:
        ordering = ["months_from", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(months_to__gt=F("months_from"), high__gte=F("low"), low__gte=0),
                name="consult_doserange_goes_up",
            )
        ]

    def __str__(self) -> str:
        return (
            f"{self.low.normalize():f}-{self.high.normalize():f} mg{'/kg' if self.per_kg else ''}"
        )


class Interaction(models.Model):
    """Two generics that harm each other's patient, as the committee wrote it."""

    first = models.ForeignKey(Drug, on_delete=models.CASCADE, related_name="interactions")
    second = models.ForeignKey(Drug, on_delete=models.CASCADE, related_name="+")
    words = models.CharField(max_length=200)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="consult_interaction_once"),
            models.CheckConstraint(
                condition=~Q(first=F("second")), name="consult_interaction_of_two"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first} + {self.second}: {self.words}"


class FormularyChange(models.Model):
    """One proposal to the formulary: rows as in its CSV file, agreed on by a second person or not."""

    class State(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"

    title = models.CharField(max_length=160, help_text="What changes and why, in one line.")
    rows = models.JSONField(default=list)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PROPOSED)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    proposed_at = models.DateTimeField(default=timezone.now)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        permissions = [("approve_formularychange", "Can approve or reject a formulary change")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="proposed", decided_by=None, decided_at=None)
                | Q(state__in=["approved", "rejected"])
                & Q(decided_by__isnull=False, decided_at__isnull=False),
                name="consult_formularychange_decided_by_and_at",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("proposed_by")),
                name="consult_formularychange_two_people",
            ),
        ]

    def __str__(self) -> str:
        return self.title
