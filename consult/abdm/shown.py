"""A page of documents from elsewhere: each may be megabytes, and its words are a few lines."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Value
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce

from accounts.models import Patient
from consult.abdm.enclosed import files_of
from consult.abdm.reading import Document, read
from consult.abdm.receiving import records_in_force

PAGE = 10  # documents
# The document's own day as its Composition, the first entry, or else the Bundle says it.
DAY = Coalesce(KT("bundle__entry__0__resource__date"), KT("bundle__timestamp"), Value(""))


@dataclass(frozen=True)
class Shown:
    """One document in words; its files are named and stay where they are."""

    uid: UUID
    until: datetime
    document: Document
    files: list[str]


def page_of(patient: Patient, skip: int) -> tuple[list[Shown], bool]:
    """The newest by their own day, after so many; whether there are older ones. Without a day comes last."""
    rows = records_in_force(patient).order_by(DAY.desc(), "pk")
    ids = list(rows.values_list("pk", flat=True)[skip : skip + PAGE + 1])
    return [one for pk in ids[:PAGE] if (one := _shown(patient, pk))], len(ids) > PAGE


def _shown(patient: Patient, pk: int) -> Shown | None:
    """Each is let go before the next is fetched. None when it was erased just now."""
    row = records_in_force(patient).filter(pk=pk).first()
    if row is None:
        return None
    names = [one.name for one in files_of(row.bundle)]
    return Shown(row.uid, row.consent.expires_at, read(row.bundle), names)
