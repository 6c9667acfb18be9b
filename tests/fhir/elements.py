"""What one element may hold: the letters of its type, fixed values, patterns, codes, targets."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.fhir import terms
from tests.fhir.definitions import Json

DAY = r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01])"
CLOCK = r"T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]((0\d|1[0-3]):[0-5]\d|14:00))"
# FHIR's letters of each type (FHIR 4.0.1, "Datatypes").
LETTERS = {
    "base64Binary": r"([0-9a-zA-Z+/]{4})*([0-9a-zA-Z+/]{2}==|[0-9a-zA-Z+/]{3}=)?",
    "canonical": r"\S+",
    "code": r"\S+( \S+)*",
    "date": rf"{DAY})?)?",
    "dateTime": rf"{DAY}({CLOCK})?)?)?",
    "id": r"[A-Za-z0-9\-.]{1,64}",
    "instant": rf"\d{{4}}-\d\d-\d\d{CLOCK}",
    "markdown": r"\s*\S[\s\S]*",
    "oid": r"urn:oid:[0-2](\.(0|[1-9]\d*))+",
    "string": r"[\t\n\r\x20-\x7e\xa0-\U0010ffff]+",
    "time": r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?",
    "uri": r"\S+",
    "url": r"\S+",
    "uuid": r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
}
NUMBERS = {"decimal": -1e18, "integer": -(2**31), "positiveInt": 1, "unsignedInt": 0}
LICENSED = {"http://snomed.info/sct", "http://loinc.org"}
UCUM = "http://unitsofmeasure.org"
UNITS = "http://hl7.org/fhir/ValueSet/ucum-common"
NRCES = "https://nrces.in/"
LONGEST = 1024 * 1024  # characters of a string


@dataclass(frozen=True)
class Place:
    """Where one looks: the words for it, its resource, and the document around."""

    path: str
    resource: Json
    document: Json

    def at(self, name: str) -> "Place":
        return Place(f"{self.path}.{name}", self.resource, self.document)

    def resolve(self, pointer: Json) -> Json | None:
        entries = self.document.get("entry", [])
        urls = {entry["fullUrl"]: entry["resource"] for entry in entries}
        return urls.get(pointer.get("reference"))


IsTarget = Callable[[Json, list[str], Place], bool]


def wrong(value: Any, element: Json, place: Place, is_target: IsTarget) -> Iterator[str]:
    """What is wrong with a value by what is said of its element alone."""
    if not is_pattern(value, element):
        yield f"{place.path}: {value!r} is not what {element['id']} fixes"
    if len(str(value)) > element.get("maxLength", LONGEST * 8):
        yield f"{place.path}: longer than {element['maxLength']}"
    if element.get("binding", {}).get("strength") in ("required", "extensible"):
        yield from _bound(value, element["binding"], place)
    if isinstance(value, dict) and {"system", "code"} <= value.keys():
        yield from _coding(value, place)
    if element["id"] == "Identifier.system" and ":" not in value:
        yield f"{place.path}: {value} is no absolute address"
    if element["id"] == "Attachment.contentType" and not re.fullmatch(r"[\w.+-]+/[\w.+-]+", value):
        yield f"{place.path}: {value} is no kind of file"
    targets = [one for kind in element.get("type", []) for one in kind.get("targetProfile", [])]
    if targets and "reference" in value and not is_target(value, targets, place):
        yield f"{place.path}: {value} is none of {targets}"


def letters(value: Any, kind: str, place: Place) -> Iterator[str]:
    kind = "string" if kind.startswith("http://hl7.org/fhirpath") else kind
    if kind in NUMBERS:
        whole = kind == "decimal" or isinstance(value, int)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not whole:
            yield f"{place.path}: {value!r} is no {kind}"
        elif value < NUMBERS[kind]:
            yield f"{place.path}: {value!r} is too small for a {kind}"
    elif kind == "boolean" and not isinstance(value, bool):
        yield f"{place.path}: {value!r} is no boolean"
    elif kind in LETTERS and not (isinstance(value, str) and re.fullmatch(LETTERS[kind], value)):
        yield f"{place.path}: {str(value)[:80]!r} is no {kind}"
    elif kind == "string" and (len(value) > LONGEST or value != value.strip()):
        yield f"{place.path}: a string that is too long, or has spaces around it"
    elif kind[0].isupper() and not isinstance(value, dict):
        yield f"{place.path}: {value!r} is no {kind}"


def is_pattern(value: Any, element: Json) -> bool:
    """Whether it is what the element fixes, wholly or in part."""
    for key, said in element.items():
        if key.startswith("fixed") and value != said:
            return False
        if key.startswith("pattern") and not _has(value, said):
            return False
    return True


def _has(value: Any, said: Any) -> bool:
    if isinstance(said, dict):
        return isinstance(value, dict) and all(_has(value.get(k), v) for k, v in said.items())
    if isinstance(said, list):
        return isinstance(value, list) and all(any(_has(v, one) for v in value) for one in said)
    return bool(value == said)


def _bound(value: Any, binding: Json, place: Place) -> Iterator[str]:
    """A code of the value set. Instead of an extensible one the guide's own codes may stand, or words."""
    if isinstance(value, str):
        codes = [("", value)]
    elif isinstance(value, dict):
        codings = value.get("coding", [value])
        codes = [(one.get("system", ""), one.get("code", "")) for one in codings if "code" in one]
    else:
        codes = []
    if binding["strength"] == "extensible" and all(one[0].startswith(NRCES) for one in codes):
        return
    answers = [terms.is_member(binding["valueSet"], *one) for one in codes]
    if not any(answer is not False for answer in answers):
        yield f"{place.path}: {codes} is not of {binding['valueSet']} ({binding['strength']})"


def _coding(value: Json, place: Place) -> Iterator[str]:
    """Of a known system, with a code that it has and the words that it gives to it.

    Of SNOMED and LOINC only what the definitions here write: nothing of ours is to come from elsewhere.
    """
    system, code = value["system"], value["code"]
    named = terms.names(system, code)
    if system == UCUM:
        is_known = terms.is_member(UNITS, system, code)
    elif system in LICENSED:
        is_known = terms.is_written(system, code)
    else:
        is_known = terms.is_known(system, code)
    if is_known is False or ":" not in system:
        yield f"{place.path}: {code} is not of {system}"
    if "display" in value and named and value["display"].casefold() not in named:
        yield f"{place.path}: {value['display']!r} is not how {system} calls {code}: {named}"
