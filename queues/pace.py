"""How fast each clinic's doctors get on, learned from its own last calls."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.core.cache import cache
from django.db.models import BigAutoField, DateTimeField, F, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from esanjeevani.sql.any_of import ALL_SIZES, AnyOf
from queues.models import Clinic, Token
from queues.wait import LAST_CALLS, Call, Pace, learn

LEARN_FROM = timedelta(days=2)
REMEMBERED = 30  # seconds: a pace does not change with every patient


def _ended_last(clinics: list[Any], since: Any) -> "QuerySet[Token, tuple[Any, ...]]":
    """Each clinic's calls that ended last, in the order of the clinics."""
    newest = Window(RowNumber(), partition_by=F("clinic_id"), order_by=F("ended_at").desc())
    ended = Token.objects.filter(
        clinic__id__in=clinics,
        state__in=[Token.State.DONE, Token.State.NO_SHOW],
        called_at__gte=since,
    )
    rows = ended.annotate(newest=newest).filter(newest__lte=LAST_CALLS).order_by("clinic_id")
    return rows.values_list(
        "clinic_id", "doctor_id", "issued_at", "called_at", "ended_at", "priority"
    )


ENDED_LAST = AnyOf(_ended_last, BigAutoField(), sizes=ALL_SIZES, since=DateTimeField())


def paces(clinics: Iterable[Clinic]) -> dict[int, Pace]:
    """The pace of each clinic, in one query for those that are not remembered."""
    clinics = list(clinics)
    keys = {clinic.pk: f"pace-{clinic.pk}" for clinic in clinics}
    known = cache.get_many(keys.values())
    missing = [clinic for clinic in clinics if keys[clinic.pk] not in known]
    if missing:
        fresh = {keys[pk]: pace for pk, pace in _learned(missing).items()}
        known |= fresh
        cache.set_many(fresh, REMEMBERED)
    return {clinic.pk: known[keys[clinic.pk]] for clinic in clinics}


def _learned(clinics: list[Clinic]) -> dict[int, Pace]:
    since = timezone.now() - LEARN_FROM
    ended = ENDED_LAST.columns([clinic.pk for clinic in clinics], since=since)
    calls = {clinic: [row[1:] for row in rows] for clinic, rows in groupby(ended, _clinic)}
    return {
        clinic.pk: learn(
            [_call(*row) for row in calls.get(clinic.pk, [])],
            usual_seconds=clinic.usual_minutes * 60,
        )
        for clinic in clinics
    }


def _clinic(row: tuple[Any, ...]) -> int:
    return int(row[0])


def _call(doctor: int, issued: datetime, called: datetime, ended: datetime, priority: int) -> Call:
    return Call(doctor, issued.timestamp(), called.timestamp(), ended.timestamp(), priority)
