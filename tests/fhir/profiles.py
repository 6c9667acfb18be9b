"""A document held against every element of its definitions, as a validator does.

Each resource against HL7's definition of its kind, then against what each of its profiles says in
addition: how many, which types, fixed values and patterns, slices, bindings, targets of references and
invariants. A vital sign is also held to HL7's own profile of it, by its code alone.
"""

from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import Any

from tests.fhir.definitions import HL7, Json, definition, lineage, named, structure
from tests.fhir.elements import Place, is_pattern, letters, wrong
from tests.fhir.invariants import is_broken

VITAL_SIGNS = {
    "85353-1": "vitalspanel", "9279-1": "resprate", "8867-4": "heartrate", "2708-6": "oxygensat",
    "8310-5": "bodytemp", "8302-2": "bodyheight", "29463-7": "bodyweight", "39156-5": "bmi",
    "85354-9": "bp",
}  # fmt: skip
INLINE = {"BackboneElement", "Element", "Resource", "DomainResource", "Extension", "xhtml"}


class Tree:
    """The elements of one definition, by what stands below what.

    HL7's own is whole: what it does not name is not there. A profile says only what it adds.
    """

    def __init__(self, elements: list[Json], *, is_whole: bool = False) -> None:
        self.is_whole = is_whole
        self.by_id = {one["id"]: one for one in elements}
        self.below: dict[str, list[Json]] = defaultdict(list)
        self.slices: dict[str, list[Json]] = defaultdict(list)
        for one in elements:
            above, _, name = one["id"].rpartition(".")
            if ":" in name:
                self.slices[f"{above}.{name.partition(':')[0]}"].append(one)
            elif above:
                self.below[above].append(one)
        for one in elements:
            self._join_to_above(one["id"])

    def _join_to_above(self, at: str) -> None:
        """Of what stands between nothing need be said: an empty element joins it."""
        above, _, name = at.rpartition(".")
        for missing in (above, f"{above}.{name.partition(':')[0]}"):
            if above and missing not in self.by_id:
                self.by_id[missing] = {"id": missing}
                self.below[missing.rpartition(".")[0]].append(self.by_id[missing])
                self._join_to_above(missing)


@cache
def _whole(kind: str) -> Tree:
    return Tree(definition(kind), is_whole=True)


@cache
def _trees(profile: str) -> list[Tree]:
    """What a profile says, and those before it; once more where it is published whole.

    A whole one repeats HL7's invariants, which are looked at already.
    """
    found = []
    for one in lineage(profile):
        found.append(Tree(one["differential"]["element"]))
        whole = one.get("snapshot", {}).get("element", [])
        found += [Tree([{**part, "constraint": []} for part in whole])] if whole else []
    return found


def errors(resource: Json, document: Json | None = None) -> list[str]:
    """Everything that a resource, and each one in a bundle, is not by its definitions."""
    kind, around = resource["resourceType"], document or resource
    place = Place(f"{kind}/{resource.get('id')}", resource, around)
    found = list(letters(resource.get("id", "none"), "id", place))
    found += _walked(resource, _whole(kind), kind, place)
    for profile in [*resource.get("meta", {}).get("profile", []), *_by_code(resource)]:
        found += against(resource, profile, around)
    for entry in resource.get("entry", []):
        found += errors(entry["resource"], around)
    return found


def against(resource: Json, profile: str, document: Json) -> list[str]:
    """What the profile asks beyond the resource's own definition."""
    kind, name = resource["resourceType"], profile.rsplit("/", 1)[1]
    if structure(profile)["type"] != kind:
        return [f"{kind}: cannot be a {name}"]
    place = Place(f"{kind}/{resource.get('id')} as {name}", resource, document)
    return [one for tree in _trees(profile) for one in _walked(resource, tree, kind, place)]


def _by_code(resource: Json) -> list[str]:
    """HL7's profile of a vital sign, which holds by the code alone."""
    if resource["resourceType"] != "Observation":
        return []
    names = {VITAL_SIGNS.get(one["code"]) for one in resource["code"].get("coding", [])}
    return [f"{HL7}/{name}" for name in sorted(filter(None, names))]


def _walked(value: Any, tree: Tree, at: str, place: Place) -> Iterator[str]:
    """What is wrong with a value and with all below it, as far as the tree says."""
    element = tree.by_id.get(at, {"id": at})
    yield from wrong(value, element, place, _is_target)
    for rule in element.get("constraint", []):
        if is_broken(rule, value, at, place):
            yield f"{place.path}: {rule['key']} {rule['human']}"
    if not isinstance(value, dict):
        return
    known = {"resourceType"}
    for child in tree.below[at]:
        found = list(_values(value, _name(child)))
        known |= {key for key, _ in found}
        yield from _children(found, tree, child, place)
    if tree.is_whole and tree.below[at] and (unknown := value.keys() - known):
        yield f"{place.path}: {sorted(unknown)} is not known"


