"""Reads the files that the Local Government Directory publishes: states and districts, as CSV."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction

from accounts.models import District, State

SMALL_WORDS = {"and", "of", "the"}
LONGEST_NAME = 120
LARGEST_STATE_CODE = 32_767  # what the column holds
LARGEST_DISTRICT_CODE = 2_147_483_647

# The directory changes its headings now and then; the first of them that a file has is read.
STATE_CODE = ["State Code", "State LGD Code"]
STATE_NAME = ["State Name", "State Name (In English)"]
STATE_OR_UT = ["State or UT"]
DISTRICT_CODE = ["District Code", "District LGD Code"]
DISTRICT_NAME = ["District Name", "District Name (In English)"]


class BadFile(Exception):
    """Rows that cannot be understood; `errors` are sentences with file and line number."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("\n".join(errors))
        self.errors = errors


@dataclass
class Counts:
    """How many rows were new, and how many got another name, state or kind."""

    added: int = 0
    changed: int = 0


@dataclass
class _File:
    """One CSV file as its rows of wanted columns, with a list of what is wrong in it."""

    path: Path
    columns: list[list[str]]
    errors: list[str] = field(default_factory=list)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Line number and the wanted cells of each row that has them all."""
        with self.path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.reader(lines, strict=True)
            try:
                heading = [cell.strip() for cell in next(reader, [])]
                places = self._places(heading)
                for cells in reader if places else []:
                    if not any(cell.strip() for cell in cells):
                        continue
                    if len(cells) != len(heading):
                        self.wrong(
                            reader.line_num, f"{len(cells)} columns instead of {len(heading)}"
                        )
                        continue
                    yield reader.line_num, [cells[place].strip() for place in places]
            except csv.Error as error:
                self.wrong(reader.line_num, f"this is not CSV: {error}")
            except UnicodeDecodeError:
                self.wrong(reader.line_num + 1, "this is not UTF-8 text")

    def _places(self, heading: list[str]) -> list[int]:
        found = [next((name for name in names if name in heading), None) for names in self.columns]
        for names, name in zip(self.columns, found, strict=True):
            if name is None:
                self.wrong(1, f'there is no column "{names[0]}"')
        # A heading may stand twice (the name in English, then in the local language): the first.
        return [heading.index(name) for name in found if name] if all(found) else []

    def wrong(self, line: int, what: str) -> None:
        self.errors.append(f"{self.path.name}, line {line}: {what}.")

    def code(self, line: int, text: str, what: str, largest: int) -> int | None:
        """A positive whole number, else None and a word about it."""
        if text.isascii() and text.isdigit() and 0 < int(text) <= largest:
            return int(text)
        self.wrong(line, f'the {what} code "{text}" is not a number from 1 to {largest}')
        return None

    def name(self, line: int, text: str, what: str) -> str | None:
        name = nicely(text)
        if name and len(name) <= LONGEST_NAME:
            return name
        self.wrong(line, f"the {what} name is {'too long' if name else 'empty'}")
        return None


def nicely(published: str) -> str:
    """West Bengal, where WEST BENGAL is published; any but an all-capital name stays as it is."""
    name = " ".join(published.split())
    if not name.isupper():
        return name
    words = re.sub(r"[A-Z]+", lambda word: _capitalised(word[0]), name).split(" ")
    return " ".join(
        word.lower() if place and word.lower() in SMALL_WORDS else word
        for place, word in enumerate(words)
    )


def _capitalised(word: str) -> str:
    """With a capital first letter; "NTR" and the like, which nobody can say as a word, stay."""
    return word if len(word) > 2 and not set(word) & set("AEIOUY") else word.capitalize()


def same_name(one: str, other: str) -> bool:
    """Whether two spellings differ only in case, punctuation or a leading article."""
    return _bare(one) == _bare(other)


def _bare(name: str) -> str:
    words = re.findall(r"\w+", name.casefold().replace("&", " and "))
    return " ".join(words[1:] if words[:1] == ["the"] else words)


@transaction.atomic
def load(*, states: Path | None = None, districts: Path | None = None) -> dict[str, Counts]:
    """Take both files over, or neither. Raises BadFile with every row that is wrong."""
    errors: list[str] = []
    new_states = _read_states(states, errors) if states else []
    known = {state.code for state in new_states} | set(State.objects.values_list("pk", flat=True))
    new_districts = _read_districts(districts, known, errors) if districts else []
    if errors:
        raise BadFile(errors)
    return {
        "states": _save(State, new_states, "is_union_territory"),
        "districts": _save(District, new_districts, "state_id"),
    }


def _read_states(path: Path, errors: list[str]) -> list[State]:
    file = _File(path, [STATE_CODE, STATE_NAME, STATE_OR_UT])
    found: dict[int, State] = {}
    for line, (code_text, name_text, kind) in file.rows():
        code = file.code(line, code_text, "state", LARGEST_STATE_CODE)
        name = file.name(line, name_text, "state")
        if kind not in ("S", "U"):
            file.wrong(line, f'"State or UT" is "{kind}" instead of S or U')
        elif code in found:
            file.wrong(line, f"the state code {code} stands twice")
        elif code and name:
            found[code] = State(code=code, name=name, is_union_territory=kind == "U")
    errors += file.errors
    return list(found.values())


def _read_districts(path: Path, states: set[int], errors: list[str]) -> list[District]:
    file = _File(path, [STATE_CODE, DISTRICT_CODE, DISTRICT_NAME])
    found: dict[int, District] = {}
    for line, (state_text, code_text, name_text) in file.rows():
        state = file.code(line, state_text, "state", LARGEST_STATE_CODE)
        code = file.code(line, code_text, "district", LARGEST_DISTRICT_CODE)
        name = file.name(line, name_text, "district")
        if state and state not in states:
            file.wrong(line, f"there is no state with code {state}")
        elif code in found:
            file.wrong(line, f"the district code {code} stands twice")
        elif state and code and name:
            found[code] = District(code=code, name=name, state_id=state)
    errors += file.errors
    return list(found.values())


def _save(model: Any, rows: list[Any], told: str) -> Counts:
    """`told` is what the directory says of a place besides its name."""
    known = model.objects.in_bulk([row.code for row in rows])
    changed = []
    for row in rows:
        there = known.get(row.code)
        if there is None:
            continue
        name = _kept_name(there.name, row.name)
        if (name, getattr(row, told)) != (there.name, getattr(there, told)):
            there.name = name
            setattr(there, told, getattr(row, told))
            changed.append(there)
    added = model.objects.bulk_create([row for row in rows if row.code not in known])
    model.objects.bulk_update(changed, ["name", told], batch_size=200)
    return Counts(added=len(added), changed=len(changed))


def _kept_name(ours: str, published: str) -> str:
    """Ours, which somebody may have spelt with care, unless the directory renamed the place."""
    return ours if same_name(ours, published) else published
