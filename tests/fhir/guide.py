"""Validators that see our documents as others will, and what makes a bundle a document."""

import json
import os
import re
import tarfile
from functools import cache
from pathlib import Path
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pyfhircheck import Validator
from pyfhircheck.config import ValidatorConfig
from pyfhircheck.models import Severity

from tests.fhir.definitions import CORE, HERE, WHOLE, Json


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


def problems(resource: Json) -> list[str]:
    """What the two validators say against a resource: errors only."""
    found = [
        f"{issue.code} {issue.path}: {issue.message}"
        for one in validators()
        for issue in one.validate_resource(resource).issues
        if issue.severity is Severity.ERROR
    ]
    return found + model_problems(resource)


def model_problems(resource: Json) -> list[str]:
    """What fhir.resources says, which knows HL7's own rules only."""
    try:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    except ValueError as error:
        return [str(error)]
    return []


URL = re.compile(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def document_problems(bundle: Json) -> list[str]:
    """What a document is as a whole: the Composition first, each part once, found from it, and of use."""
    parts = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}
    first, *_ = parts
    reached, ahead = set(), [first]
    while ahead:
        url = ahead.pop()
        reached.add(url)
        ahead += [one for one in references(parts.get(url)) if one not in reached]
    found = [f"{url} is no urn:uuid" for url in parts if not URL.fullmatch(url)]
    found += [f"{url} is not in the document" for url in reached - parts.keys()]
    found += [f"{url} is not found from the Composition" for url in parts.keys() - reached]
    if len(parts) != len(bundle["entry"]):
        found.append("two parts of one address")
    if parts[first]["resourceType"] != "Composition":
        found.append("something else than the Composition is first")
    return found + [f"{one!r} is empty" for one in empty_values(bundle)]


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
