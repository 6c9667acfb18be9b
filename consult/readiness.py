"""Whether a health centre's case may go out to a clinic, and if not, everything that is in the way.

The published evidence of what goes wrong (Lancet Regional Health SE Asia 2024: two thirds to the
wrong speciality, 13.5% of only a few words, patients not there) is what these gates are for. Each
has a plain reason; none refuses silently. The words for people stand with the page that shows them.
"""

import json
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

from django.utils import timezone

from accounts.models import Speciality
from consult.models import Consultation, FollowUp, Observation, Referral
from consult.of_consultation import ATTACHMENTS, OBSERVATIONS
from queues.models import Clinic

VAGUE_WORDS = Path(__file__).parent / "data" / "vague_words.json"
ADVICE_LASTS = timedelta(days=90)  # a doctor's referral opens the specialist's door so long
# What a whole case says: these of the words, and these vital signs.
WORDS_ASKED = [
    "complaint",
    "since",
    "history",
    "allergies",
    "medicines",
    "examination",
    "impression",
]
VITALS_ASKED = ["temperature", "pulse", "respiration", "spo2", "systolic", "weight"]


@dataclass(frozen=True)
class Attested:
    """What the health worker says at the moment of sending."""

    consent_given: bool
    patient_is_present: bool


Measured = list[Observation]


def obstacles(
    consultation: Consultation, clinic: Clinic, said: Attested, measured: Measured | None = None
) -> list[str]:
    """Codes of all that is in the way, in the order in which a person would mend it.

    `measured` are the vital signs, where they are known already.
    vague, no_vitals: the case is not complete (an emergency goes out without).
    implausible: not for this age or sex. general_first: a general doctor is asked first.
    no_consent, not_present: not attested.
    """
    found = [] if consultation.is_emergency else _gaps(consultation, measured)
    if not suits(clinic, consultation):
        found.append("implausible")
    elif needs_general_first(consultation, clinic.speciality):
        found.append("general_first")
    if not said.consent_given:
        found.append("no_consent")
    if not said.patient_is_present:
        found.append("not_present")
    return found


def _gaps(consultation: Consultation, measured: Measured | None) -> list[str]:
    gaps = []
    if is_vague(consultation.complaint):
        gaps.append("vague")
    if not _known(consultation, measured):
        gaps.append("no_vitals")
    return gaps


def is_vague(complaint: str) -> bool:
    """One word alone, or nothing but words that say that somebody is ill, but not how."""
    words = _words(complaint)
    return len(words) < 2 or set(words) <= _vague_words()


def _words(text: str) -> list[str]:
    """In lower case, without punctuation; marks of Indian scripts belong to their letters."""
    kept = (
        char if char.isalnum() or unicodedata.category(char)[0] == "M" else " "
        for char in unicodedata.normalize("NFC", text.lower())
    )
    return [word for word in "".join(kept).split() if any(char.isalpha() for char in word)]


@cache
def _vague_words() -> frozenset[str]:
    by_language: dict[str, list[str]] = json.loads(VAGUE_WORDS.read_text(encoding="utf-8"))
    return frozenset(
        unicodedata.normalize("NFC", word) for words in by_language.values() for word in words
    )


def suits(clinic: Clinic, consultation: Consultation) -> bool:
    """Whether age and sex are right for the speciality, and for this clinic of it."""
    patient = consultation.patient
    return clinic.speciality.suits(patient) and clinic.serves_patient(patient)


def needs_general_first(consultation: Consultation, speciality: Speciality) -> bool:
    """A specialist is asked on a follow-up of that speciality, on a doctor's advice, or in an emergency.

    The state may do without this rule (State.general_first).
    """
    facility = consultation.facility
    if facility is None or not facility.state.general_first:
        return False
    if speciality.is_general or consultation.is_emergency:
        return False
    return not (
        _is_follow_up(consultation.follow_up_of, speciality)
        or _is_sent_on(consultation.continues, speciality)
        or _is_referred(consultation, speciality)
    )


def _is_follow_up(follow_up: FollowUp | None, speciality: Speciality) -> bool:
    """The specialist who saw the patient wants to see how it went."""
    return follow_up is not None and follow_up.consultation.clinic.speciality_id == speciality.pk


def _is_sent_on(earlier: Consultation | None, speciality: Speciality) -> bool:
    """A doctor returned the case and said that this speciality is right for it."""
    suggested = earlier.suggested_clinic if earlier else None
    return suggested is not None and suggested.speciality_id == speciality.pk


def _is_referred(consultation: Consultation, speciality: Speciality) -> bool:
    recent = Referral.objects.filter(
        consultation__patient=consultation.patient,
        speciality=speciality,
        issued_at__gt=timezone.now() - ADVICE_LASTS,
    )
    return recent.exists()


def _known(consultation: Consultation, measured: Measured | None) -> Measured:
    return OBSERVATIONS.all(consultation=consultation.pk) if measured is None else measured


def completeness(consultation: Consultation, measured: Measured | None = None) -> int:
    """Percent of what a whole case says that this one says; a photo or report counts too."""
    kinds = {row.kind for row in _known(consultation, measured)}
    there = [bool(getattr(consultation, name)) for name in WORDS_ASKED]
    there += [kind in kinds for kind in VITALS_ASKED]
    there.append(ATTACHMENTS.is_there_of(consultation))
    return round(100 * sum(there) / len(there))
