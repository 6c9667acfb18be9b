"""The figures of quality and the daily table, for officers (of their area) and superusers."""

import csv
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.area import area_of
from consult.quality import (
    BY,
    COLUMNS,
    Column,
    Figures,
    MisRow,
    Period,
    Table,
    figures_of,
    mis_table,
    plot_of_days,
)
from esanjeevani.admin_site import Page, StaffSite

ROWS_SHOWN = 300
LONGEST = timedelta(days=366)
MIS_COLUMNS = {
    "name": "State",
    "hubs": "Hubs",
    "spokes": "Spokes",
    "doctors": "Doctors",
    "health_workers": "Health workers (CHO)",
    "opd": "OPD",
    "hwc": "Health centres (HWC)",
    "total": "Total",
}


def _calendar() -> forms.DateInput:
    """The browser's own; it takes and gives ISO dates only."""
    return forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class PeriodForm(forms.Form):
    """Some days until today, or from one day to another."""

    LENGTHS = [("1", "Today"), ("7", "7 days"), ("30", "30 days")]

    days = forms.ChoiceField(choices=LENGTHS, required=False)
    first = forms.DateField(required=False, label="From", widget=_calendar())
    last = forms.DateField(required=False, label="To", widget=_calendar())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("days") or self.errors:
            return cleaned
        first, last = cleaned.get("first"), cleaned.get("last")
        if not first or not last:
            raise forms.ValidationError("Say from which day to which day.")
        if last < first:
            raise forms.ValidationError("The last day is before the first one.")
        if last - first >= LONGEST:
            raise forms.ValidationError("A year at most.")
        return cleaned

    def period(self) -> Period:
        if days := self.cleaned_data["days"]:
            return Period.of_days(int(days))
        return Period(self.cleaned_data["first"], self.cleaned_data["last"])


class DayForm(forms.Form):
    """One day; today unless said otherwise."""

    day = forms.DateField(required=False, label="Day", widget=_calendar())

    def period(self) -> Period:
        day = self.cleaned_data["day"] or timezone.localdate()
        return Period(day, day)


@dataclass(frozen=True)
class Cell:
    """One number of the table, as it is written; a percent also as a bar."""

    text: str
    percent: int | None = None


def has_figures(request: HttpRequest) -> bool:
    """Whoever has an area to look after."""
    return bool(area_of(request))


def _allow(request: HttpRequest) -> None:
    if not has_figures(request):
        raise PermissionDenied


@require_safe
def quality(request: HttpRequest) -> HttpResponse:
    """What came of the consultations of some days, by health centre, clinic or doctor."""
    _allow(request)
    by = request.GET.get("by", "centre")
    form = PeriodForm(
        request.GET if {"days", "first", "last"} & request.GET.keys() else {"days": "7"}
    )
    context: dict[str, Any] = {"by": by, "lengths": PeriodForm.LENGTHS}
    if not form.is_valid() or by not in BY:
        return _page(request, "quality", context | {"form": form}, status=400)
    period = form.period()
    table = figures_of(by, period, area_of(request))
    sort = request.GET.get("sort", "-asked")
    if "csv" in request.GET:
        rows = _sorted(table.rows, sort)
        return _csv(f"quality-{by}-{period.first}-{period.last}", *_as_lists(rows))
    context |= {
        "form": PeriodForm(initial={"first": period.first, "last": period.last}),
        "length": form.cleaned_data["days"],
        "period": period,
    }
    return _page(request, "quality", context | _shown(table, sort))


def _shown(table: Table, sort: str) -> dict[str, Any]:
    """What the page shows of the figures."""
    rows = _sorted(table.rows, sort)
    return {
        "groups": [(name, len(list(of))) for name, of in groupby(COLUMNS, lambda one: one.group)],
        "columns": [_heading(column, sort) for column in COLUMNS],
        "rows": [(row, _cells(row)) for row in rows[:ROWS_SHOWN]],
        "total": _cells(table.total),
        "found": len(rows),
        "plot": plot_of_days(table.days),
    }


def _sorted(rows: list[Figures], sort: str) -> list[Figures]:
    """By a column, downwards with a minus before it; what has no number stands last."""
    key, down = sort.removeprefix("-"), sort.startswith("-")
    if key not in {column.key for column in COLUMNS}:
        return sorted(rows, key=lambda row: row.name, reverse=sort == "-name")

    def place(row: Figures) -> tuple[bool, float]:
        number = row.numbers[key]
        return number is None, 0 if number is None else -number if down else number

    return sorted(rows, key=place)


def _heading(column: Column, sort: str) -> dict[str, Any]:
    """With the order that a click on it asks for: the largest first, then the smallest."""
    is_down = sort == f"-{column.key}"
    order = {f"-{column.key}": "descending", column.key: "ascending"}.get(sort, "")
    return {"column": column, "order": order, "next": column.key if is_down else f"-{column.key}"}


def _cells(row: Figures) -> list[Cell]:
    cells = []
    for column in COLUMNS:
        number = row.numbers[column.key]
        if number is None:
            cells.append(Cell("–"))
        elif column.unit == "%":
            cells.append(Cell(f"{number}%", int(number)))
        else:
            cells.append(Cell(f"{number} {column.unit}".strip()))
    return cells


def _as_lists(rows: list[Figures]) -> tuple[list[str], list[list[Any]]]:
    heads = [
        "Name",
        "Place",
        *(f"{one.group}: {one.heading} {one.unit}".strip() for one in COLUMNS),
    ]
    return heads, [[row.name, row.place, *row.numbers.values()] for row in rows]


@require_safe
def mis(request: HttpRequest) -> HttpResponse:
    """The daily table: hubs, spokes, doctors and health workers at work, and how many were seen."""
    _allow(request)
    form = DayForm(request.GET)
    if not form.is_valid():
        return _page(request, "mis", {"form": form}, status=400)
    period = form.period()
    rows = [_mis_values(row) for row in mis_table(period, area_of(request))]
    if "csv" in request.GET:
        return _csv(f"mis-{period.first}", list(MIS_COLUMNS.values()), rows)
    context = {
        "form": DayForm(initial={"day": period.first}),
        "period": period,
        "heads": list(MIS_COLUMNS.values()),
        "rows": rows,
    }
    return _page(request, "mis", context)


def _mis_values(row: MisRow) -> list[Any]:
    return [getattr(row, name) for name in MIS_COLUMNS]


def _page(
    request: HttpRequest, name: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    title = next(page.title for page in PAGES if page.view.__name__ == name)
    site = {**admin.site.each_context(request), "is_nav_sidebar_enabled": False}
    context = {**site, "title": title, "groupings": BY, **context}
    return render(request, f"admin/{name}.html", context, status=status)


def _csv(name: str, heads: list[str], rows: list[list[Any]]) -> HttpResponse:
    """For a spreadsheet: it must know the letters, and must not run a name as a formula."""
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    answer.write("\ufeff")
    writer = csv.writer(answer)
    writer.writerow(heads)
    writer.writerows([[_harmless(value) for value in row] for row in rows])
    return answer


def _harmless(value: Any) -> Any:
    starts_a_formula = isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r")
    return f"'{value}" if starts_a_formula else value


PAGES = [
    Page("quality/", "quality", "Quality", quality, has_figures),
    Page("mis/", "mis", "Daily table (MIS)", mis, has_figures),
]
cast("StaffSite", admin.site).pages.extend(PAGES)
