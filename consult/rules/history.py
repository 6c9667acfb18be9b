"""What came before a consultation: a visit in person, an earlier prescription."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from django.db.models import BigAutoField, DateField

from consult.models import (
    Consultation,
    Drug,
    DrugRule,
    InPersonVisit,
    Prescription,
    PrescriptionLine,
)
from consult.models.formulary import name_key
from consult.models.history import six_months_before
from consult.of_consultation import PAPERS, follow_up_of
from consult.rules.formulary import drugs_named
from consult.rules.lists import Circumstances, ListRule
from esanjeevani.sql.composed import Columns


def _generics(patient: Any, since: Any, but: Any) -> Any:
    """On the patient's prescriptions in force, of other consultations."""
    lines = PrescriptionLine.objects.filter(
        prescription__consultation__patient=patient,
        prescription__state=Prescription.State.ISSUED,
        prescription__issued_at__date__gte=since,
    ).exclude(prescription__consultation=but)
    return lines.order_by("generic").values_list("generic").distinct()


GENERICS_BEFORE = Columns(_generics, patient=BigAutoField(), since=DateField(), but=BigAutoField())


@dataclass
class History:
    """For one consultation on one day. Each part is read when somebody asks for it."""

    consultation: Consultation
    mode: str
    diagnosis: str
    day: date

    @cached_property
    def visit(self) -> InPersonVisit | None:
        """The one followed up, if it counts."""
        return visit_that_counts(self.consultation, diagnosis=self.diagnosis, day=self.day)

    @cached_property
    def refills(self) -> frozenset[int]:
        """Drugs with an earlier prescription."""
        return frozenset(drug.pk for drug in self._known.values())

    @cached_property
    def given_in_person(self) -> frozenset[int]:
        """Drugs given at that visit."""
        names = {name_key(name) for name in self._given}
        return frozenset(drug.pk for key, drug in self._known.items() if key in names)

    @property
    def _given(self) -> list[str]:
        return self.visit.generics if self.visit else []

    @cached_property
    def _known(self) -> dict[str, Drug]:
        seen = [
            paper.generic
            for paper in PAPERS.all(consultation=self.consultation.pk)
            if paper.is_recent(self.day)
        ]
        issued = _issued_before(self.consultation, self.day)
        return drugs_named([*self._given, *seen, *issued])

    def circumstances_of(self, drug: Drug, rules: list[ListRule]) -> Circumstances:
        """As far as the rules ask for them: a new medicine is one whatever came before."""
        if all(rule.use == DrugRule.Use.FIRST for rule in rules):
            return Circumstances(mode=self.mode, is_follow_up=False)
        return Circumstances(
            mode=self.mode,
            is_follow_up=self.visit is not None,
            is_refill=drug.pk in self.refills,
            is_add_on=bool(self.given_in_person - {drug.pk}),
        )


def visit_that_counts(
    consultation: Consultation, *, diagnosis: str, day: date
) -> InPersonVisit | None:
    """The linked visit in person: same doctor, same patient, same condition, within six months."""
    link = follow_up_of(consultation)
    if link is None:
        return None
    visit = link.visit
    counts = (
        visit.doctor_id == consultation.doctor_id
        and visit.patient_id == consultation.patient_id
        and visit.is_recent(day)
        and names_condition(diagnosis, visit.condition)
    )
    return visit if counts else None


def names_condition(diagnosis: str, condition: str) -> bool:
    """Whether the diagnosis has every word of the condition that was seen in person."""
    return set(name_key(condition).split()) <= set(name_key(diagnosis).replace(",", " ").split())


def _issued_before(consultation: Consultation, day: date) -> list[str]:
    """Generics on the patient's prescriptions in force, of other consultations of six months."""
    found = GENERICS_BEFORE.columns(
        patient=consultation.patient_id, since=six_months_before(day), but=consultation.pk
    )
    return [generic for (generic,) in found]
