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
