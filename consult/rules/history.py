"""What came before a consultation: a visit in person, an earlier prescription."""

from dataclasses import dataclass
from datetime import date

from consult.models import (
    Consultation,
    Drug,
    InPersonVisit,
    Prescription,
    PrescriptionLine,
)
from consult.models.formulary import name_key
from consult.models.history import six_months_before
from consult.of_consultation import FOLLOWED_UP, PAPERS
from consult.rules.lists import Circumstances


@dataclass(frozen=True)
class History:
    """For one consultation on one day."""

    mode: str
    visit: InPersonVisit | None  # the one followed up, if it counts
    refills: frozenset[int]  # drugs with an earlier prescription
    given_in_person: frozenset[int]  # drugs given at that visit

    def circumstances_of(self, drug: Drug) -> Circumstances:
        return Circumstances(
            mode=self.mode,
            is_follow_up=self.visit is not None,
            is_refill=drug.pk in self.refills,
            is_add_on=bool(self.given_in_person - {drug.pk}),
        )


def history_of(consultation: Consultation, *, mode: str, diagnosis: str, day: date) -> History:
    visit = visit_that_counts(consultation, diagnosis=diagnosis, day=day)
    given = visit.generics if visit else []
    on_paper = [
        paper.generic for paper in PAPERS.all(consultation=consultation.pk) if paper.is_recent(day)
    ]
    issued = _issued_before(consultation, day)
    known = Drug.objects.named([*given, *on_paper, *issued])
    given_in_person = {known[name_key(name)].pk for name in given if name_key(name) in known}
    return History(
        mode=mode,
        visit=visit,
        refills=frozenset(drug.pk for drug in known.values()),
        given_in_person=frozenset(given_in_person),
    )


def visit_that_counts(
    consultation: Consultation, *, diagnosis: str, day: date
) -> InPersonVisit | None:
    """The linked visit in person: same doctor, same patient, same condition, within six months."""
    link = FOLLOWED_UP.first(consultation=consultation.pk)
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
    lines = PrescriptionLine.objects.filter(
        prescription__consultation__patient=consultation.patient_id,
        prescription__state=Prescription.State.ISSUED,
        prescription__issued_at__date__gte=six_months_before(day),
    ).exclude(prescription__consultation=consultation.pk)
    return list(lines.values_list("generic", flat=True).distinct())
