"""The formulary as a CSV file: one row is one form of a generic, one rule for it, or both.

Facts of the generic (class, pregnancy, usual dose, interactions) may stand in any of its rows.
"""

import csv
import io
import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from consult.models import Drug, DrugRule, PrescriptionLine

Row = dict[str, str]

COLUMNS = [
    "generic", "new_name", "other_names", "class", "form", "strength", "route", "list", "use",
    "video_only", "effective_from", "effective_to", "source", "note", "pregnancy", "daily_dose",
    "interactions", "withdrawn_on",
]  # fmt: skip
LONGEST = {
    "generic": 120, "new_name": 120, "class": 60, "strength": 40, "route": 30, "source": 200,
    "note": 300,
}  # fmt: skip
MOST_ROWS = 20_000
DOSE = re.compile(
    r"(?:(?P<start>[\d.]+)?-(?P<end>[\d.]+)?y: ?)?(?P<low>[\d.]+)-(?P<high>[\d.]+) ?mg(?P<kg>/kg)?$"
)
OLDEST_MONTHS = 1800


class BadRows(Exception):
    """Some rows cannot be a change of the formulary; `problems` says which and why."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class UsualDose(NamedTuple):
    months_from: int
    months_to: int
    low: Decimal
    high: Decimal
    per_kg: bool


def read_csv(text: str) -> list[Row]:
    """The rows of a file, checked. Raises BadRows."""
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    unknown = sorted(set(reader.fieldnames or []) - set(COLUMNS))
    if unknown or "generic" not in (reader.fieldnames or []):
        raise BadRows([f"The first line must name the columns: {', '.join(COLUMNS)}."])
    rows = []
    for row in reader:
        if None in row or None in row.values():
            raise BadRows([f"Line {reader.line_num}: as many cells as there are columns."])
        rows.append({name: (row.get(name) or "").strip() for name in COLUMNS})
        if len(rows) > MOST_ROWS:
            raise BadRows([f"At most {MOST_ROWS} rows in one file."])
    return check_rows(rows)


def check_rows(rows: list[Row]) -> list[Row]:
    """The same rows, empty cells left out. Raises BadRows."""
    problems = [] if rows else ["There is no row."]
    for number, row in enumerate(rows, 1):
        problems += [f"Row {number}: {problem}" for problem in _problems(row)]
    if problems:
        raise BadRows(problems[:30])
    return [{name: value for name, value in row.items() if value} for row in rows]


def _problems(row: Row) -> list[str]:
    found = []
    for name, longest in LONGEST.items():
        if len(row.get(name, "")) > longest:
            found.append(f"{name} is longer than {longest} letters.")
    if not row.get("generic"):
        found.append("generic is empty.")
    if row.get("pregnancy", "") not in ("", *Drug.Pregnancy.values):
        found.append("pregnancy is empty, caution or avoid.")
    return found + _product_problems(row) + _rule_problems(row) + _fact_problems(row)


def _product_problems(row: Row) -> list[str]:
    given = [bool(row.get(name)) for name in ("form", "strength", "route")]
    if any(given) and not all(given):
        return ["form, strength and route go together."]
    if row.get("form") and row["form"] not in PrescriptionLine.Form.values:
        return [f"form is one of {', '.join(PrescriptionLine.Form.values)}."]
    return []


def _rule_problems(row: Row) -> list[str]:
    if not row.get("list"):
        return []
    found = []
    if row["list"] not in DrugRule.List.values:
        return ["list is O, A, B or X (prohibited)."]
    if row.get("use", "") not in DrugRule.USES[row["list"]]:
        allowed = " or ".join(sorted(DrugRule.USES[row["list"]])) or "empty"
        found.append(f"use with list {row['list']} is {allowed}.")
    if (row.get("video_only", "") == "yes") != ((row["list"], row.get("use")) == ("A", "first")):
        found.append("video_only is yes for a first prescription of list A, and for nothing else.")
    if not row.get("source"):
        found.append("a rule needs its source.")
    starts, ends = _day(row.get("effective_from", "")), _day(row.get("effective_to", ""))
    if starts is None:
        found.append("effective_from is a day like 2026-04-01.")
    if row.get("effective_to") and (ends is None or starts is None or ends < starts):
        found.append("effective_to is a day on or after effective_from.")
    return found


def _fact_problems(row: Row) -> list[str]:
    found = []
    try:
        usual_doses(row.get("daily_dose", ""))
    except ValueError:
        found.append("daily_dose is like 0.25-12y: 30-60 mg/kg; 12-y: 500-4000 mg.")
    if any(": " not in pair for pair in split(row.get("interactions", ""))):
        found.append("interactions are like Warfarin: more bleeding; Lithium: kidney.")
    if row.get("withdrawn_on") and _day(row["withdrawn_on"]) is None:
        found.append("withdrawn_on is a day like 2026-04-01.")
    return found


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def split(cell: str) -> list[str]:
    """The parts of a cell between semicolons."""
    return [part.strip() for part in cell.split(";") if part.strip()]


def usual_doses(cell: str) -> list[UsualDose]:
    """Of a cell like "0.25-12y: 30-60 mg/kg; 12-y: 500-4000 mg". Raises ValueError."""
    return [_usual_dose(part) for part in split(cell)]


def _usual_dose(part: str) -> UsualDose:
    found = DOSE.fullmatch(part)
    if not found:
        raise ValueError(part)
    low, high = Decimal(found["low"]), Decimal(found["high"])
    months_from = round(float(found["start"] or 0) * 12)
    months_to = round(float(found["end"]) * 12) if found["end"] else OLDEST_MONTHS
    if high < low or months_to <= months_from:
        raise ValueError(part)
    return UsualDose(months_from, months_to, low, high, bool(found["kg"]))


def write_csv(rows: Iterable[Row]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def formulary_rows(day: date) -> list[Row]:
    """The whole formulary with the rules that are in force on `day` or will be, as rows."""
    drugs = Drug.objects.prefetch_related(
        "names", "products", "rules", "dose_ranges", "interactions__second"
    )
    return [row for drug in drugs for row in _rows_of(drug, day)]


def _rows_of(drug: Drug, day: date) -> list[Row]:
    products = [
        {"form": one.form, "strength": one.strength, "route": one.route}
        for one in drug.products.all()
    ]
    rules = [
        _rule_row(rule)
        for rule in drug.rules.all()
        if rule.effective_to is None or rule.effective_to >= day
    ]
    count = max(len(products), len(rules), 1)
    rows = [
        {"generic": drug.generic, "source": drug.source}
        | (products[at] if at < len(products) else {})
        | (rules[at] if at < len(rules) else {})
        for at in range(count)
    ]
    rows[0] |= {
        "other_names": "; ".join(one.name for one in drug.names.all() if one.name != drug.generic),
        "class": drug.drug_class,
        "pregnancy": drug.pregnancy,
        "daily_dose": "; ".join(
            f"{_years(one.months_from)}-{_years(one.months_to)}y: {one}"
            for one in drug.dose_ranges.all()
        ),
        "interactions": "; ".join(
            f"{one.second.generic}: {one.words}" for one in drug.interactions.all()
        ),
        "withdrawn_on": drug.withdrawn_on.isoformat() if drug.withdrawn_on else "",
    }
    return rows


def _rule_row(rule: DrugRule) -> Row:
    return {
        "list": rule.list,
        "use": rule.use,
        "video_only": "yes" if rule.video_only else "",
        "effective_from": rule.effective_from.isoformat(),
        "effective_to": rule.effective_to.isoformat() if rule.effective_to else "",
        "source": rule.source,
        "note": rule.note,
    }


def _years(months: int) -> str:
    return "" if months in (0, OLDEST_MONTHS) else f"{round(months / 12, 2):g}"
