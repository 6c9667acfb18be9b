"""Validators that see our documents as others will.

`guide.json` holds the profiles of the guide ndhm.in 6.5.0 (NRCeS, CC0-1.0) that our documents claim,
each as its differential without the prose (those of Observation with what they inherit). With
FHIR_GUIDE naming a folder that has the whole package (`ndhm.in-6.5.0.tar.xz`), that one is used.
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
def validator() -> Validator:
    """Once for all: it reads 4 MB of definitions."""
    folder = Path(os.environ["VAR_DIR"]) / "fhir-guide"
    if not folder.exists():
        folder.mkdir()
        whole = Path(os.environ.get("FHIR_GUIDE", "")) / WHOLE
        if os.environ.get("FHIR_GUIDE"):
            with tarfile.open(whole) as package:
                package.extractall(folder, filter="data")
        else:
            for number, part in enumerate(json.loads((HERE / "guide.json").read_text())):
                (folder / f"{number}.json").write_text(json.dumps(part))
    return Validator(
        ValidatorConfig.load_dict(
            {
                "fhirVersion": "4.0.1",
                "localPackagePaths": [
                    str(CORE),
                    *{str(part.parent) for part in folder.rglob("*.json")},
                ],
                "terminology": {"mode": "local"},
            }
        )
    )


def problems(resource: dict[str, Any]) -> list[str]:
    """What the two validators say against a resource: errors only."""
    found = [
        f"{issue.code} {issue.path}: {issue.message}"
        for issue in validator().validate_resource(resource).issues
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
