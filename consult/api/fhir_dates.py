"""Dates in a search on the FHIR server: of each resource the time that R4 searches it by."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from consult.fhir.parts import Resource
from consult.models import Consultation


@dataclass(frozen=True)
class Time:
    """What a resource is searched by: the parameter, and from which row's columns it comes."""

    asked_as: str
    start: str
    end: str


TIMES = {
    "Encounter": Time("date", "started_at", "ended_at"),  # its period, open until it ends
    "Observation": Time("date", "observations__taken_at", "observations__taken_at"),
    "MedicationRequest": Time("authoredon", "in_force__issued_at", "in_force__issued_at"),
}
# FHIR's prefixes: how the start and the end of what is sought lie to the span that was named.
COMPARISONS: dict[str, Callable[[datetime, datetime], dict[str, datetime]]] = {
    "eq": lambda begins, ends: {"start__gte": begins, "end__lt": ends},
    "ge": lambda begins, ends: {"end__gte": begins},
    "gt": lambda begins, ends: {"end__gte": ends},
    "sa": lambda begins, ends: {"start__gte": ends},
    "le": lambda begins, ends: {"start__lt": ends},
    "lt": lambda begins, ends: {"start__lt": begins},
    "eb": lambda begins, ends: {"end__lt": begins},
}
Comparison = dict[str, datetime]


def asked_dates(request: Request, kind: str) -> list[Comparison]:
    """What is asked of the time of these resources. Raises ValidationError."""
    if kind not in TIMES:
        return []
    name = TIMES[kind].asked_as
    return [_comparison(name, typed) for typed in request.query_params.getlist(name)]


def _comparison(name: str, typed: str) -> Comparison:
    prefix = typed[:2] if typed[:2] in COMPARISONS else "eq"
    try:
        return COMPARISONS[prefix](*_span(typed.removeprefix(prefix)))
    except (OverflowError, ValueError):
        raise ValidationError({name: [_("Write a day as 2026-11-24.")]}) from None


def dated(
    rows: "QuerySet[Consultation]", kind: str, asked: list[Comparison]
) -> "QuerySet[Consultation]":
    """The consultations that hold such resources; of vital signs perhaps others too: see fits()."""
    for comparison in asked:
        there = rows.filter(_where(TIMES[kind], comparison)).order_by()
        rows = rows.filter(pk__in=there.values("pk"))
    return rows


def _where(when: Time, comparison: Comparison) -> Q:
    wanted = Q(**{f"{when.start}__isnull": False})
    for lookup, moment in comparison.items():
        which, _, how = lookup.partition("__")
        column = when.start if which == "start" else when.end
        lies_so = Q(**{f"{column}__{how}": moment})
        if which == "end" and how == "gte":  # what goes on yet has no end
            lies_so |= Q(**{f"{column}__isnull": True})
        wanted &= lies_so
    return wanted


def fits(one: Resource, asked: list[Comparison]) -> bool:
    """A consultation has vital signs of several moments: whether this one is of those asked for."""
    at = parse_datetime(one.get("effectiveDateTime", ""))
    return at is None or all(
        at >= moment if lookup.endswith("gte") else at < moment
        for comparison in asked
        for lookup, moment in comparison.items()
    )


DAY = re.compile(r"(?P<year>(?:19|20|21)\d\d)(?:-(?P<month>\d\d)(?:-(?P<day>\d\d))?)?", re.ASCII)


def _span(typed: str) -> tuple[datetime, datetime]:
    """From when until when: a year, a month, a day of our own zone, or a second with its zone.

    Raises OverflowError, ValueError.
    """
    parts = DAY.fullmatch(typed)
    if parts is None:
        return _second(typed)
    year, month, day = (int(part) if part else 0 for part in parts.groups())
    start = date(year, month or 1, day or 1)
    if day:
        return _midnight(start), _midnight(start + timedelta(days=1))
    following = start + timedelta(days=31 if month else 366)
    return _midnight(start), _midnight(following.replace(day=1))


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(0)))


def _second(typed: str) -> tuple[datetime, datetime]:
    moment = parse_datetime(typed)
    if moment is None or timezone.is_naive(moment) or not 1900 < moment.year < 2200:
        raise ValueError(typed)
    return moment, moment + timedelta(seconds=1)
