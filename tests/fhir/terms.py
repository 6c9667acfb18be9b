"""Codes: whether one is of a value set, and how its system writes it, as far as the definitions tell."""

from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import Any

from tests.fhir.definitions import Json, code_system, guide, named


def is_member(value_set: str, system: str, code: str) -> bool | None:
    """None where only a terminology server would know."""
    found = named("ValueSet", value_set)
    if found is None or "compose" not in found:
        return None
    left_out = [_includes(one, system, code) for one in found["compose"].get("exclude", [])]
    if True in left_out:
        return False
    taken = [_includes(one, system, code) for one in found["compose"]["include"]]
    return True if True in taken else None if None in taken else False


def _includes(part: Json, system: str, code: str) -> bool | None:
    if "system" in part and system and part["system"] != system:
        return False
    answers = [is_member(one, system, code) for one in part.get("valueSet", [])]
    if "concept" in part:
        answers.append(code in {one["code"] for one in part["concept"]})
    elif "system" in part:
        answers.append(_filtered(part, code))
    return False if False in answers else None if None in answers or not answers else True


def _filtered(part: Json, code: str) -> bool | None:
    """Of a whole system, or of what stands below one of its codes."""
    codes = _codes(part["system"])
    if codes is None:
        return None
    for rule in part.get("filter", []):
        if rule["op"] not in ("is-a", "descendent-of"):
            return None
        if rule["value"] not in codes.get(code, [code] if rule["op"] == "is-a" else []):
            return False
    return code in codes


@cache
def _codes(system: str) -> dict[str, list[str]] | None:
    """Every code with itself and those above it; None where the system is not here whole."""
    found = code_system(system)
    if found is None or found.get("content") != "complete":
        return None
    return {one["code"]: [*above, one["code"]] for one, above in _concepts(found)}


def _concepts(
    part: Json, above: tuple[str, ...] = ()
) -> Iterator[tuple[dict[str, Any], tuple[str, ...]]]:
    for one in part.get("concept", []):
        parents = [p["valueCode"] for p in one.get("property", []) if p["code"] == "subsumedBy"]
        yield one, (*above, *parents)
        yield from _concepts(one, (*above, one["code"]))


def is_known(system: str, code: str) -> bool | None:
    codes = _codes(system)
    return None if codes is None else code in codes


@cache
def names(system: str, code: str) -> frozenset[str]:
    """What may stand as its display; empty where nobody here says."""
    said = [word for one in _found(system, code) for word in (one, *one.get("designation", []))]
    return frozenset(
        str(word).casefold() for one in said if (word := one.get("display", one.get("value")))
    )


def is_written(system: str, code: str) -> bool:
    """Whether the definitions here name this code of a system that is not here itself."""
    return bool(_found(system, code))


@cache
def _found(system: str, code: str) -> list[Json]:
    here = [one for one, _ in _concepts(code_system(system) or {}) if one["code"] == code]
    return here + [one for one in _written() if (one["system"], one["code"]) == (system, code)]


@cache
def _written() -> list[Json]:
    """The codes that the guide, and HL7 for vital signs, write into value sets or fix in profiles."""
    found = []
    core = named("ValueSet", "http://hl7.org/fhir/ValueSet/observation-vitalsignresult")
    for one in (core or {}, *guide().values()):
        for part in one.get("compose", {}).get("include", []):
            found += [{**word, "system": part["system"]} for word in part.get("concept", [])]
        fixed: dict[str, Json] = defaultdict(dict)
        for element in one.get("differential", {}).get("element", []):
            above, _, name = element["id"].rpartition(".")
            for key in element:
                if key.startswith("fixed"):
                    fixed[above][name] = element[key]
        found += [one for one in fixed.values() if {"system", "code", "display"} <= one.keys()]
    return found