def _values(value: Json, name: str) -> Iterator[tuple[str, Any]]:
    """The values of an element with the names under which they stand; value[x] has many."""
    stem = name.removesuffix("[x]")
    for key, one in value.items():
        if key == name or (stem != name and key.startswith(stem) and key[len(stem)].isupper()):
            yield from ((key, part) for part in (one if isinstance(one, list) else [one]))


def _children(found: list[tuple[str, Any]], tree: Tree, child: Json, place: Place) -> Iterator[str]:
    here = place.at(_name(child))
    yield from _counted(len(found), child, here)
    yield from _sliced([one for _, one in found], tree, child, here)
    for key, one in found:
        there = child.get("contentReference", f"#{child['id']}").partition("#")[2]
        yield from _walked(one, tree, there, place.at(key))
        kinds = _kinds(child, key)
        if child.get("type") and not kinds:
            yield f"{place.path}: {key} is of no type that {child['id']} may have"
        elif tree.is_whole:
            yield from _as_type(one, kinds, place.at(key))


def _counted(count: int, element: Json, place: Place) -> Iterator[str]:
    if count < element.get("min", 0):
        yield f"{place.path}: {count} of at least {element['min']} ({element['id']})"
    if element.get("max", "*") != "*" and count > int(element["max"]):
        yield f"{place.path}: {count} of at most {element['max']} ({element['id']})"


def _as_type(value: Any, kinds: list[Json], place: Place) -> Iterator[str]:
    """A value of a datatype is held against that one, and against the type's profile if it has one."""
    for kind in kinds:
        code = kind["code"]
        yield from letters(value, code, place)
        if code[0].isupper() and code not in INLINE:
            yield from _walked(value, _whole(code), code, place)
            for tree in (tree for profile in kind.get("profile", []) for tree in _trees(profile)):
                yield from _walked(value, tree, code, place)


def _kinds(element: Json, key: str) -> list[Json]:
    """The types that a value of this name may have: of value[x] the one that the name says."""
    kinds: list[Json] = element.get("type", [])
    if not element["id"].endswith("[x]"):
        return kinds
    suffix = key[len(_name(element)) - 3 :]
    return [one for one in kinds if one["code"].casefold() == suffix.casefold()]


# --- slices ---------------------------------------------------------------------------------------
def _sliced(values: list[Any], tree: Tree, element: Json, place: Place) -> Iterator[str]:
    slicing, taken = element.get("slicing"), [""] * len(values)
    for one in tree.slices[element["id"]]:
        fits = [
            number for number, value in enumerate(values) if _fits(value, one, tree, slicing, place)
        ]
        yield from _counted(len(fits), one, place)
        for number in fits:
            taken[number] = one["id"]
            yield from _walked(values[number], tree, one["id"], place)
    if slicing and slicing["rules"] == "closed" and tree.slices[element["id"]] and "" in taken:
        yield f"{place.path}: fits no slice ({element['id']})"
    if (
        slicing
        and slicing["rules"] == "openAtEnd"
        and "" in taken
        and any(taken[taken.index("") :])
    ):
        yield f"{place.path}: what is of no slice stands at the end"


def _fits(value: Any, one: Json, tree: Tree, slicing: Json | None, place: Place) -> bool:
    """Whether the discriminators of a slice say that the value is one of it."""
    if not slicing:  # value[x]: by its type
        return True
    return all(
        _is_told_by(value, one["id"], rule["path"].split("."), tree)
        for rule in slicing["discriminator"]
    )


def _is_told_by(value: Any, at: str, names: list[str], tree: Tree) -> bool:
    """Fixed values and patterns of the slice, along the path and below its end."""
    if not is_pattern(value, tree.by_id.get(at, {})):
        return False
    if names and names != ["$this"]:
        return _has_part(value, f"{at}.{names[0]}", names[1:], tree)
    needed = [one["id"] for one in tree.below[at] if one.get("min", 1)]
    return all(_has_part(value, one, [], tree) for one in needed)


def _has_part(value: Any, at: str, names: list[str], tree: Tree) -> bool:
    """Whether a part of this name is so, and one is of each slice that must be there."""
    parts = list(_values(value, at.rpartition(".")[2])) if isinstance(value, dict) else []
    slices = [one["id"] for one in tree.slices[at] if one.get("min")]
    return all(
        any(_is_told_by(part, one, names, tree) for _, part in parts or [("", None)])
        for one in (at, *slices)
    )


def _name(element: Json) -> str:
    """Of the element in its parent, whichever slice it is."""
    name: str = element["id"].rpartition(".")[2]
    return name.partition(":")[0]


def _is_target(pointer: Json, profiles: list[str], place: Place) -> bool:
    """A profile that the target does not claim itself must hold for it all the same."""
    target = place.resolve(pointer)
    if (
        target is None
    ):  # in a document everything it speaks of is there; a single resource points out
        return "entry" not in place.document
    claimed = {
        *target["meta"].get("profile", []),
        f"{HL7}/{target['resourceType']}",
        f"{HL7}/Resource",
    }
    if claimed & set(profiles):
        return True
    known = [one for one in profiles if named("StructureDefinition", one)]
    kinds = [one for one in known if structure(one)["type"] == target["resourceType"]]
    return any(not against(target, one, place.document) for one in kinds)
