"""HL7's invariants, evaluated with fhirpathpy as the definitions write them.

Two things it cannot know are looked at here in Python: what a narrative may hold (txt-1, txt-2), and
identifiers of fragments.
"""

import re
from functools import cache
from typing import Any
from xml.etree import ElementTree

from fhirpathpy import compile as compiled
from fhirpathpy.engine.nodes import ResourceNode
from fhirpathpy.models import models

from tests.fhir.definitions import Json
from tests.fhir.elements import Place

# ele-1 (no empty element) is tests.fhir.guide.empty_values; nothing of ours is contained.
ELSEWHERE = {"ele-1", "ext-1", "dom-3", "ref-1"}
IN_PYTHON = {"txt-1", "txt-2"}
XHTML = "{http://www.w3.org/1999/xhtml}"


@cache
def expression(text: str) -> Any:
    text = text.replace("hasValue()", "exists()")  # the same where nothing has extensions
    return compiled(text, models["r4"])


def is_broken(rule: Json, value: Any, at: str, place: Place) -> bool:
    """Whether an invariant, warnings (dom-6) too, does not hold for the value at this element."""
    if rule["key"] in ELSEWHERE:
        return False
    if rule["key"] in IN_PYTHON:
        return not _is_plain(value) if rule["key"] == "txt-1" else not _is_readable(value)
    # At its place, by which value[x] is found; whichever slice it is of.
    node = ResourceNode.create_node(value, re.sub(r":[^.]*", "", at))
    names = {
        "resource": place.resource,
        "rootResource": place.document,
        "ucum": "http://unitsofmeasure.org",
    }
    return expression(rule["expression"])(node, names) not in ([True], [])


def _is_plain(div: str) -> bool:
    """XHTML of the plainest kind, which is all that we write."""
    parts = list(ElementTree.fromstring(div).iter())
    return {one.tag for one in parts} <= {f"{XHTML}div", f"{XHTML}p"} and not any(
        one.attrib for one in parts
    )


def _is_readable(div: str) -> bool:
    return bool("".join(ElementTree.fromstring(div).itertext()).strip())
