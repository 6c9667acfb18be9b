"""Validators that see our documents as others will.

`guide.json` holds the profiles of the guide ndhm.in 6.5.0 (NRCeS, CC0-1.0) that our documents claim,
without the prose: each as its differential (those of Observation with what they inherit, that of
WellnessRecord with its snapshot). With FHIR_GUIDE naming a folder that has the whole package
(`ndhm.in-6.5.0.tar.xz`), the documents must hold against that one too.
"""

import json
import os
import tarfile
from functools import cache
from pathlib import Path
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pyfhircheck import Validator
from pyfhircheck.config import ValidatorConfig
from pyfhircheck.models import Severity

HERE = Path(__file__).parent
CORE = HERE.parent.parent / ".venv/fhir/google/fhir/r4/data/hl7.fhir.r4.core.tgz"
WHOLE = "ndhm.in-6.5.0.tar.xz"


@cache
def validators() -> list[Validator]:
    """Once for all: each reads 4 MB of definitions."""
    small = Path(os.environ["VAR_DIR"]) / "fhir-guide"
    small.mkdir(exist_ok=True)
    for number, part in enumerate(json.loads((HERE / "guide.json").read_text())):
        (small / f"{number}.json").write_text(json.dumps(part))
    if not os.environ.get("FHIR_GUIDE"):
        return [_validator(small)]
    whole = Path(os.environ["VAR_DIR"]) / "whole-fhir-guide"
    with tarfile.open(Path(os.environ["FHIR_GUIDE"]) / WHOLE) as package:
        package.extractall(whole, filter="data")
    return [_validator(small), _validator(*{part.parent for part in whole.rglob("*.json")})]


def _validator(*folders: Path) -> Validator:
    return Validator(
        ValidatorConfig.load_dict(
            {
                "fhirVersion": "4.0.1",
                "localPackagePaths": [str(CORE), *map(str, folders)],
                "terminology": {"mode": "local"},
            }
        )
    )


def problems(resource: dict[str, Any]) -> list[str]:
    """What the two validators say against a resource: errors only."""
    found = [
        f"{issue.code} {issue.path}: {issue.message}"
        for one in validators()
        for issue in one.validate_resource(resource).issues
        if issue.severity is Severity.ERROR
    ]
    return found + model_problems(resource)


def model_problems(resource: dict[str, Any]) -> list[str]:
    """What fhir.resources says, which knows HL7's own rules only."""
    try:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    except ValueError as error:
        return [str(error)]
    return []


# HL7's own profiles of vital signs, to which a validator holds an Observation by its code alone:
# the units that each allows. Of a blood pressure both parts are needed, each with a value or a reason.
CORE_PROFILES = "http://hl7.org/fhir/StructureDefinition"
VITAL_SIGNS = {
    "8867-4": {"/min"}, "9279-1": {"/min"}, "2708-6": {"%"}, "29463-7": {"g", "kg", "[lb_av]"},
    "8302-2": {"cm", "[in_i]"}, "39156-5": {"kg/m2"}, "8480-6": {"mm[Hg]"}, "8462-4": {"mm[Hg]"},
}  # fmt: skip
PRESSURE = ["8480-6", "8462-4"]


def vital_sign_problems(bundle: dict[str, Any]) -> list[str]:
    """What HL7's profiles of vital signs ask beyond the guide's own, of the Observations of a document."""
    found = []
    for one in _resources(bundle):
        is_pressure = one["resourceType"] == "Observation" and _loinc(one) == "85354-9"
        if one["resourceType"] != "Observation" or not (is_pressure or _loinc(one) in VITAL_SIGNS):
            continue
        parts = one["component"] if is_pressure else [one]
        if is_pressure and [_loinc(part) for part in parts] != PRESSURE:
            found.append(f"{one['id']}: both values of a pressure, or why one is missing")
        kinds = [code["code"] for kind in one["category"] for code in kind.get("coding", [])]
        if "vital-signs" not in kinds or "effectiveDateTime" not in one:
            found.append(f"{one['id']}: of no category, or at no time")
        found += [f"{one['id']}: {part}" for part in parts if not _is_measured(part)]
    return found


def _loinc(part: dict[str, Any]) -> str:
    return str(part["code"].get("coding", [{"code": ""}])[0]["code"])


