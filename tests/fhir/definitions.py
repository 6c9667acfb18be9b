"""HL7's definitions of FHIR 4.0.1 and the guide's profiles, as they are published: what a validator reads.

`guide.json` holds the profiles of the guide ndhm.in 6.5.0 (NRCeS, CC0-1.0) that our documents claim,
without the prose: each as its differential (those of Observation with what they inherit, that of
WellnessRecord with its snapshot). With FHIR_GUIDE naming a folder that has the whole package
(`ndhm.in-6.5.0.tar.xz`), the documents must hold against
that one too.
"""

import json
import os
import tarfile
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CORE = HERE.parent.parent / ".venv/fhir/google/fhir/r4/data/hl7.fhir.r4.core.tgz"
WHOLE = "ndhm.in-6.5.0.tar.xz"
HL7 = "http://hl7.org/fhir/StructureDefinition"
KINDS = {"StructureDefinition", "ValueSet", "CodeSystem"}

Json = dict[str, Any]


@cache
def _core() -> dict[str, bytes]:
    """By kind and name; each is parsed when it is asked for."""
    with tarfile.open(CORE) as package:
        return {
            member.name.removeprefix("package/").removesuffix(".json"): file.read()
            for member in package
            if member.name.removeprefix("package/").partition("-")[0] in KINDS
            and (file := package.extractfile(member))
        }


@cache
def guide() -> dict[str, Json]:
    """The guide's own definitions, by kind and address: the small file's, or the whole package's."""
    parts = json.loads((HERE / "guide.json").read_text())
    if folder := os.environ.get("FHIR_GUIDE"):
        with tarfile.open(Path(folder) / WHOLE) as package:
            parts += [
                json.loads(file.read())
                for member in package
                if Path(member.name).name.partition("-")[0] in KINDS
                and member.name.endswith(".json")
                and (file := package.extractfile(member))
            ]
    return {f"{one['resourceType']} {one['url']}": one for one in parts}


@cache
def named(kind: str, url: str) -> Json | None:
    """The definition of this kind at this canonical address, if anybody here has it."""
    url = url.partition("|")[0]
    if found := guide().get(f"{kind} {url}"):
        return found
    name = url.rsplit("/", 1)[-1]
    written = _core().get(f"{kind}-{name}") or _core().get(f"{kind}-v3-{name}")
    found = json.loads(written) if written else None
    return found if found and found["url"] == url else None


@cache
def code_system(url: str) -> Json | None:
    """A code system by the address in a coding, which is not always that of its file."""
    return named("CodeSystem", url) or _systems().get(url)


@cache
def _systems() -> dict[str, Json]:
    found = [json.loads(text) for name, text in _core().items() if name.startswith("CodeSystem-")]
    return {one["url"]: one for one in found}


def structure(url: str) -> Json:
    found = named("StructureDefinition", url)
    if found is None:
        raise LookupError(url)
    return found


def definition(kind: str) -> list[Json]:
    """The elements of a resource or datatype."""
    elements: list[Json] = structure(f"{HL7}/{kind}")["snapshot"]["element"]
    return elements


def lineage(url: str) -> list[Json]:
    """A profile and those it is made from, up to HL7's resource itself, which is left out."""
    one = structure(url)
    if one["derivation"] == "specialization":
        return []
    return [one, *lineage(one["baseDefinition"])]
