"""HL7's own invariants on what we send: of every resource, and of every datatype inside.

The definitions are those of FHIR 4.0.1, evaluated with fhirpathpy. Two things it cannot know are
looked at here in Python: what a narrative may hold (txt-1, txt-2), and identifiers of fragments.
"""

import json
import tarfile
from collections.abc import Iterator
from functools import cache
from typing import Any
from xml.etree import ElementTree

from fhirpathpy import compile as compiled
from fhirpathpy.models import models

from tests.fhir.guide import CORE

# ele-1 (no empty element) is tests.fhir.guide.empty_values; nothing of ours is contained.
ELSEWHERE = {"ele-1", "ext-1", "txt-1", "txt-2", "dom-3", "ref-1"}
XHTML = "{http://www.w3.org/1999/xhtml}"


@cache
def _definitions() -> dict[str, list[dict[str, Any]]]:
    """The elements of every resource and datatype; read once."""
    with tarfile.open(CORE) as package:
        found = [
            json.load(package.extractfile(member))  # type: ignore[arg-type]
            for member in package
            if member.name.startswith("package/StructureDefinition-")
        ]
    plain = (
        one for one in found if one.get("derivation") == "specialization" and "snapshot" in one
    )
    return {one["type"]: one["snapshot"]["element"] for one in plain if one["id"] == one["type"]}


def definition(kind: str) -> list[dict[str, Any]]:
    return _definitions()[kind]


@cache
def expression(text: str) -> Any:
    text = text.replace("hasValue()", "exists()")  # the same where nothing has extensions
    return compiled(text, models["r4"])


def broken(resource: dict[str, Any], root: dict[str, Any] | None = None) -> list[str]:
    """Every invariant that does not hold, warnings (dom-6) too."""
    kind = resource["resourceType"]
    found = list(_broken(resource, kind, kind, resource, root or resource))
    for entry in resource.get("entry", []):
        found += broken(entry["resource"], root or resource)
    return found


def _broken(part: Any, kind: str, path: str, resource: Any, root: Any) -> Iterator[str]:
    """Of one element of type `kind`, and of all elements that its definition names below it."""
    for element in definition(kind):
        for value in _at(part, element["path"].split(".")[1:]):
            for rule in element.get("constraint", []):
                if rule["key"] not in ELSEWHERE and not _holds(rule, value, resource, root):
                    yield f"{path} {element['path']}: {rule['key']} {rule['human']}"
            if isinstance(value, dict) and "." in element["path"]:
                for datatype in _datatypes(value, element):
                    yield from _broken(value, datatype, f"{path}.{datatype}", resource, root)
            if element["path"] == "Narrative.div":
                yield from _in_narrative(value, path)


def _at(part: Any, names: list[str]) -> Iterator[Any]:
    """The values at a path below `part`; `value[x]` is found under each of its types."""
    if not names:
        yield part
        return
    name, *rest = names
    keys = [name]
    if name.endswith("[x]"):
        stem = name.removesuffix("[x]")
        keys = [key for key in part if key.startswith(stem)] if isinstance(part, dict) else []
    for key in keys:
        value = part.get(key) if isinstance(part, dict) else None
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                yield from _at(one, rest)


def _datatypes(value: dict[str, Any], element: dict[str, Any]) -> list[str]:
    types = [one["code"] for one in element.get("type", []) if one["code"][0].isupper()]
    inline = {"BackboneElement", "Element", "Resource", "DomainResource", "Extension"}
    if len(types) > 1:  # value[x]: by what it looks like
        types = ["Quantity"] if "value" in value else ["Reference"] if "reference" in value else []
    return [one for one in types if one not in inline]


def _holds(rule: dict[str, Any], value: Any, resource: Any, root: Any) -> bool:
    names = {"resource": resource, "rootResource": root, "ucum": "http://unitsofmeasure.org"}
    return expression(rule["expression"])(value, names) in ([True], [])


def _in_narrative(div: str, path: str) -> Iterator[str]:
    """txt-1 and txt-2: XHTML of the plain kind, with something to read."""
    tree = ElementTree.fromstring(div)
    if {one.tag for one in tree.iter()} - {f"{XHTML}div", f"{XHTML}p"} or any(
        one.attrib for one in tree.iter()
    ):
        yield f"{path}: txt-1 {div[:80]}"
    if not "".join(tree.itertext()).strip():
        yield f"{path}: txt-2 {div[:80]}"