def _is_measured(part: dict[str, Any]) -> bool:
    amount = part.get("valueQuantity")
    if amount is None:
        return "dataAbsentReason" in part
    said = {"value", "unit", "system", "code"} <= amount.keys()
    return said and amount["code"] in VITAL_SIGNS[_loinc(part)]


def wrong_targets(bundle: dict[str, Any]) -> list[str]:
    """References to what the guide's profiles do not allow there.

    A profile that the target does not claim itself must hold for it all the same.
    """
    by_url = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}
    return [
        f"{one['resourceType']}: {pointer} is none of {allowed}"
        for one in _resources(bundle)
        for allowed, pointers in _allowed_targets(one)
        for pointer in pointers
        if not any(_is(by_url[pointer], profile) for profile in allowed)
    ]


def _resources(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in bundle["entry"]]


def _is(target: dict[str, Any], profile: str) -> bool:
    if profile.startswith(CORE_PROFILES):
        return profile.rsplit("/", 1)[1] in (target["resourceType"], "Resource")
    if profile in target["meta"]["profile"]:
        return True
    is_kind = _kinds().get(profile) == target["resourceType"]
    return is_kind and problems(_claiming(target, profile)) == []


def _claiming(resource: dict[str, Any], profile: str) -> dict[str, Any]:
    return resource | {"meta": {"profile": [profile]}}


@cache
def _profiles() -> dict[str, dict[str, Any]]:
    parts = json.loads((HERE / "guide.json").read_text())
    return {one["url"]: one for one in parts if one["resourceType"] == "StructureDefinition"}


def _kinds() -> dict[str, str]:
    return {url: one["type"] for url, one in _profiles().items()}


def _allowed_targets(resource: dict[str, Any]) -> list[tuple[list[str], list[str]]]:
    """Of each element that the resource's profile restricts: the profiles, and what is pointed to."""
    (profile,) = resource["meta"]["profile"]
    found: dict[tuple[str, str], list[str]] = {}
    for element in _elements(profile):
        allowed = [p for kind in element.get("type", []) for p in kind.get("targetProfile", [])]
        # Slices of the entries of one section together: either may stand there.
        found.setdefault((element["path"], _mark(profile, element)), []).extend(allowed)
    return [
        (allowed, references(_below(resource, path.split(".")[1:], mark)))
        for (path, mark), allowed in found.items()
        if allowed
    ]


def _elements(profile: str) -> list[dict[str, Any]]:
    one = _profiles()[profile]
    found: list[dict[str, Any]] = one.get("differential", one.get("snapshot"))["element"]
    return found


def _mark(profile: str, element: dict[str, Any]) -> str:
    """The fixed code or title of the section whose slice this is; empty for any other element."""
    section = element["id"].rsplit(".", 1)[0]
    fixed = {one["id"]: one.get("fixedCode", one.get("fixedString")) for one in _elements(profile)}
    marks = [fixed.get(f"{section}.code.coding.code"), fixed.get(f"{section}.title")]
    return next((mark for mark in marks if mark), "") if ":" in section else ""


def _below(part: Any, names: list[str], mark: str) -> list[Any]:
    """The values at a path; of sections only those with this code or title."""
    if isinstance(part, list):
        return [found for one in part for found in _below(one, names, mark)]
    if not names:
        return [part]
    below = part.get(names[0], []) if isinstance(part, dict) else []
    if names[0] == "section" and mark:
        below = [one for one in below if mark in (one["title"], _first_code(one))]
    return _below(below, names[1:], mark)


def _first_code(section: dict[str, Any]) -> str:
    return str(section["code"].get("coding", [{"code": ""}])[0]["code"])


def references(part: Any) -> list[str]:
    if isinstance(part, dict):
        here = [part["reference"]] if isinstance(part.get("reference"), str) else []
        return here + [found for value in part.values() for found in references(value)]
    if isinstance(part, list):
        return [found for value in part for found in references(value)]
    return []


def empty_values(part: Any) -> list[Any]:
    """FHIR knows none."""
    if isinstance(part, (dict, list)):
        inner = part.values() if isinstance(part, dict) else part
        return [*([part] if not part else []), *(e for value in inner for e in empty_values(value))]
    return [part] if part is None or part == "" else []
